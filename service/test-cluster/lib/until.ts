import { setTimeout as delay } from 'node:timers/promises';

/** A question that is asked until it is answered. */
export interface Question<T> {
  /** Completes the sentence "this did not happen: ...". */
  readonly what: string;
  readonly deadlineMs: number;
  /** Anything but undefined and false is an answer. A rejection counts as none. */
  ask(): Promise<T | false | undefined> | T | false | undefined;
}

const EVERY_MS = 100;

/** Resolves with the first answer; rejects after the deadline, with the last problem as its cause. */
export async function until<T>({ what, deadlineMs, ask }: Question<T>): Promise<T> {
  const end = performance.now() + deadlineMs;
  let cause: unknown;
  do {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await delay(EVERY_MS);
  } while (performance.now() < end);
  const why = cause === undefined ? '' : ` (${(cause as Error).message})`;
  throw new Error(`this did not happen within ${deadlineMs / 1000} s: ${what}${why}`, { cause });
}
