/** Servers of different modes share leases and nothing else: their broadcasts do not meet, and an operator must be told. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import type { StartedRedis } from '../../support/redis/run-redis.ts';
import { startRedis } from '../../support/redis/start-redis.ts';
import { newPrefix, startNode } from './installation.ts';

let redis: StartedRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

it('servers of different modes on one prefix warn, and readyz names the other', async () => {
  const prefix = newPrefix();
  const env = { SOCKETFLEET_LEASE_MS: '600' };
  const sharded = await startNode({ url: redis.url, prefix, mode: 'sharded', env });
  const classic = await startNode({
    url: redis.url,
    prefix,
    mode: 'classic',
    env: { ...env, SOCKETFLEET_POD: 'old-one' },
  });
  await eventually(async () => {
    const report = (await (await fetch(`${sharded.internalUrl}/readyz?verbose`)).json()) as {
      checks: { fleet: { mixedModes?: string[] } };
    };
    return report.checks.fleet.mixedModes?.includes('old-one: classic');
  }, 'the other mode in the report');
  const said = (lines: typeof classic.lines) => lines.filter(({ event }) => event.includes('different modes'));
  await eventually(() => said(classic.lines).length === 1, 'a warning');
  expect(said(sharded.lines)).toMatchObject([{ level: 'warn', fields: { setting: 'SOCKETFLEET_REDIS_MODE' } }]);
});
