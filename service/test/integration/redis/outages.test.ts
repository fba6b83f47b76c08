/**
 * Redis goes away in every way that it can, while one server publishes 500 messages per second. Members on that server
 * miss nothing and wait for nothing; members elsewhere hear again within 2 s after it is over, and nothing ends.
 */
import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { expectNoFaults } from '../../support/expect-no-faults.ts';
import type { StartedRedis } from '../../support/redis/run-redis.ts';
import { REDIS_ERRORS, startFakeRedis } from '../../support/redis/start-fake-redis.ts';
import { type StartRedisOptions, startRedis } from '../../support/redis/start-redis.ts';
import { knowEachOther, type Mode, seesRedis, startNode } from './installation.ts';
import { isOrderly, slowest, startTraffic, type Traffic } from './traffic.ts';

const BACK_MS = 2_000;
/** What a message to a client of the same server may take on a busy machine; a command to Redis times out after 2 s. */
const LOCAL_MS = 1_500;

const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Through the outage and back: what every case has in common. Resolves with how long the way back took. */
async function survive(traffic: Traffic, outage: () => Promise<unknown>): Promise<number> {
  await outage();
  const over = performance.now();
  const backMs = await traffic.backSince(over);
  // Both directions, and what is asked of Redis.
  await Promise.all([traffic.a, traffic.b].map((node) => seesRedis(node)));
  await traffic.stop();
  expect(slowest(traffic.here)).toBeLessThan(LOCAL_MS);
  expect(isOrderly(traffic.there)).toBe(true);
  for (const node of [traffic.a, traffic.b]) {
    expect(node.lines.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
    expect(node.lines.filter(({ event }) => event === 'Redis cannot be used').length).toBeLessThanOrEqual(2);
  }
  console.info(`back after ${Math.round(backMs)} ms; slowest local ${Math.round(slowest(traffic.here))} ms`);
  expect(backMs).toBeLessThan(BACK_MS);
  return backMs;
}

interface Case {
  readonly name: string;
  readonly mode: Mode;
  readonly redis?: StartRedisOptions;
  outage(redis: StartedRedis, traffic: Traffic): Promise<unknown>;
}

const CASES: readonly Case[] = [
  ...(['sharded', 'classic'] as const).flatMap((mode): Case[] => [
    {
      name: 'is killed, and comes back after 2 s',
      mode,
      async outage(redis) {
        await redis.down('SIGKILL');
        await pass(2_000);
        await redis.up();
      },
    },
    { name: 'is restarted', mode, outage: (redis) => redis.restart() },
    {
      name: 'is paused for longer than commands may take',
      mode,
      async outage(redis) {
        await redis.pause();
        await pass(2_700);
        await redis.resume();
      },
    },
    {
      name: 'drops the connections of subscribers only',
      mode,
      outage: (redis) => redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub'),
    },
  ]),
  {
    name: 'is paused for so long that connections are given up',
    mode: 'sharded',
    async outage(redis) {
      await redis.pause();
      await pass(7_000);
      await redis.resume();
    },
  },
  {
    name: 'drops the connections of publishers only',
    mode: 'sharded',
    outage: (redis) => redis.cli('CLIENT', 'KILL', 'TYPE', 'normal'),
  },
  {
    name: 'wants another password for a while',
    mode: 'sharded',
    redis: { password: 'old' },
    async outage(redis, { a }) {
      await redis.cli('CONFIG', 'SET', 'requirepass', 'new');
      const asNew = ['AUTH', 'new'] as const;
      await killAll(redis, asNew);
      await eventually(() => a.lines.some(({ fields }) => /WRONGPASS/.test(String(fields.error))), 'WRONGPASS');
      await withPassword(redis, asNew, ['CONFIG', 'SET', 'requirepass', 'old']);
    },
  },
  {
    name: 'is loading its data after a restart',
    mode: 'sharded',
    redis: { appendOnly: true },
    async outage(redis) {
      await redis.restartLoading(1_500);
      await eventually(async () => (await redis.cli('PING')) === 'PONG', 'the end of loading', 10_000);
    },
  },
  {
    name: 'is a replica for a while',
    mode: 'sharded',
    async outage(redis) {
      await redis.readOnly(true);
      await pass(1_500);
      await redis.readOnly(false);
    },
  },
];

describe('Redis, at 500 messages per second', () => {
  for (const { name, mode, redis: options, outage } of CASES) {
    it(`${name} (${mode})`, { timeout: 40_000 }, async () => {
      expectNoFaults();
      const redis = await startRedis(options);
      const traffic = await startTraffic({ url: redis.url, mode });
      await survive(traffic, () => outage(redis, traffic));
    });
  }

  it('answers what is published with errors', { timeout: 40_000 }, async () => {
    expectNoFaults();
    const redis = await startFakeRedis();
    const traffic = await startTraffic({ url: redis.url });
    const { a } = traffic;
    const { readOnly, loading, outOfMemory, busy, masterDown, noPermission } = REDIS_ERRORS;
    for (const error of [readOnly, loading, outOfMemory, busy, masterDown, noPermission]) {
      const lost = await a.metric('socketfleet_redis_lost_total');
      redis.answer('spublish', error);
      await eventually(async () => (await a.metric('socketfleet_redis_lost_total')) > lost + 100, error.message);
      await eventually(async () => (await a.metric('socketfleet_redis_up')) === 0, 'an outage');
      redis.answer('spublish', undefined);
      expect(await traffic.backSince(performance.now())).toBeLessThan(BACK_MS);
      await eventually(async () => (await a.metric('socketfleet_redis_up')) === 1, 'the end of it');
    }
    await survive(traffic, async () => undefined);
  });

  for (const mode of ['sharded', 'classic'] as const) {
    it(`is away, and what is asked of all servers is answered by this one (${mode})`, { timeout: 40_000 }, async () => {
      expectNoFaults();
      const redis = await startRedis();
      const traffic = await startTraffic({ url: redis.url, mode });
      const { io } = traffic.a;
      await knowEachOther([traffic.a, traffic.b]);
      await redis.down('SIGKILL');
      await eventually(async () => (await traffic.a.metric('socketfleet_redis_up')) === 0, 'an outage');
      const start = performance.now();
      await expect(io.to('r:x').timeout(1_000).emitWithAck('how')).rejects.toThrow('timed out');
      expect((await io.fetchSockets()).length).toBe(1);
      expect(await io.serverSideEmitWithAck('task')).toEqual([]);
      expect(await traffic.a.api('POST', '/api/v1/publish', { room: 'y', data: 1, id: 'key' })).toMatchObject({
        status: 200,
        body: { duplicate: false },
      });
      const room = await traffic.a.api('GET', '/api/v1/rooms/x');
      expect(room).toMatchObject({ status: 200, body: { sockets: 1, partial: true } });
      expect(performance.now() - start).toBeLessThan(5_000);
      await redis.up();
      await survive(traffic, async () => undefined);
    });
  }

  it('is paused, and what has to ask it waits once and not again', { timeout: 40_000 }, async () => {
    expectNoFaults();
    const redis = await startRedis();
    const node = await startNode({ url: redis.url });
    await seesRedis(node);
    await redis.pause();
    // Whether the key is known elsewhere only Redis can tell.
    const publishOnce = async (id: string) => {
      const start = performance.now();
      expect((await node.api('POST', '/api/v1/publish', { room: 'x', data: 1, id })).status).toBe(200);
      return performance.now() - start;
    };
    expect(await publishOnce('a')).toBeLessThan(3_500);
    expect(await publishOnce('b')).toBeLessThan(1_000);
    await redis.resume();
    await seesRedis(node);
  });

  it('takes nothing while much is published, and memory does not grow with it', { timeout: 40_000 }, async () => {
    expectNoFaults();
    const redis = await startRedis();
    const traffic = await startTraffic({ url: redis.url, size: 100_000 });
    await redis.pause();
    // 50 MB per second. What is on its way to Redis when it stops answering is all that may be held.
    const before = process.memoryUsage();
    let most = 0;
    for (let i = 0; i < 60; i++) {
      await pass(100);
      const now = process.memoryUsage();
      most = Math.max(most, now.heapUsed + now.external - before.heapUsed - before.external);
    }
    await redis.resume();
    const backMs = await traffic.backSince(performance.now());
    console.info(`at most ${Math.round(most / 1e6)} MB more; back after ${Math.round(backMs)} ms`);
    expect(most).toBeLessThan(250e6);
    expect(backMs).toBeLessThan(BACK_MS);
    await traffic.stop();
  });
});

/** On a Redis whose password the fixture does not know any more. */
async function withPassword(redis: StartedRedis, auth: readonly string[], command: readonly string[]): Promise<void> {
  const { Redis } = await import('ioredis');
  const client = new Redis({ port: redis.port, host: '127.0.0.1', password: auth[1] ?? '', retryStrategy: () => null });
  await client.call(...(command as [string, ...string[]]));
  client.disconnect();
}

async function killAll(redis: StartedRedis, auth: readonly string[]): Promise<void> {
  await withPassword(redis, auth, ['CLIENT', 'KILL', 'TYPE', 'pubsub']);
  await withPassword(redis, auth, ['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
}
