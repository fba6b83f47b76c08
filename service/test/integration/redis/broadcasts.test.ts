/** What an app module can do with `io` reaches the sockets of every server, in both modes. */
import type { Server, Socket as ServerSocket } from 'socket.io';
import type { Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../../src/contracts.ts';
import { collect, connect, next } from '../../support/connect.ts';
import { eventually } from '../../support/eventually.ts';
import { expectNoFaults } from '../../support/expect-no-faults.ts';
import type { StartedRedis } from '../../support/redis/run-redis.ts';
import { startProxy } from '../../support/redis/start-proxy.ts';
import { startRedis } from '../../support/redis/start-redis.ts';
import { MODES, type Node, newPrefix, seesRedis, startNode, startPair } from './installation.ts';

let redis: StartedRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

/** Clients say which rooms they want at the start, and what they are called. */
const app: App = (io) => {
  const welcome = async (socket: ServerSocket) => {
    const { rooms, name } = socket.handshake.auth as { rooms?: string[]; name?: string };
    socket.data.name = name;
    await socket.join(rooms ?? []);
    socket.emit('welcome');
  };
  io.on('connection', welcome);
  io.of('/other').on('connection', welcome);
  io.of('/odd[1]*').on('connection', welcome);
};

function enter(node: Node, auth: { rooms?: string[]; name?: string } = {}): Promise<Socket> {
  return connect(node.url, { auth, transports: ['websocket'] });
}

/** Resolves when all rooms that clients asked for are there. */
async function settled(nodes: readonly Node[], room: string, members: number): Promise<void> {
  await eventually(() => {
    const sizes = nodes.map((node) => node.io.of('/').adapter.rooms.get(room)?.size ?? 0);
    return sizes.reduce((a, b) => a + b) === members;
  }, `${members} members of ${room}`);
  // Subscriptions of what was joined last are confirmed behind an earlier round trip.
  for (const node of nodes) await node.io.of('/').adapter.addAll('nobody', new Set());
  for (const node of nodes) node.io.of('/').adapter.delAll('nobody');
}

const eventsOf = (socket: Socket) => collect(socket, 'news');

describe.each(MODES)('two servers in %s mode', (mode) => {
  async function town() {
    expectNoFaults();
    const [a, b] = await startPair({ url: redis.url, mode, app });
    const [red, blue, both, none] = await Promise.all([
      enter(a, { rooms: ['red'], name: 'red' }),
      enter(b, { rooms: ['blue'], name: 'blue' }),
      enter(b, { rooms: ['red', 'blue'], name: 'both' }),
      enter(b, { name: 'none' }),
    ]);
    await settled([a, b], 'red', 2);
    await settled([a, b], 'blue', 2);
    return { a, b, red, blue, both, none, heard: [red, blue, both, none].map(eventsOf) };
  }
  /** Waits for one more broadcast to all, behind which nothing of before can be. */
  async function counts(io: Server, heard: unknown[][][]): Promise<number[]> {
    io.emit('news', 'end');
    await eventually(() => heard.every((events) => events.at(-1)?.[0] === 'end'), 'the end');
    return heard.map((events) => events.length - 1);
  }

  it('carry broadcasts to rooms, to several rooms once, and to all', async () => {
    const { a, b, heard } = await town();
    a.io.to('red').emit('news', 1);
    a.io.to('blue').emit('news', 2);
    a.io.to(['red', 'blue']).emit('news', 3);
    b.io.emit('news', 4);
    // Two publishers may overtake each other; one may not.
    await eventually(() => heard.every((events) => events.some(([n]) => n === 4)), 'the broadcast to all');
    a.io.emit('news', 5);
    expect(await counts(a.io, heard)).toEqual([4, 4, 5, 2]);
    expect(heard[2]?.map(([n]) => n).filter((n) => n !== 4)).toEqual([1, 2, 3, 5, 'end']);
  });

  it('have a room of the other server as soon as the join resolves', async () => {
    expectNoFaults();
    const far = await startProxy(redis.port);
    const prefix = newPrefix();
    const [a, b] = [
      await startNode({ url: redis.url, prefix, mode, app }),
      await startNode({ url: far.url, prefix, mode, app }),
    ];
    await Promise.all([seesRedis(a), seesRedis(b)]);
    const there = await enter(b);
    const heard = eventsOf(there);
    far.delay(20);
    for (let i = 0; i < 20; i++) {
      await b.io
        .of('/')
        .sockets.get(there.id ?? '')
        ?.join(`room-${i}`);
      a.io.to(`room-${i}`).emit('news', i);
    }
    a.io.emit('news', 'end');
    await eventually(() => heard.at(-1)?.[0] === 'end', 'the end');
    expect(heard.map(([n]) => n)).toEqual([...Array(20).keys(), 'end']);
  });

  it('honour except, for rooms and for single sockets of the other server', async () => {
    const { a, both, heard } = await town();
    a.io.to('red').except('blue').emit('news', 1);
    a.io.except('red').emit('news', 2);
    a.io.except(both.id ?? '').emit('news', 3);
    expect(await counts(a.io, heard)).toEqual([2, 2, 0, 2]);
  });

  it('carry a message to one socket by its id, and a broadcast of a socket to all but it', async () => {
    const { a, red, none, heard } = await town();
    a.io.to(none.id ?? '').emit('news', 'you');
    a.io
      .of('/')
      .sockets.get(red.id ?? '')
      ?.broadcast.emit('news', 'others');
    expect(await counts(a.io, heard)).toEqual([0, 1, 1, 2]);
    expect(heard[3]?.map(([word]) => word)).toEqual(['you', 'others', 'end']);
  });

  it('carry volatile broadcasts, and keep local ones', async () => {
    const { a, heard } = await town();
    a.io.volatile.emit('news', 'now or never');
    a.io.local.emit('news', 'here');
    expect(await counts(a.io, heard)).toEqual([2, 1, 1, 1]);
  });

  it('carry bytes, in rooms and nested in other data', async () => {
    const { a, heard } = await town();
    const bytes = Buffer.from([0, 1, 2, 255]);
    a.io.to('blue').emit('news', { picture: { bytes }, list: [bytes, 1.5, null, 'ü'] });
    await counts(a.io, heard);
    for (const events of [heard[1], heard[2]]) {
      expect(events?.[0]).toEqual([{ picture: { bytes }, list: [bytes, 1.5, null, 'ü'] }]);
    }
  });

  it('keep namespaces apart, also those with characters of patterns in their names', async () => {
    const { a, none, heard } = await town();
    for (const nsp of ['/other', '/odd[1]*']) {
      const there = none.io.socket(nsp);
      await next(there, 'connect');
      const events = eventsOf(there);
      a.io.of(nsp).emit('news', nsp);
      await eventually(() => events.length === 1, `a broadcast in ${nsp}`);
    }
    expect(await counts(a.io, heard)).toEqual([0, 0, 0, 0]);
  });

  it('collect acks of clients of both, and name those that did not answer in time', async () => {
    const { a, red, blue, both } = await town();
    for (const socket of [red, blue, both]) {
      socket.on('how', (_: unknown, ack: (answer: string) => void) => ack(`${socket.id}`));
    }
    const all = (await a.io.to(['red', 'blue']).timeout(3_000).emitWithAck('how', 1)) as string[];
    expect(all.sort()).toEqual([red.id, blue.id, both.id].sort());
    blue.off('how');
    const late = await a.io
      .to(['red', 'blue'])
      .timeout(500)
      .emitWithAck('how', 2)
      .catch((error: Error & { responses: string[] }) => error);
    expect((late as { responses: string[] }).responses.sort()).toEqual([red.id, both.id].sort());
  });

  it('find the sockets of both, with their data and rooms', async () => {
    const { a } = await town();
    const all = await a.io.fetchSockets();
    expect(all.map(({ data }) => (data as { name: string }).name).sort()).toEqual(['blue', 'both', 'none', 'red']);
    const some = await a.io.in('blue').fetchSockets();
    expect(some.map(({ rooms }) => [...rooms].filter((room) => room.length < 10).sort())).toEqual(
      expect.arrayContaining([['blue'], ['blue', 'red']]),
    );
    expect((await a.io.local.fetchSockets()).length).toBe(1);
  });

  it('make sockets of both join and leave rooms', async () => {
    const { a, b, heard } = await town();
    a.io.in('blue').socketsJoin(['green', 'gold']);
    await settled([a, b], 'gold', 2);
    a.io.to('green').emit('news', 'green');
    b.io.to('gold').emit('news', 'gold');
    await eventually(() => heard[1]?.length === 2 && heard[2]?.length === 2, 'green and gold');
    b.io.in('red').socketsLeave('gold');
    await settled([a, b], 'gold', 1);
    a.io.in('none').socketsJoin('nobody');
    expect(await counts(a.io, heard)).toEqual([0, 2, 2, 0]);
  });

  it('disconnect sockets of both, in a namespace or for good', async () => {
    const { a, red, blue, both, none } = await town();
    const reasons = [red, blue, both].map((socket) => next(socket, 'disconnect'));
    a.io.in('red').disconnectSockets();
    a.io.in('blue').disconnectSockets(true);
    expect((await Promise.all(reasons)).map(([reason]) => reason)).toEqual([
      'io server disconnect',
      'io server disconnect',
      'io server disconnect',
    ]);
    expect(none.connected).toBe(true);
  });

  it('tell each other events of servers, and answer them', async () => {
    const { a, b } = await town();
    const heard: unknown[] = [];
    a.io.on('task', (n: number) => void heard.push(['a', n]));
    b.io.on('task', (n: number, ack?: (answer: string) => void) => {
      heard.push(['b', n]);
      ack?.('done');
    });
    a.io.serverSideEmit('task', 1);
    expect(await a.io.serverSideEmitWithAck('task', 2)).toEqual(['done']);
    expect(heard).toEqual([
      ['b', 1],
      ['b', 2],
    ]);
  });

  it('survive what cannot be encoded: the caller is told, nobody else notices', async () => {
    const { a, b, heard } = await town();
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect(() => a.io.emit('news', circle)).toThrow();
    a.io.of('/').sockets.forEach((socket) => {
      socket.data.circle = circle;
    });
    // The other server asks, and the answer cannot be sent.
    void b.io.fetchSockets().catch(() => undefined);
    await eventually(() => a.lines.some(({ level }) => level === 'error'), 'a line about it');
    if (mode === 'sharded') a.io.serverSideEmit('task', circle);
    else expect(() => a.io.serverSideEmit('task', circle)).toThrow();
    expect(await counts(a.io, heard)).toEqual([0, 0, 0, 0]);
  });

  it('survive handlers of server events that fail', async () => {
    const { a, b, heard } = await town();
    b.io.on('task', () => {
      throw new Error('sync');
    });
    b.io.on('chore', async () => {
      throw new Error('async');
    });
    a.io.serverSideEmit('task', 1);
    a.io.serverSideEmit('chore', 1);
    expect(await counts(a.io, heard)).toEqual([0, 0, 0, 0]);
    expect(await b.metric('socketfleet_redis_foreign_total')).toBe(0);
  });
});
