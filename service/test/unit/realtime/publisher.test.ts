import type { Server } from 'socket.io';
import { describe, expect, it } from 'vitest';
import type { Meta } from '../../../src/contracts.ts';
import { createIdempotency } from '../../../src/realtime/idempotency.ts';
import { createPublisher } from '../../../src/realtime/publisher.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

interface Sent {
  readonly to: string;
  readonly except: readonly string[];
  readonly volatile: boolean;
  readonly event: string;
  readonly data: unknown;
  readonly meta: Meta;
}

function rig() {
  const clock = createFakeClock();
  const sent: Sent[] = [];
  const target = (to: string, except: readonly string[], volatile: boolean) => ({
    except: (more: readonly string[]) => target(to, [...except, ...more], volatile),
    get volatile() {
      return target(to, except, true);
    },
    emit: (event: string, data: unknown, meta: Meta) => void sent.push({ to, except, volatile, event, data, meta }),
  });
  const io = { to: (room: string) => target(room, [], false) } as unknown as Server;
  const claims = new Map<string, string>();
  const reach = { isWhole: true };
  const counted: string[] = [];
  const publisher = createPublisher(io, {
    idempotency: createIdempotency(1000, clock),
    clock,
    metrics: { published: (source, outcome) => void counted.push(`${source} ${outcome}`) },
    async claim(key, id) {
      const earlier = claims.get(key);
      if (earlier === undefined) claims.set(key, id);
      return earlier;
    },
    reachesOthers: () => reach.isWhole,
    async unclaim(key, id) {
      if (claims.get(key) === id) claims.delete(key);
    },
  });
  return { claims, counted, reach, clock, publish: publisher.publish, sent };
}

describe('a publish', () => {
  it('reaches the room under its prefix, as a message unless told otherwise', async () => {
    const { clock, publish, sent } = rig();
    const { id, duplicate } = await publish({ rooms: ['lobby'], data: { a: 1 } });
    const meta = { room: 'lobby', id, ts: clock.wall() };
    expect(sent).toEqual([{ to: 'r:lobby', except: [], volatile: false, event: 'message', data: { a: 1 }, meta }]);
    expect(duplicate).toBe(false);
  });

  it('carries event, sender and volatility', async () => {
    const { publish, sent } = rig();
    await publish({ rooms: ['lobby'], event: 'chat', data: null, from: 'ann', volatile: true });
    expect(sent).toMatchObject([{ event: 'chat', data: null, volatile: true, meta: { from: 'ann' } }]);
  });

  it('to several rooms reaches each member once, with one id', async () => {
    const { publish, sent } = rig();
    const { id } = await publish({ rooms: ['a', 'b', 'a', 'c'], data: 1, except: ['s1'] });
    expect(sent.map(({ to, except }) => [to, except])).toEqual([
      ['r:a', ['s1']],
      ['r:b', ['s1', 'r:a']],
      ['r:c', ['s1', 'r:a', 'r:b']],
    ]);
    expect(sent.map(({ meta }) => [meta.room, meta.id])).toEqual(['a', 'b', 'c'].map((room) => [room, id]));
  });

  it('with a key is sent once; without one, each time', async () => {
    const { publish, sent } = rig();
    const first = await publish({ rooms: ['a'], data: 1, id: 'key' });
    expect(await publish({ rooms: ['a'], data: 1, id: 'key' })).toEqual({ id: first.id, duplicate: true });
    expect(sent).toHaveLength(1);
    await publish({ rooms: ['a'], data: 1 });
    await publish({ rooms: ['a'], data: 1 });
    expect(new Set(sent.map(({ meta }) => meta.id)).size).toBe(3);
  });

  it('that another server has made under this key is not made again', async () => {
    const { claims, publish, sent } = rig();
    claims.set('user:ann\nkey', 'id-there');
    const request = { rooms: ['a'], data: 1, id: 'key', scope: 'user:ann' };
    expect(await publish(request)).toEqual({ id: 'id-there', duplicate: true });
    expect(sent).toEqual([]);
  });

  it('without a key asks nobody', async () => {
    const { claims, publish } = rig();
    await publish({ rooms: ['a'], data: 1 });
    expect(claims.size).toBe(0);
  });

  it('meets no key of another scope', async () => {
    const { publish, sent } = rig();
    await publish({ rooms: ['a'], data: 1, id: 'key' });
    await publish({ rooms: ['a'], data: 1, id: 'key', scope: 'user:ann' });
    await publish({ rooms: ['a'], data: 1, id: 'key', scope: 'user:bob' });
    await publish({ rooms: ['a'], data: 1, id: 'key', scope: 'api' });
    expect(sent).toHaveLength(3);
  });

  it('that failed to be sent gives its key back, so that a retry is sent', async () => {
    const { claims, publish } = rig();
    const request = { rooms: ['lobby'], data: 1, id: 'k' };
    const failing = {
      ...request,
      get event(): string {
        throw new Error('cannot be encoded');
      },
    };
    await expect(publish(failing)).rejects.toThrow('cannot be encoded');
    expect(claims.size).toBe(0);
    expect(await publish(request)).toMatchObject({ duplicate: false });
  });

  it('says so when other servers could not be told', async () => {
    const { publish, reach } = rig();
    reach.isWhole = false;
    expect(await publish({ rooms: ['lobby'], data: 1 })).toMatchObject({ duplicate: false, partial: true });
    reach.isWhole = true;
    expect(await publish({ rooms: ['lobby'], data: 1 })).not.toHaveProperty('partial');
  });

  it('is not overtaken by the next one of the same publisher, with or without a key', async () => {
    const { publish, sent } = rig();
    const one = (data: number, id?: string) => publish({ rooms: ['lobby'], data, id, scope: 'user:ada' });
    await Promise.all([one(1, 'a'), one(2), one(3, 'c'), one(4)]);
    expect(sent.map(({ data }) => data)).toEqual([1, 2, 3, 4]);
  });

  it('of a client is counted by what became of it', async () => {
    const { publish, counted } = rig();
    await publish({ rooms: ['lobby'], data: 1, id: 'a', scope: 'user:ada' });
    await publish({ rooms: ['lobby'], data: 1, id: 'a', scope: 'user:ada' });
    await publish({ rooms: ['lobby'], data: 1 });
    expect(counted).toEqual(['socket sent', 'socket duplicate']);
  });
});
