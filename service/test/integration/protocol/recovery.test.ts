import type { Server } from 'socket.io';
import { describe, expect, it, vi } from 'vitest';
import { client, collect, connect, next } from '../../support/connect.ts';
import { eventually } from '../../support/eventually.ts';
import { expectNoFaults } from '../../support/expect-no-faults.ts';
import { startServer } from '../../support/start-server.ts';

/** A server that remembers, with the rooms and data of a socket set by its first connection only. */
async function startRemembering(prepare: (io: Server) => void = () => undefined) {
  expectNoFaults();
  let io: Server | undefined;
  const server = await startServer({ SOCKETFLEET_RECOVERY: 'on' }, (given) => {
    io = given;
    prepare(given);
    given.on('connection', async (socket) => {
      if (!socket.recovered) {
        socket.data.visits = 0;
        await socket.join('news');
      }
      socket.data.visits++;
      socket.emit('welcome', { recovered: socket.recovered, visits: socket.data.visits, rooms: [...socket.rooms] });
      socket.on('leave for good', () => socket.disconnect());
    });
  });
  return { ...server, io: io as Server };
}

describe.each([[['websocket']], [['polling']], [['polling', 'websocket']]])(
  'connection state recovery over %j',
  (transports) => {
    it('gives a client whose transport broke its id, rooms, data, and each missed message once and in order', async () => {
      const { url, io, metric } = await startRemembering();
      const socket = client(url, { transports, reconnectionDelay: 100, reconnectionDelayMax: 100 });
      const seen = collect(socket, 'news');
      await next(socket, 'welcome');
      const { id } = socket;
      io.to('news').emit('news', 1);
      await eventually(() => seen.length === 1, 'the first message');
      socket.io.engine.close();
      await eventually(() => io.of('/').sockets.size === 0, 'the server to notice');
      for (let n = 2; n <= 20; n++) io.to('news').emit('news', n);
      io.to('other').emit('news', 'not for us');
      io.to('news')
        .except(id ?? '')
        .emit('news', 'not for this one');
      io.to('news').volatile.emit('news', 'lost on purpose');
      const [welcome] = await next(socket, 'welcome');
      expect(welcome).toMatchObject({ recovered: true, visits: 2, rooms: expect.arrayContaining([id, 'news']) });
      expect([socket.recovered, socket.id]).toEqual([true, id]);
      io.to('news').emit('news', 21);
      await eventually(() => seen.at(-1)?.[0] === 21, 'the last message');
      expect(seen.map(([n]) => n)).toEqual(Array.from({ length: 21 }, (_, n) => n + 1));
      expect(await metric('socketfleet_recoveries_total{outcome="recovered"}')).toBe(1);
    });
  },
);

describe('connection state recovery', () => {
  it('starts afresh once the window has passed', async () => {
    const { url, io, metric } = await startRemembering();
    const socket = client(url, { transports: ['websocket'], reconnectionDelay: 100, reconnectionDelayMax: 100 });
    await next(socket, 'welcome');
    const { id } = socket;
    socket.io.engine.close();
    await eventually(() => io.of('/').sockets.size === 0, 'the server to notice');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 121_000 });
    const [welcome] = await next(socket, 'welcome').finally(() => vi.useRealTimers());
    expect(welcome).toMatchObject({ recovered: false, visits: 1 });
    expect(socket.recovered).toBe(false);
    expect(socket.id).not.toBe(id);
    expect(await metric('socketfleet_recoveries_total{outcome="fresh"}')).toBe(1);
  });

  it('starts afresh for a client that left by itself, or was sent away', async () => {
    const { url } = await startRemembering();
    const socket = client(url);
    await next(socket, 'welcome');
    socket.disconnect().connect();
    expect((await next(socket, 'welcome'))[0]).toMatchObject({ recovered: false });
    const gone = next(socket, 'disconnect');
    socket.emit('leave for good');
    expect((await gone)[0]).toBe('io server disconnect');
    socket.connect();
    expect((await next(socket, 'welcome'))[0]).toMatchObject({ recovered: false });
  });

  it('asks the middlewares again, and lets them refuse', async () => {
    let isOpen = true;
    const { url, io } = await startRemembering((given) => {
      given.use((_socket, go) => go(isOpen ? undefined : new Error('closed')));
    });
    const socket = client(url);
    await next(socket, 'welcome');
    isOpen = false;
    socket.io.engine.close();
    expect((await next(socket, 'connect_error'))[0]).toMatchObject({ message: 'closed' });
    expect(io.of('/').sockets.size).toBe(0);
  });

  it('gives nothing to somebody who guesses', async () => {
    const { url } = await startRemembering();
    const ada = client(url);
    await next(ada, 'welcome');
    const eve = await connect(url, { auth: { pid: ada.id, offset: 'x' } });
    expect([eve.recovered, eve.id === ada.id]).toEqual([false, false]);
    for (const auth of [
      { pid: '__proto__', offset: '0' },
      { pid: {}, offset: [] },
      { pid: '', offset: '' },
    ]) {
      expect((await connect(url, { auth })).recovered).toBe(false);
    }
  });
});
