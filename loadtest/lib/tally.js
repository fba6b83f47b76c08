/** What a VU counts: added up in plain numbers and handed to k6 once a second, because a sample for each event is dear. */
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
import { METRICS, SLICES } from './metric-table.js';
import { podSlot, tailToNumber } from './pods.js';

const KINDS = { counter: Counter, gauge: Gauge, rate: Rate, trend: Trend };
const FLUSH_MS = 500;

// k6 takes new metrics only while a script is loaded.
const metrics = Object.fromEntries(Object.entries(METRICS).map(([name, { type }]) => [name, new KINDS[type](name)]));

/** `{ startedAt, sliceMs, pods }` of the run; begins to hand over, until `end()`. */
export function createTally({ startedAt, sliceMs, pods }) {
  const sums = new Map();
  const tags = Array.from({ length: SLICES }, (_, i) => ({ t: String(i) }));
  let slice = -1;

  const current = () => Math.min(SLICES - 1, Math.max(0, Math.floor((Date.now() - startedAt) / sliceMs)));

  function flush() {
    for (const [name, sum] of sums) metrics[name].add(sum, METRICS[name].timed ? tags[slice] : undefined);
    sums.clear();
  }

  const timer = setInterval(flush, FLUSH_MS);
  return {
    count(name, n = 1) {
      if (n === 0) return;
      const now = current();
      if (now !== slice) {
        flush();
        slice = now;
      }
      sums.set(name, (sums.get(name) ?? 0) + n);
    },
    observe(name, value) {
      metrics[name].add(value, METRICS[name].timed ? tags[current()] : undefined);
    },
    share(name, isTrue) {
      metrics[name].add(isTrue);
    },
    pod(name) {
      const pod = podSlot(name, pods);
      metrics.sio_pod.add(1, { pod });
      if (pod[0] === 'n') metrics.sio_pod_tail.add(tailToNumber(name), { pod });
    },
    end() {
      clearInterval(timer);
      flush();
    },
  };
}
