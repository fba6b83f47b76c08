/** Remembers what was answered under an idempotency key, for a window of time. */
import type { Clock, PublishResult } from '../contracts.ts';

export interface Idempotency {
  /** Runs `publish` unless the key is known; then answers what was answered before. A failed publish is forgotten. */
  once(key: string, publish: () => Promise<PublishResult>): Promise<PublishResult>;
}

// About 100 bytes each; the oldest go first.
const MOST_KEYS = 200_000;

export function createIdempotency(windowMs: number, clock: Clock): Idempotency {
  // Insertion order is age, because entries are never moved.
  const known = new Map<string, { until: number; result: Promise<PublishResult> }>();

  function forgetOld(): void {
    const now = clock.now();
    for (const [key, entry] of known) {
      if (entry.until > now && known.size <= MOST_KEYS) return;
      known.delete(key);
    }
  }

  return {
    async once(key, publish) {
      forgetOld();
      const before = known.get(key);
      if (before !== undefined) return { ...(await before.result), duplicate: true };
      const result = publish();
      const entry = { until: clock.now() + windowMs, result };
      known.set(key, entry);
      try {
        return await result;
      } catch (error) {
        // Past its window the key may belong to a later publish.
        if (known.get(key) === entry) known.delete(key);
        throw error;
      }
    },
  };
}
