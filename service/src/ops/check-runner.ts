/** Asks all checks, bounded in time, at most once at a time, and remembers the answers for a moment. */
import type { Check, Clock } from '../contracts.ts';
import type { CheckResult } from './health.ts';
import { scrub } from './redaction.ts';

export interface CheckRunnerOptions {
  /** A check that takes longer has failed. */
  readonly timeoutMs: number;
  /** For how long answers are served again. */
  readonly cacheMs: number;
}

export interface CheckRunner {
  /** Results in the order of the checks. Never rejects. */
  results(): Promise<readonly CheckResult[]>;
  /** What the last finished round found; empty before the first. */
  latest(): readonly CheckResult[];
}

/** Throws when two checks share a name: one would hide the other in the report. */
export function createCheckRunner(
  options: CheckRunnerOptions,
  deps: { readonly checks: readonly Check[]; readonly clock: Clock },
): CheckRunner {
  const { checks, clock } = deps;
  const repeated = checks.find((check, index) => checks.findIndex(({ name }) => name === check.name) !== index);
  if (repeated !== undefined) throw new Error(`two checks are named ${repeated.name}`);

  const pending = new Map<Check, Promise<CheckResult>>();
  let latest: readonly CheckResult[] = [];
  let staleAt = Number.NEGATIVE_INFINITY;
  let round: Promise<readonly CheckResult[]> | undefined;

  // A check that hangs is asked again only once it has settled; until then every round sees its time-out.
  function ask(check: Check): Promise<CheckResult> {
    const running = pending.get(check) ?? run(check).finally(() => pending.delete(check));
    pending.set(check, running);
    return orTimeout(check, running);
  }

  function orTimeout(check: Check, running: Promise<CheckResult>): Promise<CheckResult> {
    const timedOut = failure(check, `no answer within ${options.timeoutMs} ms`);
    return new Promise((resolve) => {
      // After a long block timers fire before input is read: an answer that has arrived gets one more turn.
      const cancel = clock.after(options.timeoutMs, () => setImmediate(resolve, timedOut));
      void running.then((result) => {
        cancel();
        resolve(result);
      });
    });
  }

  async function runAll(): Promise<readonly CheckResult[]> {
    latest = await Promise.all(checks.map(ask));
    staleAt = clock.now() + options.cacheMs;
    round = undefined;
    return latest;
  }

  return {
    latest: () => latest,
    results() {
      if (clock.now() < staleAt) return Promise.resolve(latest);
      round ??= runAll();
      return round;
    },
  };
}

async function run(check: Check): Promise<CheckResult> {
  try {
    const details = await check.check();
    return { name: check.name, gates: check.gates, ok: true, details };
  } catch (error) {
    return failure(check, error instanceof Error ? error.message : String(error));
  }
}

function failure(check: Check, reason: string): CheckResult {
  return { name: check.name, gates: check.gates, ok: false, reason: scrub(reason) };
}
