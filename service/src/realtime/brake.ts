/** The brake on new sessions: a returning crowd meets a rate, not an overloaded event loop. */
import type { Clock } from '../contracts.ts';
import { type Bucket, refill, take } from './token-bucket.ts';

export interface Brake {
  /** Takes one token, if there is one. */
  admit(): boolean;
  tokens(): number;
}

// From this event-loop delay on, fewer sessions are let in: the loop is busy with those that are here.
const BUSY_DELAY_MS = 100;

/**
 * Admits at most `perSecond` sessions in any second. 0 admits all.
 * `delayMs` is the recent event-loop delay; above 100 ms the rate falls in proportion, to a tenth at the least.
 */
export function createBrake(perSecond: number, clock: Clock, delayMs: () => number): Brake {
  const capacity = Math.max(1, Math.floor(perSecond / 20));
  // A second that begins with a full bucket ends just before it has brought `rate` more: capacity + rate - 1 at the most.
  const rate = perSecond - capacity + 1;
  const bucket: Bucket = { tokens: capacity, at: clock.now() };
  const update = () => {
    const calm = Math.min(1, Math.max(0.1, BUSY_DELAY_MS / Math.max(1, delayMs())));
    refill(bucket, clock.now(), rate * calm, capacity);
  };
  return {
    admit() {
      if (perSecond === 0) return true;
      update();
      return take(bucket, 1);
    },
    tokens() {
      if (perSecond === 0) return 0;
      update();
      return bucket.tokens;
    },
  };
}
