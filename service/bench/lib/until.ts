import { setTimeout as delay } from 'node:timers/promises';

/** A question that is asked until the answer is yes. */
export interface Question {
  /** Completes the sentence "this did not happen: ...". */
  readonly what: string;
  readonly deadlineMs: number;
  ask(): Promise<boolean>;
}

/** Resolves once the answer is yes; rejects after the deadline. */
export async function until({ what, deadlineMs, ask }: Question): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await ask())) {
    if (performance.now() > end) throw new Error(`this did not happen within ${deadlineMs} ms: ${what}`);
    await delay(20);
  }
}
