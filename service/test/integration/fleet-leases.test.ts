import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { StartedRedis } from '../support/redis/run-redis.ts';
import { startRedis } from '../support/redis/start-redis.ts';
import { newPrefix, startFleet } from '../support/start-fleet.ts';

const TTL_MS = 600;
let redis: StartedRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

/** Fleets of one installation. */
function installation(of = redis, ttlMs = TTL_MS) {
  const prefix = newPrefix();
  return {
    prefix,
    key: (name: string) => `{${prefix}:fleet}:${name}`,
    start: (pod: string, more: { random?: () => number; lingerMs?: number; ttlMs?: number } = {}) =>
      startFleet({ url: of.url, prefix, pod, ttlMs, ...more }),
  };
}

const podsOf = (fleet: Awaited<ReturnType<typeof startFleet>>) =>
  fleet.leases
    .table()
    .map(({ pod }) => pod)
    .sort();

describe('leases', () => {
  it('name every living server, with what it tells about itself', async () => {
    const { start } = installation();
    const a = await start('a');
    const b = await start('b');
    await eventually(() => podsOf(a).join() === 'a,b', 'both in the table of a');
    expect(podsOf(b)).toEqual(['a', 'b']);
    expect(a.leases.table().find(({ pod }) => pod === 'b')).toEqual({
      tag: b.leases.own().tag,
      generation: b.leases.own().generation,
      pod: 'b',
      address: 'b:9464',
      connections: 1,
      maxConnections: 100,
      mode: 'sharded',
    });
    expect(await a.checks[0]?.check()).toEqual({ tag: a.leases.own().tag, servers: 2 });
  });

  it('never share a tag, even when fifty servers want the same one at once', async () => {
    const { start } = installation(redis, 15_000);
    const fleets = await Promise.all(Array.from({ length: 50 }, (_, i) => start(`pod-${i}`, { random: () => 0.999 })));
    const tags = fleets.map(({ leases }) => leases.own().tag);
    expect(new Set(tags).size).toBe(50);
    for (const tag of tags) expect(tag).toMatch(/^[\w-]{2}$/);
    const seen = fleets.at(0);
    await seen?.leases.renew();
    expect(
      seen?.leases
        .table()
        .map(({ tag }) => tag)
        .sort(),
    ).toEqual(tags.sort());
  });

  it('of a server that is killed end within their time', async () => {
    const { start } = installation();
    const a = await start('a');
    const b = await start('b');
    await eventually(() => podsOf(a).length === 2);
    const killedAt = Date.now();
    await b.kill();
    await eventually(() => podsOf(a).join() === 'a', 'the end of b');
    expect(Date.now() - killedAt).toBeLessThan(TTL_MS + 200);
  });

  it('of a server that stops are given back, and the others hear of it', async () => {
    const { start } = installation(redis, 6_000);
    const a = await start('a');
    const b = await start('b');
    await eventually(() => podsOf(a).length === 2);
    await b.stop();
    await eventually(() => podsOf(a).join() === 'a', 'the end of b', 1_900);
    await b.stop();
  });

  it('free their tag for the next server', async () => {
    const { start } = installation();
    const a = await start('a', { random: () => 0 });
    expect(a.leases.own().tag).toBe('AA');
    await a.stop();
    const b = await start('b');
    await eventually(() => podsOf(b).join() === 'b');
    const c = await start('c', { random: () => 0 });
    expect(c.leases.own().tag).toBe('AA');
    expect(c.leases.own().generation).not.toBe(a.leases.own().generation);
  });

  it('are claimed anew at the next renewal when Redis has lost them, with the same tag', async () => {
    const own = await startRedis();
    const { start } = installation(own);
    const fleets = await Promise.all(['a', 'b', 'c'].map((pod) => start(pod)));
    await eventually(() => fleets.every((fleet) => podsOf(fleet).length === 3));
    const before = fleets.map(({ leases }) => leases.own());
    await own.cli('FLUSHALL');
    await eventually(
      async () => (await own.cli('ZCARD', `{${fleets[0]?.redis.prefix}:fleet}:expiry`)) === 3,
      'three leases',
      TTL_MS / 3 + 300,
    );
    await eventually(() => fleets.every((fleet) => podsOf(fleet).length === 3));
    expect(fleets.map(({ leases }) => leases.own())).toEqual(before);
  });

  it('give way when another server has the tag: it is told, and takes another', async () => {
    const { start, key } = installation();
    const a = await start('a', { random: () => 0.5 });
    const { tag } = a.leases.own();
    const told: string[] = [];
    a.leases.onTagLost((lease) => void told.push(lease.tag));
    // As after a failover to a Redis that had not heard of the first claim.
    const [life = ''] = (await redis.cli('ZRANGE', key('expiry'), 0, -1)) as string[];
    const other = `${tag}otherone0`;
    await a.redis.script(
      `redis.call('ZREM', KEYS[1], ARGV[1]) redis.call('HDEL', KEYS[2], ARGV[1])
       redis.call('ZADD', KEYS[1], '9999999999999', ARGV[2])
       redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])`,
      [key('expiry'), key('leases')],
      [life, other, JSON.stringify({ pod: 'other', address: '', connections: 0, maxConnections: 0 })],
    );
    await eventually(() => told.length > 0, 'the loss');
    expect(told).toEqual([a.leases.own().tag]);
    expect(a.leases.own().tag).not.toBe(tag);
    expect(a.leases.own().generation).not.toBe('otherone');
    expect(podsOf(a)).toEqual(['a', 'other']);
  });

  it('outlive an outage of Redis that is longer than they are: nobody is declared dead', async () => {
    const own = await startRedis({ appendOnly: true });
    // Longer than a server may take to see that Redis is back.
    const { start, key } = installation(own, 2_500);
    const fleets = await Promise.all(['a', 'b', 'c'].map((pod) => start(pod)));
    await eventually(() => fleets.every((fleet) => podsOf(fleet).length === 3));
    const lives = await own.cli('HKEYS', key('leases'));
    await own.down();
    await eventually(() => fleets.every((fleet) => !fleet.leases.isFresh()), 'the outage to be noticed');
    expect(fleets.map(podsOf)).toEqual(Array(3).fill(['a', 'b', 'c']));
    await expect(fleets[0]?.checks[0]?.check()).rejects.toThrow(/not renewed/);
    expect(fleets[0]?.leaseFailures()).toBeGreaterThan(0);
    await own.up();
    await eventually(() => fleets.every((fleet) => fleet.leases.isFresh()), 'the end of the outage');
    expect(((await own.cli('HKEYS', key('leases'))) as string[]).sort()).toEqual((lives as string[]).sort());
    expect(await own.cli('EXISTS', key('dead'))).toBe(0);
    const said = fleets[0]?.lines.map(({ event }) => event).filter((event) => event.startsWith('lease'));
    expect(said).toEqual(['lease claimed', 'lease cannot be renewed', 'lease renewed again']);
  });

  it('are claimed as soon as a Redis that was away at the start is there', async () => {
    const own = await startRedis();
    await own.down();
    const { start } = installation(own);
    const starting = start('a');
    await own.up();
    const a = await starting;
    await eventually(() => a.leases.isFresh(), 'the claim');
    expect(podsOf(a)).toEqual(['a']);
  });

  it('do not mind what others write into their keys', async () => {
    const { start, key } = installation();
    const a = await start('a');
    await redis.cli('HSET', key('leases'), 'garbage', '{', `${'x'.repeat(11)}`, 'null');
    await redis.cli('ZADD', key('expiry'), '+inf', 'zz', 1, '', '9999999999999', 'x'.repeat(11));
    await redis.cli('ZADD', key('dead'), 0, 'nobody', '-inf', '');
    await redis.cli('HSET', key('state'), 'at', 'never');
    await a.leases.renew();
    await a.leases.renew();
    expect(podsOf(a)).toEqual(['a']);
    await eventually(async () => (await redis.cli('ZCARD', key('dead'))) === 0, 'the dead to be forgotten');
    for (const name of ['leases', 'expiry', 'dead', 'state']) await redis.cli('SET', key(name), 'a string');
    await a.leases.renew();
    expect(podsOf(a)).toEqual(['a']);
    expect(a.leaseFailures()).toBe(0);
  });

  it('are read anew at most once per second when somebody asks for an unknown server', async () => {
    const { start } = installation(redis, 60_000);
    const a = await start('a');
    const b = await start('b');
    await eventually(() => podsOf(a).length === 2, 'news of b', 2_000);
    await a.leases.refresh();
    let calls = 0;
    a.leases.onRenewed(() => void calls++);
    await Promise.all(Array.from({ length: 100 }, () => a.leases.refresh()));
    expect(calls).toBeLessThanOrEqual(1);
    await b.stop();
  });
});
