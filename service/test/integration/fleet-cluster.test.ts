import { describe, expect, it, onTestFinished } from 'vitest';
import { createRedisPresence } from '../../src/presence/redis.ts';
import { eventually } from '../support/eventually.ts';
import { startRedisCluster } from '../support/redis/start-redis-cluster.ts';
import { newPrefix, startFleet } from '../support/start-fleet.ts';

describe('a fleet over a Redis Cluster', () => {
  it('keeps members whichever node they lie on, moves with slots, and gets over a node that forgets', async () => {
    const cluster = await startRedisCluster();
    const prefix = newPrefix();
    const start = async () => {
      const fleet = await startFleet({ url: cluster.url, prefix, ttlMs: 600 });
      const presence = createRedisPresence({ lingerMs: 50, debounceMs: 20 }, fleet);
      onTestFinished(() => presence.stop());
      return { ...fleet, presence };
    };
    const [a, b] = await Promise.all([start(), start()]);
    const rooms = Array.from({ length: 12 }, (_, i) => `room-${i}`);
    const counts = async (of = a) => Promise.all(rooms.map((room) => of.presence.count(room)));
    const all = (count: number) => rooms.map(() => count);
    await Promise.all(rooms.map((room) => a.presence.join(room, { id: 'ann', meta: room }, 's1')));
    await Promise.all(rooms.map((room) => b.presence.join(room, { id: 'bob' }, 's2')));
    const keyOf = (room: string) => `{${prefix}:reg:presence:${room}}`;
    const nodes = new Set(await Promise.all(rooms.map((room) => cluster.nodeOf(keyOf(room)))));
    expect(nodes.size).toBe(3);
    expect(await counts(b)).toEqual(all(2));
    expect(await b.presence.members('room-3', 10)).toContainEqual({ id: 'ann', meta: 'room-3' });

    const from = await cluster.nodeOf(keyOf('room-0'));
    const to = cluster.nodes.find((node) => node !== from) ?? from;
    await cluster.moveSlot(keyOf('room-0'), to);
    await a.presence.join('room-0', { id: 'cid' }, 's3');
    expect(await b.presence.count('room-0')).toBe(3);
    await a.presence.leave('room-0', 'cid', 's3', 'left');

    const lifeOf = async (tag: string) => {
      const lives = (await lease.cli('ZRANGE', `{${prefix}:fleet}:expiry`, 0, -1)) as string[];
      return lives.find((life) => life.startsWith(tag));
    };
    const lease = await cluster.nodeOf(`{${prefix}:fleet}:leases`);
    await cluster.nodes.find((node) => node !== lease)?.cli('FLUSHALL');
    await eventually(async () => expect(await counts()).toEqual(all(2)) ?? true, 'the members again', 15_000);

    const held = `{${prefix}:held:${await lifeOf(b.leases.own().tag)}}`;
    await eventually(
      async () => (await (await cluster.nodeOf(held)).cli('SCARD', held)) === 12,
      'the list of keys again',
    );
    await b.kill();
    await eventually(async () => expect(await counts()).toEqual(all(1)) ?? true, 'the end of b');
    await Promise.all(rooms.map((room) => a.presence.leave(room, 'ann', 's1', 'left')));
    expect(await counts()).toEqual(all(0));
  }, 60_000);
});
