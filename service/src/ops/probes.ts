/** /livez, /readyz and /metrics. */
import type { Context, Hono } from 'hono';
import type { CheckRunner } from './check-runner.ts';
import { healthReport, type ProcessState, shortReport } from './health.ts';
import { type Answering, register } from './router.ts';
import { PROBE_ROUTES } from './routes.ts';

export interface ProbeDeps {
  readonly checks: CheckRunner;
  state(): ProcessState;
  metricsText(): Promise<string>;
  readonly metricsContentType: string;
}

type ProbePath = (typeof PROBE_ROUTES)[number]['path'];

export function mountProbes(app: Hono, deps: ProbeDeps): void {
  const answers: Record<ProbePath, Answering> = {
    // Alive means: this process answers. What it depends on is no reason to kill it.
    async '/livez'(context) {
      const { phase, pod, version } = deps.state();
      return context.json({ status: 'ok', phase, pod, version });
    },
    async '/readyz'(context) {
      const results = await deps.checks.results();
      const report = isVerbose(context) ? healthReport(deps.state(), results) : shortReport(deps.state(), results);
      return context.json(report, report.status === 'ok' ? 200 : 503);
    },
    async '/metrics'(context) {
      // The `ready` gauge shows what /readyz would say now, also where nobody asks that.
      await deps.checks.results();
      return context.body(await deps.metricsText(), 200, { 'Content-Type': deps.metricsContentType });
    },
  };
  for (const route of PROBE_ROUTES) {
    register(app, { route, answer: answers[route.path], around: (context, answer) => answer(context) });
  }
}

/** `?verbose`, as Kubernetes' own servers take it; any value but false and 0 will do. */
function isVerbose(context: Context): boolean {
  const value = context.req.query('verbose');
  return value !== undefined && value !== 'false' && value !== '0';
}
