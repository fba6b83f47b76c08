/** Classic mode is the wire format of stock Socket.IO: other servers and emitters on the same Redis are understood, and understand us. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdapter } from '@socket.io/redis-adapter';
import { Emitter } from '@socket.io/redis-emitter';
import { Redis } from 'ioredis';
import { Server, type Socket as ServerSocket } from 'socket.io';
import type { Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { collect, connect, next } from '../../support/connect.ts';
import { eventually } from '../../support/eventually.ts';
import { expectNoFaults } from '../../support/expect-no-faults.ts';
import type { StartedRedis } from '../../support/redis/run-redis.ts';
import { startRedis } from '../../support/redis/start-redis.ts';
import { member, type Node, seesRedis, startNode } from './installation.ts';

const PREFIX = 'socket.io';

let redis: StartedRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

function stockClient(): Redis {
  const client = new Redis(redis.url);
  onTestFinished(() => client.disconnect());
  return client;
}

/** Everybody joins the rooms that its client asks for. */
const app = (io: Server) => {
  const welcome = (socket: ServerSocket) => socket.join((socket.handshake.auth as { rooms?: string[] }).rooms ?? []);
  io.on('connection', welcome);
  io.of('/other').on('connection', welcome);
};

/** Socket.IO as its documentation sets it up, with the stock adapter. */
async function startStock(): Promise<{ io: Server; url: string }> {
  const http = createServer();
  const [pub, sub] = [stockClient(), stockClient()];
  await Promise.all([pub.ping(), sub.ping()]);
  const io = new Server(http, { adapter: createAdapter(pub, sub) });
  app(io);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => void io.close(() => resolve())));
  return { io, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` };
}

function startOurs(): Promise<Node> {
  return startNode({ url: redis.url, mode: 'classic', prefix: PREFIX, app });
}

const enter = (url: string, ...rooms: string[]) => connect(url, { auth: { rooms }, transports: ['websocket'] });

describe('a stock server and one of ours', () => {
  async function both() {
    expectNoFaults();
    const [stock, ours] = await Promise.all([startStock(), startOurs()]);
    await seesRedis(ours);
    // The stock adapter subscribes without telling when it is done.
    await eventually(async () => (await stock.io.of('/').adapter.serverCount()) === 2, 'both servers');
    return { stock: stock.io, stockUrl: stock.url, ours: ours.io, oursUrl: ours.url, node: ours };
  }
  type Both = Awaited<ReturnType<typeof both>>;

  const DIRECTIONS: [string, (all: Both) => { from: Server; to: Server; fromUrl: string; toUrl: string }][] = [
    ['ours to stock', (all) => ({ from: all.ours, to: all.stock, fromUrl: all.oursUrl, toUrl: all.stockUrl })],
    ['stock to ours', (all) => ({ from: all.stock, to: all.ours, fromUrl: all.stockUrl, toUrl: all.oursUrl })],
  ];

  it.each(DIRECTIONS)('hear broadcasts, %s', async (_name, choose) => {
    const all = await both();
    const { from, fromUrl, toUrl } = choose(all);
    const here = await enter(fromUrl, 'red');
    const [red, blue] = [await enter(toUrl, 'red'), await enter(toUrl, 'red', 'blue')];
    const there = red.io.socket('/other');
    await next(there, 'connect');
    const heard = [here, red, blue, there].map((socket) => collect(socket, 'news'));
    const bytes = Buffer.from([0, 255]);
    // Dropped if anything else were on its way.
    from.volatile.emit('news', 0);
    await eventually(() => heard.slice(0, 3).every((events) => events.length === 1), 'the volatile one');
    from.to('red').emit('news', 1);
    from.to(['red', 'blue']).emit('news', 2);
    from.to('red').except('blue').emit('news', 3);
    from.to(blue.id ?? '').emit('news', 4);
    from.to('blue').emit('news', { bytes, list: [bytes, null, 'ü', 1.5] });
    from.of('/other').emit('news', 6);
    from.emit('news', 'end');
    await eventually(() => heard.slice(0, 3).every((events) => events.at(-1)?.[0] === 'end'), 'the end');
    await eventually(() => heard[3]?.length === 1, 'the other namespace');
    expect(heard.map((events) => events.map(([data]) => data))).toEqual([
      [0, 1, 2, 3, 'end'],
      [0, 1, 2, 3, 'end'],
      [0, 1, 2, 4, { bytes, list: [bytes, null, 'ü', 1.5] }, 'end'],
      [6],
    ]);
    expect(await all.node.metric('socketfleet_redis_foreign_total')).toBe(0);
  });

  it.each(DIRECTIONS)('collect acks, find sockets and talk to each other, %s', async (_name, choose) => {
    const all = await both();
    const { from, to, fromUrl, toUrl } = choose(all);
    const [here, there] = [await enter(fromUrl, 'red'), await enter(toUrl, 'red')];
    for (const socket of [here, there]) socket.on('how', (ack: (answer: unknown) => void) => ack(socket.id));
    expect(((await from.to('red').timeout(3_000).emitWithAck('how')) as string[]).sort()).toEqual(
      [here.id, there.id].sort(),
    );
    expect((await from.in('red').fetchSockets()).map(({ id }) => id).sort()).toEqual([here.id, there.id].sort());
    to.on('task', (n: number, ack: (answer: number) => void) => ack(n + 1));
    expect(await from.serverSideEmitWithAck('task', 1)).toEqual([2]);
    expect(await all.node.metric('socketfleet_redis_foreign_total')).toBe(0);
  });

  it.each(DIRECTIONS)('move and disconnect sockets, %s', async (_name, choose) => {
    const all = await both();
    const { from, to, fromUrl, toUrl } = choose(all);
    const [here, there] = [await enter(fromUrl, 'red'), await enter(toUrl, 'red')];
    const sizeOf = (io: Server, room: string) => io.of('/').adapter.rooms.get(room)?.size ?? 0;
    from.in('red').socketsJoin('blue');
    await eventually(() => sizeOf(from, 'blue') === 1 && sizeOf(to, 'blue') === 1, 'both in blue');
    from.in('red').socketsLeave('blue');
    await eventually(() => sizeOf(from, 'blue') === 0 && sizeOf(to, 'blue') === 0, 'nobody in blue');
    const reasons = [here, there].map((socket) => next(socket, 'disconnect'));
    from.in('red').disconnectSockets();
    expect((await Promise.all(reasons)).flat().filter((reason) => typeof reason === 'string')).toEqual(
      Array(2).fill('io server disconnect'),
    );
  });
});

describe('the stock emitter', () => {
  async function rig() {
    expectNoFaults();
    const node = await startOurs();
    await seesRedis(node);
    const [red, blue]: [Socket, Socket] = [await enter(node.url, 'red'), await enter(node.url, 'blue')];
    return {
      node,
      red,
      blue,
      emitter: new Emitter(stockClient()),
      heard: [red, blue].map((one) => collect(one, 'news')),
    };
  }

  it('reaches rooms, all, all but some, other namespaces, with text and bytes', async () => {
    const { node, red, emitter, heard } = await rig();
    const there = red.io.socket('/other');
    await next(there, 'connect');
    const other = collect(there, 'news');
    const bytes = Buffer.from([1, 2]);
    emitter.volatile.emit('news', 0);
    await eventually(() => heard.every((events) => events.length === 1), 'the volatile one');
    emitter.to('red').emit('news', 1, bytes);
    emitter.to('red').to('blue').emit('news', 2);
    emitter.except('red').emit('news', 3);
    emitter.of('/other').emit('news', 5);
    emitter.emit('news', 'end');
    await eventually(() => heard.every((events) => events.at(-1)?.[0] === 'end') && other.length === 1, 'the end');
    expect(heard).toEqual([
      [[0], [1, bytes], [2], ['end']],
      [[0], [2], [3], ['end']],
    ]);
    expect(await node.metric('socketfleet_redis_foreign_total')).toBe(0);
  });

  it('moves and disconnects sockets, and tells servers', async () => {
    const { node, red, blue, emitter } = await rig();
    const told: unknown[] = [];
    node.io.on('task', (n: number) => void told.push(n));
    const sizeOf = (room: string) => node.io.of('/').adapter.rooms.get(room)?.size ?? 0;
    emitter.socketsJoin('green');
    await eventually(() => sizeOf('green') === 2, 'both in green');
    emitter.in('red').socketsLeave('green');
    await eventually(() => sizeOf('green') === 1, 'one in green');
    emitter.serverSideEmit('task', 7);
    await eventually(() => told.length === 1, 'the task');
    const gone = next(blue, 'disconnect');
    emitter.in('blue').disconnectSockets(true);
    expect((await gone)[0]).toBe('io server disconnect');
    expect([told, red.connected]).toEqual([[7], true]);
    expect(await node.metric('socketfleet_redis_foreign_total')).toBe(0);
  });

  it('publishes to rooms of the gateway', async () => {
    expectNoFaults();
    const node = await startNode({ url: redis.url, mode: 'classic', prefix: PREFIX });
    await seesRedis(node);
    const socket = await member(node, 'lobby');
    const heard = next(socket, 'message');
    new Emitter(stockClient()).to('r:lobby').emit('message', 'hello', { room: 'lobby' });
    expect(await heard).toEqual(['hello', { room: 'lobby' }]);
  });
});
