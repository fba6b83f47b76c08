import { expect, onTestFinished } from 'vitest';

/** From now on until the test ends, an uncaught exception or unhandled rejection of this process fails the test by name. */
export function expectNoFaults(): void {
  const faults: unknown[] = [];
  const onFault = (error: unknown) => void faults.push(error);
  process.on('uncaughtException', onFault);
  process.on('unhandledRejection', onFault);
  onTestFinished(async () => {
    // Rejections are reported once the microtasks of their turn have run.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('uncaughtException', onFault);
    process.off('unhandledRejection', onFault);
    expect(faults).toEqual([]);
  });
}
