import { onTestFinished, TestRunner } from 'vitest';

/** Runs `end` after the test that is running. In a hook of a whole file nothing is registered: who starts there, stops. */
export function atTestEnd(end: () => Promise<void>): void {
  if (TestRunner.getCurrentTest()) onTestFinished(end);
}
