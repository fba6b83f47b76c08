/** How much CPU k6 took, seen from outside. For Node, on Linux. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';

const EVERY_MS = 1_000;
const TICKS_PER_S = 100;
/** Beyond this share of all cores, k6 waits for CPU, and its waiting looks like the server's. */
const MOST = 0.9;

/** Samples once a second; `end()` gives what it saw. */
export function watchCpu(pid) {
  const samples = [];
  let last = sample(pid);
  const timer = setInterval(() => {
    const now = sample(pid);
    if (now !== undefined && last !== undefined) {
      const seconds = (now.at - last.at) / 1_000;
      samples.push({
        cores: (now.ticks - last.ticks) / TICKS_PER_S / seconds,
        busy: (now.busy - last.busy) / Math.max(1, now.all - last.all),
      });
    }
    last = now;
  }, EVERY_MS);
  timer.unref();
  return {
    end() {
      clearInterval(timer);
      if (samples.length === 0) return {};
      const cores = samples.map((each) => each.cores).sort((a, b) => a - b);
      const busy = samples.map((each) => each.busy).sort((a, b) => a - b);
      return {
        'cores of this machine': availableParallelism(),
        'k6 used, median': Number(at(cores, 0.5).toFixed(2)),
        'k6 used, p95': Number(at(cores, 0.95).toFixed(2)),
        'machine busy, median': `${Math.round(at(busy, 0.5) * 100)} %`,
      };
    },
  };
}

/** The check that goes with it; undefined where nothing could be seen. */
export function cpuCheck(usage) {
  const used = usage['k6 used, p95'];
  if (used === undefined) return undefined;
  const most = MOST * usage['cores of this machine'];
  return {
    metric: 'gen_cpu',
    rule: `p(95) < ${Number(most.toFixed(2))} cores`,
    actual: used,
    ok: used < most,
    isGenerator: true,
    about: 'CPU that k6 took',
  };
}

function at(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

function sample(pid) {
  try {
    // The name of the program may hold spaces; fields count from behind its bracket.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
    const times = cpus().map((cpu) => cpu.times);
    const all = times.reduce((sum, time) => sum + time.user + time.nice + time.sys + time.irq + time.idle, 0);
    const idle = times.reduce((sum, time) => sum + time.idle, 0);
    return { at: Date.now(), ticks: Number(fields[11]) + Number(fields[12]), all, busy: all - idle };
  } catch {
    // No such file here, or the process is over.
    return undefined;
  }
}
