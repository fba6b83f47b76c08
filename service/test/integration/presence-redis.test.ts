import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { PresenceChange, Registry } from '../../src/contracts.ts';
import { createRedisPresence } from '../../src/presence/redis.ts';
import { presenceSuite } from '../ports/presence.suite.ts';
import { eventually } from '../support/eventually.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import type { StartedRedis } from '../support/redis/run-redis.ts';
import { startRedis } from '../support/redis/start-redis.ts';
import { createRecordingLog } from '../support/silent-log.ts';
import { newPrefix, type StartedFleet, type StartFleetOptions, startFleet } from '../support/start-fleet.ts';

const TTL_MS = 600;
const STEP_MS = 50;
let redis: StartedRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

/** The registry, and a promise for when nothing that was asked of it is open. */
function tracked(registry: Registry): { registry: Registry; settled(): Promise<void> } {
  const open = new Set<Promise<unknown>>();
  const track = <T>(promise: Promise<T>): Promise<T> => {
    open.add(promise);
    const done = () => void open.delete(promise);
    promise.then(done, done);
    return promise;
  };
  return {
    registry: {
      ...registry,
      add: (key, member) => track(registry.add(key, member)),
      remove: (key, id) => track(registry.remove(key, id)),
      look: (key, ids) => track(registry.look(key, ids)),
    },
    async settled() {
      do {
        await Promise.all(open);
        await new Promise((resolve) => setImmediate(resolve));
      } while (open.size > 0);
    },
  };
}

presenceSuite('presence in Redis', async (times) => {
  const fleet = await startFleet({ url: redis.url, prefix: newPrefix() });
  const clock = createFakeClock();
  const { registry, settled } = tracked(fleet.registry);
  const presence = createRedisPresence(times, { clock, log: createRecordingLog(), registry });
  onTestFinished(() => presence.stop());
  return {
    presence,
    async pass(ms) {
      await settled();
      for (let left = ms; left > 0; left -= STEP_MS) {
        clock.advance(Math.min(left, STEP_MS));
        await settled();
      }
    },
  };
});

interface Server extends StartedFleet {
  readonly presence: ReturnType<typeof createRedisPresence>;
  readonly changes: PresenceChange[];
  /** What the changes of a room add up to. */
  told(room: string): { joined: string[]; left: string[] };
}

/** Servers of one installation, with presence. */
function installation(of = redis, more: Partial<StartFleetOptions> = {}) {
  const prefix = newPrefix();
  return {
    prefix,
    async start(pod: string, lingerMs = 100): Promise<Server> {
      const fleet = await startFleet({ url: of.url, prefix, pod, ttlMs: TTL_MS, lingerMs, ...more });
      const presence = createRedisPresence({ lingerMs, debounceMs: 20 }, fleet);
      onTestFinished(() => presence.stop());
      const changes: PresenceChange[] = [];
      presence.onChange((change) => void changes.push(change));
      return {
        ...fleet,
        presence,
        changes,
        told: (room) => ({
          joined: changes.filter((one) => one.room === room).flatMap(({ joined }) => joined.map(({ id }) => id)),
          left: changes.filter((one) => one.room === room).flatMap(({ left }) => left),
        }),
      };
    },
  };
}

const idsIn = async ({ presence }: Server, room: string) =>
  (await presence.members(room, 1000)).map(({ id }) => id).sort();

