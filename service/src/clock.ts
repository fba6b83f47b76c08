import type { Cancel, Clock } from './contracts.ts';

// A Node timer with a longer delay fires at once (nodejs.org/api/timers.html).
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The real clock. Its timers never keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, call) {
    return runAfter(ms, call);
  },
  every(ms, call) {
    const timer = setInterval(call, ms).unref();
    return () => clearInterval(timer);
  },
};

function runAfter(ms: number, call: () => void): Cancel {
  let remaining = Math.max(0, ms);
  let timer: NodeJS.Timeout;
  const arm = () => {
    const step = Math.min(remaining, LONGEST_TIMER_MS);
    remaining -= step;
    timer = setTimeout(() => (remaining > 0 ? arm() : call()), step).unref();
  };
  arm();
  return () => clearTimeout(timer);
}
