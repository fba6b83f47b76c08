/** Connections that look well and are not: the canary notices, and they are replaced. */
import { describe, expect, it } from 'vitest';
import { collect, next } from '../../support/connect.ts';
import { eventually } from '../../support/eventually.ts';
import { expectNoFaults } from '../../support/expect-no-faults.ts';
import { startProxy } from '../../support/redis/start-proxy.ts';
import { startRedis } from '../../support/redis/start-redis.ts';
import { delivered, MODES, member, newPrefix, seesRedis, startNode, startPair } from './installation.ts';
import { startPickyProxy } from './start-picky-proxy.ts';
import { slowest, startTraffic } from './traffic.ts';

const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** Two canaries, a second apart, that each have 2 s to come back; and the way back. */
const NOTICED_MS = 4_000 + 2_000;

describe('a subscription that hears nothing any more', () => {
  it.each(MODES)('is noticed and replaced within seconds (%s)', { timeout: 30_000 }, async (mode) => {
    expectNoFaults();
    const redis = await startRedis();
    const path = await startPickyProxy(redis.port);
    const prefix = newPrefix();
    const a = await startNode({ url: redis.url, prefix, mode });
    const b = await startNode({ url: path.url, prefix, mode });
    await Promise.all([seesRedis(a), seesRedis(b)]);
    const there = await member(b, 'x');
    await delivered(a, there, 'x');
    path.silence('subscribers');
    const ms = await delivered(a, there, 'x', 15_000);
    console.info(`back after ${Math.round(ms)} ms`);
    expect(ms).toBeLessThan(NOTICED_MS);
    expect(await b.metric('socketfleet_redis_rebuilds_total')).toBe(1);
    // Nothing is replaced twice for what was sent before.
    await pass(2_500);
    expect(await b.metric('socketfleet_redis_rebuilds_total')).toBe(1);
    expect(await a.metric('socketfleet_redis_rebuilds_total')).toBe(0);
    expect(path.made('subscribers')).toBe(2);
  });
});

describe('a publishing connection on which nothing comes back', () => {
  it('is given up within seconds, and local delivery does not notice', { timeout: 30_000 }, async () => {
    expectNoFaults();
    const redis = await startRedis();
    const path = await startPickyProxy(redis.port);
    const traffic = await startTraffic({ url: path.url });
    path.silence('publishers');
    const ms = await traffic.backSince(performance.now());
    console.info(`back after ${Math.round(ms)} ms`);
    // 4 s without an answer, and the way back.
    expect(ms).toBeLessThan(4_000 + 2_000);
    await traffic.stop();
    expect(slowest(traffic.here)).toBeLessThan(1_500);
    expect(await traffic.a.metric('socketfleet_redis_rebuilds_total')).toBe(0);
  });
});

describe('a path that hangs as a whole', () => {
  it('is used again as soon as it is whole, without a start of anything', { timeout: 30_000 }, async () => {
    expectNoFaults();
    const redis = await startRedis();
    const proxy = await startProxy(redis.port);
    const traffic = await startTraffic({ url: proxy.url });
    proxy.hang();
    await pass(5_000);
    await proxy.heal();
    const ms = await traffic.backSince(performance.now());
    console.info(`back after ${Math.round(ms)} ms`);
    expect(ms).toBeLessThan(2_000);
    await traffic.stop();
  });
});

describe('a subscriber that reads too slowly', () => {
  it('is cut off by Redis, and subscribes anew', { timeout: 30_000 }, async () => {
    expectNoFaults();
    const redis = await startRedis({ config: ['client-output-buffer-limit pubsub 256kb 128kb 1'] });
    const proxy = await startProxy(redis.port);
    const prefix = newPrefix();
    const a = await startNode({ url: redis.url, prefix });
    const b = await startNode({ url: proxy.url, prefix });
    await Promise.all([seesRedis(a), seesRedis(b)]);
    const there = await member(b, 'x');
    await delivered(a, there, 'x');
    proxy.hang();
    const data = 'x'.repeat(100_000);
    const isCut = () => redis.output().includes('overcoming of output buffer limits');
    await eventually(
      async () => {
        for (let i = 0; i < 20; i++) await a.services.publish({ rooms: ['x'], data });
        return isCut();
      },
      'the end of the slow connection',
      20_000,
    );
    await proxy.heal();
    const ms = await delivered(a, there, 'x');
    console.info(`back after ${Math.round(ms)} ms`);
    expect(ms).toBeLessThan(2_000);
  });
});

describe('a right that is missing', () => {
  it('takes away nothing else, and counts as soon as it is granted', { timeout: 30_000 }, async () => {
    expectNoFaults();
    const prefix = newPrefix();
    const redis = await startRedis({
      acl: [`app on >secret ~* +@all resetchannels &${prefix}:* &${prefix}#/#*`],
    });
    const url = redis.url.replace('redis://', 'redis://app:secret@');
    const [a, b] = await startPair({ url, prefix });
    const there = await member(b, 'x');
    const other = collect(there.io.socket('/other'), 'news');
    for (const { io } of [a, b]) io.of('/other');
    await next(there.io.socket('/other'), 'connect');
    await eventually(
      () => b.lines.some(({ fields }) => fields.setting === 'SOCKETFLEET_REDIS_USERNAME'),
      'a line that names the setting',
    );
    // All that is wanted travels together after a new connection.
    await redis.cli('CLIENT', 'KILL', 'USER', 'app');
    await delivered(a, there, 'x');
    expect(other).toEqual([]);
    await redis.cli('ACL', 'SETUSER', 'app', `&${prefix}#/other#*`);
    await eventually(() => {
      a.io.of('/other').emit('news', 1);
      return other.length > 0;
    }, 'what is allowed now');
  });
});
