/** What /readyz says when all servers lose Redis together, and when it comes and goes. */
import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { expectNoFaults } from '../../support/expect-no-faults.ts';
import type { StartedRedis } from '../../support/redis/run-redis.ts';
import { stablePorts } from '../../support/redis/stable-ports.ts';
import { startProxy } from '../../support/redis/start-proxy.ts';
import { startRedis } from '../../support/redis/start-redis.ts';
import { knowEachOther, newPrefix, startNode } from './installation.ts';
import { readinessEnv, watchReadiness } from './watch-readiness.ts';

const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('a Redis that is gone for all', () => {
  const ways: [string, (redis: StartedRedis) => Promise<void>][] = [
    ['killed', (redis) => redis.down('SIGKILL')],
    ['paused', (redis) => redis.pause()],
  ];
  it.each(ways)('leaves all ready and degraded (%s)', { timeout: 40_000 }, async (_, end) => {
    expectNoFaults();
    const redis = await startRedis();
    const prefix = newPrefix();
    // Short: as soon as one has noticed, it asks the others, who may not have.
    const place = { url: redis.url, prefix, env: readinessEnv('grace', { SOCKETFLEET_READINESS_GRACE_MS: '50' }) };
    const nodes = await Promise.all([startNode(place), startNode(place), startNode(place)]);
    await eventually(async () => (await Promise.all(nodes.map((node) => node.ready()))).every(Boolean), 'all ready');
    await eventually(async () => (await nodes[0]?.metric('socketfleet_servers')) === 3, 'three servers');
    const watched = nodes.map(watchReadiness);
    await end(redis);
    await eventually(
      async () => (await Promise.all(nodes.map((node) => node.redis()))).every(({ degraded }) => degraded === true),
      'all degraded',
    );
    await pass(3_000);
    expect(watched.map(({ turns }) => turns)).toEqual([[true], [true], [true]]);
  });

  it('leaves a server ready whose peers cannot be reached', { timeout: 40_000 }, async () => {
    expectNoFaults();
    const redis = await startRedis();
    const [nobody = 0] = await stablePorts(1);
    const peers = `127.0.0.1:${nobody},no-such-host.invalid:80`;
    const node = await startNode({ url: redis.url, env: readinessEnv('grace', { SOCKETFLEET_PEERS: peers }) });
    await eventually(() => node.ready(), 'ready');
    const { turns } = watchReadiness(node);
    await redis.down('SIGKILL');
    await eventually(async () => (await node.redis()).degraded === true, 'degraded');
    await pass(3_000);
    expect(turns).toEqual([true]);
  });
});

describe('a Redis that comes and goes every 300 ms', () => {
  it('makes readiness neither come nor go, and is told once', { timeout: 40_000 }, async () => {
    expectNoFaults();
    const redis = await startRedis();
    // One path for two servers, and one for the third alone.
    const [common, own] = [await startProxy(redis.port), await startProxy(redis.port)];
    const prefix = newPrefix();
    const env = readinessEnv('grace');
    const nodes = await Promise.all([
      startNode({ url: common.url, prefix: newPrefix(), env }),
      startNode({ url: redis.url, prefix, env }),
      startNode({ url: own.url, prefix, env }),
    ]);
    await knowEachOther(nodes.slice(1));
    await eventually(async () => (await Promise.all(nodes.map((node) => node.ready()))).every(Boolean), 'all ready');
    const [together, peer, alone] = nodes.map(watchReadiness);
    for (let i = 0; i < 10; i++) {
      common.cut();
      own.cut();
      await pass(300);
      await Promise.all([common.heal(), own.heal()]);
      await pass(300);
    }
    await eventually(() => alone?.turns.at(-1) === true, 'ready in the end', 10_000);
    expect([together?.turns, peer?.turns]).toEqual([[true], [true]]);
    // It may have missed its chances to come back for longer than the grace, once; not again and again.
    expect(alone?.turns.length).toBeLessThanOrEqual(3);
    for (const { lines } of [nodes[0], nodes[2]] as { lines: { event: string }[] }[]) {
      expect(lines.filter(({ event }) => event === 'Redis cannot be used').length).toBeLessThanOrEqual(2);
      expect(lines.filter(({ event }) => event === 'Redis is there').length).toBeLessThanOrEqual(3);
    }
  });
});
