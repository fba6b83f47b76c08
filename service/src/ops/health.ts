/** Pure: what the checks found and the phase, turned into the report that the probes show. */
import type { Gate } from '../contracts.ts';

/** What one check found; `details` are shown when it is well, `reason` when it is not. */
export interface CheckResult {
  readonly name: string;
  readonly gates: Gate;
  readonly ok: boolean;
  readonly details?: object;
  readonly reason?: string;
}

/** The process as the report sees it. */
export interface ProcessState {
  readonly isReady: boolean;
  readonly phase: string;
  readonly pod: string;
  readonly version: string;
}

/** Answer of a probe. */
export interface Report {
  readonly status: 'ok' | 'error';
  readonly phase: string;
  readonly pod: string;
  readonly version: string;
  readonly checks: Readonly<Record<string, object>>;
}

/** Ready means that the phase says so and that no failing check gates readiness. */
export function healthReport(state: ProcessState, results: readonly CheckResult[]): Report {
  const isReady = state.isReady && !results.some((result) => !result.ok && result.gates === 'ready');
  const { phase, pod, version } = state;
  return { status: isReady ? 'ok' : 'error', phase, pod, version, checks: shown(results) };
}

/** The same report with only the checks that fail, or that say of themselves that they are degraded. */
export function shortReport(state: ProcessState, results: readonly CheckResult[]): Report {
  return {
    ...healthReport(state, results),
    checks: shown(results.filter((result) => !result.ok || isDegraded(result))),
  };
}

function shown(results: readonly CheckResult[]): Record<string, object> {
  return Object.fromEntries(
    results.map(({ name, gates, ok, details, reason }) => [
      name,
      ok ? { ...details, ok, gates } : { ok, gates, reason: reason ?? 'unknown' },
    ]),
  );
}

function isDegraded({ details }: CheckResult): boolean {
  return (details as { degraded?: unknown } | undefined)?.degraded === true;
}
