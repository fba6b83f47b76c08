import type { Clock } from '../../src/contracts.ts';

/** A clock that stands still until told otherwise. Timers due at the same time fire in the order in which they were set. */
export interface FakeClock extends Clock {
  /** Moves on by `ms`, firing what comes due on the way. */
  advance(ms: number): void;
  pending(): number;
}

export function createFakeClock(wallStart = 1_700_000_000_000): FakeClock {
  let now = 0;
  let order = 0;
  const timers = new Map<number, { at: number; every?: number; call: () => void }>();
  const add = (at: number, call: () => void, every?: number) => {
    const id = order++;
    timers.set(id, every === undefined ? { at, call } : { at, call, every });
    return () => void timers.delete(id);
  };
  const next = (until: number) =>
    [...timers].filter(([, timer]) => timer.at <= until).sort(([a, x], [b, y]) => x.at - y.at || a - b)[0];
  return {
    now: () => now,
    wall: () => wallStart + now,
    after: (ms, call) => add(now + Math.max(0, ms), call),
    every: (ms, call) => add(now + ms, call, ms),
    pending: () => timers.size,
    advance(ms) {
      const end = now + ms;
      for (let due = next(end); due !== undefined; due = next(end)) {
        const [id, timer] = due;
        now = timer.at;
        if (timer.every === undefined) timers.delete(id);
        else timer.at += timer.every;
        timer.call();
      }
      now = end;
    },
  };
}
