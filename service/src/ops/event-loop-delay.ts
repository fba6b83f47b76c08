/** How late the event loop was, over windows of fixed length. */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Cancel, Clock } from '../contracts.ts';

/** Quantiles that are kept of each window; 1 is the maximum. */
export const DELAY_QUANTILES = ['0.5', '0.9', '0.99', '1'] as const;

const WINDOW_MS = 10_000;
const RECENT_MS = 1_000;
const RESOLUTION_MS = 10;

export interface EventLoopDelay {
  start(): void;
  /** Safe to call twice. Forgets what was measured. */
  stop(): void;
  /** Seconds by quantile over the last complete window of 10 s; empty before the first has passed. */
  latest(): ReadonlyMap<string, number>;
  /** The delay of the last complete second, 90th percentile: a single pause does not show, a busy loop does. */
  recentMs(): number;
}

export function createEventLoopDelay(deps: { readonly clock: Clock }): EventLoopDelay {
  const window = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const recent = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  let latest: ReadonlyMap<string, number> = new Map();
  let recentMs = 0;
  let timers: readonly Cancel[] = [];

  function reset(): void {
    window.reset();
    recent.reset();
    latest = new Map();
    recentMs = 0;
  }

  return {
    latest: () => latest,
    recentMs: () => recentMs,
    start() {
      if (timers.length > 0) return;
      window.enable();
      recent.enable();
      timers = [
        deps.clock.every(WINDOW_MS, () => {
          latest = new Map(DELAY_QUANTILES.map((one) => [one, delayMs(window, Number(one)) / 1e3]));
          window.reset();
        }),
        deps.clock.every(RECENT_MS, () => {
          recentMs = delayMs(recent, 0.9);
          recent.reset();
        }),
      ];
    },
    stop() {
      for (const cancel of timers) cancel();
      timers = [];
      window.disable();
      recent.disable();
      reset();
    },
  };
}

// Node records the whole interval between two ticks of its timer; what exceeds the interval is the delay.
function delayMs(histogram: IntervalHistogram, quantile: number): number {
  if (histogram.count === 0) return 0;
  return Math.max(0, histogram.percentile(quantile * 100) / 1e6 - RESOLUTION_MS);
}
