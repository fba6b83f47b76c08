import { come } from './check-clients.ts';
import type { CheckContext } from './check-context.ts';
import { readServers, type ServerReport } from './check-servers.ts';

/** Probes, report and metric of every server agree, and one that says it is ready takes clients. */
export async function checkReadiness(context: CheckContext): Promise<string> {
  const reports = await readServers(context);
  const problems = reports.flatMap(contradictionOf);
  if (problems.length > 0) throw new Error(problems.join('; '));
  const ready = reports.filter(({ readyz }) => readyz === 200);
  if (ready.length === 0) throw new Error(`none of ${reports.length} servers is ready`);
  for (const { address } of ready) (await come(address.publicUrl, 'websocket', context)).leave();
  return `${ready.length} of ${reports.length} servers say that they are ready, and take clients`;
}

function contradictionOf(report: ServerReport): string[] {
  const { pod, livez, readyz, status, readyMetric } = report;
  if (livez !== 200) return [`${pod}: /livez says ${livez}`];
  if (readyz !== 200 && readyz !== 503) return [`${pod}: /readyz says ${readyz}`];
  const isReady = readyz === 200;
  const failing = Object.entries(report.checks).filter(([, check]) => check.ok === false && check.gates === 'ready');
  if (isReady !== (status === 'ok')) return [`${pod}: /readyz is ${readyz}, but its report says ${status}`];
  if (isReady && failing.length > 0) return [`${pod}: ready although ${failing.map(([name]) => name).join()} fails`];
  if (readyMetric !== Number(isReady)) return [`${pod}: /readyz is ${readyz}, but the metric says ${readyMetric}`];
  return [];
}
