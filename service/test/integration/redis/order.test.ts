/** What one server sends to one client arrives in the order in which it was sent, and never waits for Redis where the client is here. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, connect } from '../../support/connect.ts';
import { eventually } from '../../support/eventually.ts';
import { expectNoFaults } from '../../support/expect-no-faults.ts';
import type { StartedRedis } from '../../support/redis/run-redis.ts';
import { startRedis } from '../../support/redis/start-redis.ts';
import { MODES, type Mode, startPair } from './installation.ts';

const MANY = 1_000;

let redis: StartedRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

describe.each(MODES)('in %s mode', (mode: Mode) => {
  async function town() {
    expectNoFaults();
    const [a, b] = await startPair({
      url: redis.url,
      mode,
      app: (io) => void io.on('connection', (socket) => socket.join(['red', 'blue'])),
    });
    const [here, there] = await Promise.all([a, b].map((node) => connect(node.url, { transports: ['websocket'] })));
    if (here === undefined || there === undefined) throw new Error('no clients');
    const socket = a.io.of('/').sockets.get(here.id ?? '');
    if (socket === undefined) throw new Error('no socket');
    await b.io
      .of('/')
      .sockets.get(there.id ?? '')
      ?.join('green');
    return { a, b, here, there, socket };
  }

  it('direct emits and every kind of broadcast keep their order on the way to a client of this server', async () => {
    const { a, here, socket } = await town();
    const heard = collect(here, 'news');
    const ways = [
      (n: number) => socket.emit('news', n),
      (n: number) => a.io.to('red').emit('news', n),
      (n: number) => a.io.emit('news', n),
      (n: number) => a.io.to(['red', 'blue']).emit('news', n),
      (n: number) => a.io.to(here.id ?? '').emit('news', n, Buffer.from([1])),
      (n: number) => socket.emit('news', n),
    ];
    for (let n = 0; n < MANY; n++) {
      ways[n % ways.length]?.(n);
      if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(() => heard.length === MANY, 'all messages', 15_000);
    expect(heard.map(([n]) => n)).toEqual([...Array(MANY).keys()]);
  });

  it('every kind of broadcast keeps its order on the way to a client of another server', async () => {
    const { a, there } = await town();
    const heard = collect(there, 'news');
    const ways = [
      (n: number) => a.io.to('red').emit('news', n),
      (n: number) => a.io.emit('news', n),
      (n: number) => a.io.to(['red', 'blue']).emit('news', n),
      (n: number) => a.io.to(there.id ?? '').emit('news', n, Buffer.from([1])),
      (n: number) => a.io.to('green').emit('news', n),
    ];
    for (let n = 0; n < MANY; n++) {
      ways[n % ways.length]?.(n);
      if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(() => heard.length === MANY, 'all messages', 15_000);
    expect(heard.map(([n]) => n)).toEqual([...Array(MANY).keys()]);
  });

  it('what concerns clients of this server happens in the same turn, also while Redis is paused', async () => {
    const { a, here, socket } = await town();
    const left: unknown[] = [];
    socket.onAnyOutgoing((_event, n) => void left.push(n));
    const heard = collect(here, 'news');
    const actions = (n: number) => {
      a.io.to('red').emit('news', n);
      expect(left.at(-1)).toBe(n);
      a.io.in('red').socketsJoin('gold');
      expect(socket.rooms.has('gold')).toBe(true);
      a.io.in('red').socketsLeave('gold');
      expect(socket.rooms.has('gold')).toBe(false);
    };
    actions(-1);
    await redis.pause();
    try {
      const start = performance.now();
      for (let n = 0; n < 200; n++) {
        actions(n);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await eventually(() => heard.length === 201, 'all messages while Redis is paused');
      // The time-out of a command is 2 s.
      expect(performance.now() - start).toBeLessThan(1_500);
      expect(heard.map(([n]) => n)).toEqual([...Array(201).keys()].map((n) => n - 1));
      a.io.in('red').disconnectSockets();
      expect(socket.connected).toBe(false);
    } finally {
      await redis.resume();
    }
  });

  it('what is changed after it was sent arrives as it was', async () => {
    const { a, here, there } = await town();
    const heard = [here, there].map((one) => collect(one, 'news'));
    const data = { n: 1, list: [1] };
    a.io.emit('news', data);
    data.n = 2;
    data.list.push(2);
    await eventually(() => heard.every((events) => events.length === 1), 'the message');
    expect(heard).toEqual(Array(2).fill([[{ n: 1, list: [1] }]]));
  });
});
