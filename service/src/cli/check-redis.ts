import type { CheckContext } from './check-context.ts';
import { readServers } from './check-servers.ts';

/** Every server hears its own canary through Redis. */
export async function checkRedis(context: CheckContext): Promise<string> {
  const reports = await readServers(context);
  const without = reports.filter(({ checks }) => checks.redis === undefined);
  if (without.length > 0) {
    if (reports.length === 1) return 'there is none, and one server needs none';
    throw new Error(`${without[0]?.pod} has no Redis, but there are ${reports.length} servers`);
  }
  const cutOff = reports.filter(({ checks }) => checks.redis?.connected !== true);
  if (cutOff.length > 0) {
    const reasons = cutOff.map(({ pod, checks }) => `${pod}: ${checks.redis?.reason ?? 'no canary comes back'}`);
    throw new Error(reasons.join('; '));
  }
  const lag = Math.max(...reports.map(({ checks }) => Number(checks.redis?.lagMs ?? 0)));
  return `${reports.length} of ${reports.length} servers reach it, there and back in ${lag} ms at most`;
}