describe('presence over several servers', () => {
  it('shows the same members and count on each, with what they gave', async () => {
    const { start } = installation();
    const [a, b, c] = await Promise.all([start('a'), start('b'), start('c')]);
    await a.presence.join('lobby', { id: 'ann', meta: { at: 'a', list: [], none: null, big: 2 ** 53 } }, 's1');
    await b.presence.join('lobby', { id: 'bob' }, 's2');
    await b.presence.join('lobby', { id: 'ann' }, 's3');
    for (const server of [a, b, c]) {
      expect(await server.presence.count('lobby')).toBe(2);
      expect(await idsIn(server, 'lobby')).toEqual(['ann', 'bob']);
      expect(await server.presence.members('lobby', 1)).toHaveLength(1);
    }
    const members = await c.presence.members('lobby', 10);
    expect(members.find(({ id }) => id === 'ann')).toEqual({
      id: 'ann',
      meta: { at: 'a', list: [], none: null, big: 2 ** 53 },
    });
  });

  it('keeps a member until it has left the last server', async () => {
    const { start } = installation();
    const [a, b] = await Promise.all([start('a'), start('b')]);
    await a.presence.join('lobby', { id: 'ann' }, 's1');
    await b.presence.join('lobby', { id: 'ann' }, 's2');
    await a.presence.leave('lobby', 'ann', 's1', 'left');
    expect(await a.presence.count('lobby')).toBe(1);
    await b.presence.leave('lobby', 'ann', 's2', 'left');
    expect(await a.presence.count('lobby')).toBe(0);
    expect(await redis.cli('EXISTS', `{${a.redis.prefix}:reg:presence:lobby}`)).toBe(0);
  });

  it('tells changes to every server that watches, and to no other', async () => {
    const { start } = installation();
    const [a, b, c] = await Promise.all([start('a'), start('b'), start('c')]);
    a.presence.watch('lobby');
    b.presence.watch('lobby');
    await eventually(async () => (await subscribers(`${a.redis.prefix}:bus:presence:lobby`)) === 2);
    await a.presence.join('lobby', { id: 'ann', meta: { n: 1 } }, 's1');
    await eventually(() => a.changes.length === 1 && b.changes.length === 1, 'the change on both');
    const change = { room: 'lobby', joined: [{ id: 'ann', meta: { n: 1 } }], left: [], count: 1 };
    expect([a.changes, b.changes, c.changes]).toEqual([[change], [change], []]);
    await a.presence.leave('lobby', 'ann', 's1', 'left');
    await eventually(() => a.changes.length === 2 && b.changes.length === 2, 'the second change on both');
    expect(b.changes[1]).toEqual({ room: 'lobby', joined: [], left: ['ann'], count: 0 });
  });

  it('does not show a reconnect to another server', async () => {
    const { start } = installation();
    const [a, b, c] = await Promise.all([start('a'), start('b'), start('c')]);
    c.presence.watch('lobby');
    await eventually(async () => (await subscribers(`${a.redis.prefix}:bus:presence:lobby`)) === 1);
    await a.presence.join('lobby', { id: 'ann' }, 's1');
    await eventually(() => c.changes.length === 1, 'the join');
    await a.presence.leave('lobby', 'ann', 's1', 'lost');
    await b.presence.join('lobby', { id: 'ann' }, 's2');
    // The linger on the first server is over when a second member that left after it is gone.
    await a.presence.join('lobby', { id: 'bob' }, 's3');
    await a.presence.leave('lobby', 'bob', 's3', 'lost');
    await eventually(() => c.told('lobby').left.length > 0, 'the end of the linger');
    expect(c.told('lobby')).toEqual({ joined: ['ann', 'bob'], left: ['bob'] });
    expect(await c.presence.count('lobby')).toBe(1);
  });

  it('lets members of a killed server disappear within its lease, and tells watchers', async () => {
    const { start } = installation();
    const [a, b] = await Promise.all([start('a'), start('b')]);
    a.presence.watch('room-0');
    for (let i = 0; i < 300; i++) await b.presence.join(`room-${i % 60}`, { id: `user-${i}` }, `s${i}`);
    await a.presence.join('room-0', { id: 'user-0' }, 'elsewhere');
    await a.presence.join('room-0', { id: 'ann' }, 'here');
    expect(await a.presence.count('room-0')).toBe(6);
    const killedAt = Date.now();
    await b.kill();
    await eventually(async () => (await a.presence.count('room-0')) === 2, 'the members to go');
    expect(Date.now() - killedAt).toBeLessThan(TTL_MS + 300);
    await eventually(() => a.told('room-0').left.length === 4, 'the news');
    expect(a.told('room-0').left.sort()).toEqual(['user-120', 'user-180', 'user-240', 'user-60']);
    for (let i = 1; i < 60; i++) await eventually(async () => (await a.presence.count(`room-${i}`)) === 0);
    await eventually(async () => ((await redis.cli('KEYS', `*${a.redis.prefix}:held:*`)) as string[]).length === 1);
    expect(await redis.cli('EXISTS', `{${a.redis.prefix}:fleet}:dead`)).toBe(0);
  });

  it('counts members of a server that stops for the linger time, in case they come back elsewhere', async () => {
    const { start } = installation();
    const [a, b] = await Promise.all([start('a', 400), start('b', 400)]);
    a.presence.watch('lobby');
    await b.presence.join('lobby', { id: 'ann' }, 's1');
    await b.presence.join('lobby', { id: 'bob' }, 's2');
    await eventually(() => a.told('lobby').joined.length === 2, 'both');
    await b.presence.leave('lobby', 'ann', 's1', 'lost');
    await b.presence.leave('lobby', 'bob', 's2', 'lost');
    const stoppedAt = Date.now();
    await b.presence.stop();
    await b.stop();
    expect(await a.presence.count('lobby')).toBe(2);
    await a.presence.join('lobby', { id: 'ann' }, 's3');
    await eventually(() => a.told('lobby').left.length > 0, 'the end of bob');
    expect(Date.now() - stoppedAt).toBeGreaterThan(300);
    expect(a.told('lobby')).toEqual({ joined: ['ann', 'bob'], left: ['bob'] });
    expect(await idsIn(a, 'lobby')).toEqual(['ann']);
  });

  it('is back within one renewal when Redis has lost everything, and tells nobody anything', async () => {
    const own = await startRedis();
    const { start } = installation(own);
    const [a, b] = await Promise.all([start('a'), start('b')]);
    a.presence.watch('lobby');
    for (let i = 0; i < 50; i++) await a.presence.join('lobby', { id: `a-${i}`, meta: i }, `s${i}`);
    for (let i = 0; i < 50; i++) await b.presence.join('lobby', { id: `b-${i}` }, `s${i}`);
    await eventually(() => a.told('lobby').joined.length === 100, 'all of them');
    await own.cli('FLUSHALL');
    await eventually(async () => (await a.presence.count('lobby')) === 100, 'all of them again', TTL_MS / 3 + 300);
    expect((await b.presence.members('lobby', 1000)).find(({ id }) => id === 'a-7')).toEqual({ id: 'a-7', meta: 7 });
    // Whoever leaves now was counted rightly: nothing of the lost time is left behind.
    for (let i = 0; i < 50; i++) await a.presence.leave('lobby', `a-${i}`, `s${i}`, 'left');
    await b.kill();
    await eventually(async () => (await a.presence.count('lobby')) === 0, 'an empty room');
    await eventually(() => a.told('lobby').left.length === 100, 'the news');
    expect(a.told('lobby').joined).toHaveLength(100);
    await eventually(async () => ((await own.cli('KEYS', '*reg*')) as string[]).length === 0, 'nothing left');
  });

  it('answers what it knows by itself without Redis, tells its own watchers, and catches up', async () => {
    const own = await startRedis({ appendOnly: true });
    // Longer than a server may take to see that Redis is back.
    const { start } = installation(own, { ttlMs: 3_000 });
    const [a, b] = await Promise.all([start('a'), start('b')]);
    for (const { presence } of [a, b]) presence.watch('lobby');
    await eventually(async () => (await subscribers(`${a.redis.prefix}:bus:presence:lobby`, own)) === 2);
    await a.presence.join('lobby', { id: 'ann' }, 's1');
    await b.presence.join('lobby', { id: 'bob' }, 's2');
    await b.presence.join('lobby', { id: 'eve' }, 's3');
    await eventually(() => b.told('lobby').joined.length === 3 && a.told('lobby').joined.length === 3);
    await own.down();
    expect(await idsIn(a, 'lobby')).toEqual(['ann']);
    await a.presence.join('lobby', { id: 'cid', meta: { late: true } }, 's4');
    await b.presence.leave('lobby', 'eve', 's3', 'left');
    await a.presence.join('lobby', { id: 'dot' }, 's5');
    await a.presence.leave('lobby', 'dot', 's5', 'left');
    expect(await a.presence.count('lobby')).toBe(2);
    await eventually(() => a.told('lobby').joined.includes('cid'), 'news to its own watchers');
    await eventually(() => b.told('lobby').left.includes('eve'), 'news to its own watchers');
    expect(b.told('lobby').joined).not.toContain('cid');
    await own.up();
    await eventually(async () => (await idsIn(a, 'lobby')).join() === 'ann,bob,cid', 'the truth');
    await eventually(
      () => b.told('lobby').joined.includes('cid') && a.told('lobby').left.includes('eve'),
      'news to all',
    );
    expect((await b.presence.members('lobby', 10)).find(({ id }) => id === 'cid')).toEqual({
      id: 'cid',
      meta: { late: true },
    });
    expect(a.told('lobby').joined.filter((id) => id === 'cid')).toHaveLength(1);
    expect([...a.told('lobby').left, ...b.told('lobby').left]).not.toContain('bob');
  });

  it('corrects what Redis counts wrongly after it came back with older data', async () => {
    const own = await startRedis({ appendOnly: true });
    const { start } = installation(own, { ttlMs: 3_000 });
    const a = await start('a');
    await a.presence.join('lobby', { id: 'ann' }, 's1');
    await a.presence.join('lobby', { id: 'bob' }, 's2');
    await a.presence.join('gone', { id: 'ann' }, 's1');
    const life = ((await own.cli('ZRANGE', `{${a.redis.prefix}:fleet}:expiry`, 0, -1)) as string[])[0] ?? '';
    await a.presence.leave('lobby', 'bob', 's2', 'left');
    await a.presence.leave('gone', 'ann', 's1', 'left');
    // As in a replica that had not heard of the last writes when it became the master.
    const reg = (room: string) => `{${a.redis.prefix}:reg:presence:${room}}`;
    await own.cli('HSET', reg('lobby'), 'bob', `${life}\n`);
    await own.cli('HDEL', reg('lobby'), 'ann');
    await own.cli('HSET', reg('gone'), 'ann', `${life}\n`);
    await own.cli('SADD', `{${a.redis.prefix}:held:${life}}`, 'presence:gone');
    await own.restart();
    await eventually(async () => (await idsIn(a, 'lobby')).join() === 'ann', 'the truth about who is there');
    await eventually(async () => (await a.presence.count('gone')) === 0, 'the truth about who is not');
    await eventually(async () => (await own.cli('SCARD', `{${a.redis.prefix}:held:${life}}`)) === 1);
  });

  it('comes back as news when the others had counted a server as dead that was only slow', async () => {
    // Long enough that no renewal comes between.
    const { start } = installation(redis, { ttlMs: 3_000 });
    const [a, b] = await Promise.all([start('a'), start('b')]);
    a.presence.watch('lobby');
    await b.presence.join('lobby', { id: 'bob', meta: 1 }, 's1');
    await eventually(() => a.told('lobby').joined.length === 1, 'the join');
    const life = ((await redis.cli('ZRANGE', `{${a.redis.prefix}:fleet}:expiry`, 0, -1)) as string[]).find((one) =>
      one.startsWith(b.leases.own().tag),
    );
    await redis.cli('ZADD', `{${a.redis.prefix}:fleet}:expiry`, 1, life ?? '');
    await a.leases.renew();
    await eventually(() => a.told('lobby').left.length === 1, 'the false end');
    await eventually(() => a.told('lobby').joined.length === 2, 'the correction');
    expect(await a.presence.members('lobby', 10)).toEqual([{ id: 'bob', meta: 1 }]);
    await b.presence.leave('lobby', 'bob', 's1', 'left');
    expect(await a.presence.count('lobby')).toBe(0);
  });

  it('does not mind what others write into its keys and topics', async () => {
    const { start, prefix } = installation();
    const a = await start('a');
    const key = `{${prefix}:reg:presence:lobby}`;
    await redis.cli('HSET', key, 'x', 'garbage', 'y', '\n\n', 'z', 'nolife\n{}', 'w', `${'l'.repeat(11)}\n{broken`);
    a.presence.watch('lobby');
    const topic = `${prefix}:bus:presence:lobby`;
    await eventually(async () => (await subscribers(topic)) === 1);
    const change = (joined: unknown, left: unknown) => JSON.stringify({ by: 'x', joined, left });
    for (const payload of [
      '',
      '{',
      'null',
      '[]',
      '{"by":1}',
      change([{}], []),
      change([{ id: 1 }], [2]),
      change([], []),
    ]) {
      await redis.cli('SPUBLISH', topic, payload);
    }
    await redis.cli('SPUBLISH', topic, Buffer.from([0xff, 0xfe, 0]));
    await redis.cli('SPUBLISH', topic, change([{ id: 'nobody-real' }], ['nobody-known']));
    await a.presence.join('lobby', { id: 'ann' }, 's1');
    await eventually(() => a.told('lobby').joined.includes('ann'), 'the join');
    expect(a.told('lobby').joined).toEqual(['ann']);
    expect(await idsIn(a, 'lobby')).toEqual(['ann', 'w']);
    await redis.cli('DEL', key);
    await redis.cli('SET', key, 'a string');
    expect(await a.presence.count('lobby')).toBe(1);
    await a.presence.join('lobby', { id: 'bob' }, 's2');
    expect(await idsIn(a, 'lobby')).toEqual(['bob']);
    expect(a.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('takes a crowd in a few calls', async () => {
    const { start } = installation();
    const [a, b] = await Promise.all([start('a'), start('b')]);
    b.presence.watch('lobby');
    await eventually(async () => (await subscribers(`${a.redis.prefix}:bus:presence:lobby`)) === 1);
    const before = await scriptCalls();
    await Promise.all(Array.from({ length: 5_000 }, (_, i) => a.presence.join('lobby', { id: `user-${i}` }, `s${i}`)));
    expect((await scriptCalls()) - before).toBeLessThan(60);
    expect(await b.presence.count('lobby')).toBe(5_000);
    await eventually(() => new Set(b.told('lobby').joined).size === 5_000, 'all of them');
    expect(Math.max(...b.changes.map(({ joined }) => joined.length))).toBeLessThanOrEqual(600);
    expect(await b.presence.members('lobby', 1_000)).toHaveLength(1_000);
  });
});

async function subscribers(channel: string, of = redis): Promise<number> {
  const [, count] = (await of.cli('PUBSUB', 'SHARDNUMSUB', channel)) as [string, number];
  return count;
}

async function scriptCalls(): Promise<number> {
  const info = String(await redis.cli('INFO', 'commandstats'));
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(info)?.[1] ?? 0);
}
