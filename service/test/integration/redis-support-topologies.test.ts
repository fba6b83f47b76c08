/** The fixtures that other tests trust: Sentinel and Cluster as real processes. */
import { existsSync } from 'node:fs';
import { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { StartedRedis } from '../support/redis/run-redis.ts';
import { type StartedRedisCluster, startRedisCluster } from '../support/redis/start-redis-cluster.ts';
import { type StartedSentinel, startSentinel } from '../support/redis/start-sentinel.ts';

/** Servers that still run or have left files. */
const leftOf = (all: readonly StartedRedis[]) => all.filter((redis) => redis.isRunning() || existsSync(redis.folder));

describe('startSentinel', () => {
  let sentinel: StartedSentinel;
  beforeAll(async () => {
    sentinel = await startSentinel({ password: 'data-secret', sentinelPassword: 'sentinel-secret' });
  });
  afterAll(async () => {
    await sentinel.stop();
    expect(leftOf([...sentinel.redises, ...sentinel.sentinels])).toEqual([]);
  });

  /** A stock client that asks the sentinels; it ends with its test. */
  function clientOf(): Redis {
    const client = new Redis({
      sentinels: sentinel.sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
      name: sentinel.name,
      password: 'data-secret',
      sentinelPassword: 'sentinel-secret',
      sentinelRetryStrategy: () => 100,
    });
    client.on('error', () => undefined);
    onTestFinished(() => client.disconnect());
    return client;
  }

  it('has a master with a replica in sync, which stock clients find', async () => {
    expect(await sentinel.master()).toBe(sentinel.redises[0]);
    await clientOf().set('key', 'value');
    await eventually(async () => (await sentinel.redises[1].cli('GET', 'key')) === 'value', 'the copy');
  });

  it('promotes the replica when asked to, and the old master follows it', async () => {
    const client = clientOf();
    await client.set('key', 'before');
    const next = await sentinel.failover('graceful');
    expect(next).toBe(sentinel.redises[1]);
    expect(await client.get('key')).toBe('before');
    await eventually(() => client.set('key', 'after'), 'a client at the new master');
    await eventually(async () => (await sentinel.redises[0].cli('GET', 'key')) === 'after', 'the copy');
  });

  it('promotes the replica when the master is killed, which comes back as a replica', async () => {
    const old = await sentinel.master();
    const next = await sentinel.failover('kill');
    expect(next).not.toBe(old);
    await next.cli('SET', 'key', 'while away');
    await old.up();
    await sentinel.inSync();
    await eventually(async () => (await old.cli('GET', 'key')) === 'while away', 'the copy');
  });

  it('promotes the replica when the master is paused, and demotes it when it goes on', async () => {
    const old = await sentinel.master();
    const next = await sentinel.failover('pause');
    expect(next).not.toBe(old);
    await old.resume();
    await sentinel.inSync();
    await expect(old.cli('SET', 'key', 'value')).rejects.toThrow('READONLY');
  });
});

describe('startRedisCluster', () => {
  let cluster: StartedRedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster({ password: 'secret' });
  });
  afterAll(async () => {
    await cluster.stop();
    expect(leftOf(cluster.nodes)).toEqual([]);
  });

  /** A stock client of the cluster; it ends with its test. */
  function clientOf(): Cluster {
    const nodes = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
    const client = new Cluster(nodes, { redisOptions: { password: 'secret' }, shardedSubscribers: true });
    client.on('error', () => undefined);
    onTestFinished(() => client.disconnect());
    return client;
  }

  it('answers on three masters, each with its own keys', async () => {
    const client = clientOf();
    const keys = Array.from({ length: 30 }, (_, index) => `key-${index}`);
    await Promise.all(keys.map((key) => client.set(key, key)));
    const sizes = await Promise.all(cluster.nodes.map(async (node) => Number(await node.cli('DBSIZE'))));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(keys.length);
    expect(Math.min(...sizes)).toBeGreaterThan(0);
    const owner = await cluster.nodeOf('key-1');
    expect(await owner.cli('GET', 'key-1')).toBe('key-1');
    const others = cluster.nodes.filter((node) => node !== owner);
    for (const node of others) await expect(node.cli('GET', 'key-1')).rejects.toThrow('MOVED');
  });

  it('moves a slot with its keys, and tells its subscribers', async () => {
    const client = clientOf();
    await client.set('{moving}:a', '1');
    const from = await cluster.nodeOf('{moving}');
    const to = cluster.nodes.find((node) => node !== from) ?? from;
    const subscriber = new Redis(from.url);
    onTestFinished(() => subscriber.disconnect());
    // ioredis takes a sunsubscribe that it did not ask for as an error.
    subscriber.on('error', () => undefined);
    await subscriber.ssubscribe('{moving}:channel');
    await cluster.moveSlot('{moving}', to);
    expect(await cluster.nodeOf('{moving}')).toBe(to);
    expect(await client.get('{moving}:a')).toBe('1');
    expect(await from.cli('PUBSUB', 'SHARDCHANNELS')).toEqual([]);
    await expect(from.cli('SPUBLISH', '{moving}:channel', 'x')).rejects.toThrow('MOVED');
  });

  it('is well again after a node was away', async () => {
    const [first, second] = cluster.nodes;
    await first?.down('SIGKILL');
    await eventually(
      async () => String(await second?.cli('CLUSTER', 'INFO')).includes('cluster_state:fail'),
      'a cluster that is not well',
      10_000,
    );
    await first?.up();
    await cluster.isWell();
    expect(await clientOf().set('key', 'value')).toBe('OK');
  });
});
