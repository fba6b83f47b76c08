import type { Server } from 'socket.io';
import { describe, expect, it } from 'vitest';
import type { App } from '../../../src/contracts.ts';
import { client, collect, connect, next } from '../../support/connect.ts';
import { eventually } from '../../support/eventually.ts';
import { expectNoFaults } from '../../support/expect-no-faults.ts';
import { startServer } from '../../support/start-server.ts';

/** A server with this app module; what the stock documentation shows must work as it does there. */
function start(app: (io: Server) => void, env: Record<string, string> = {}) {
  expectNoFaults();
  return startServer(env, ((io) => app(io)) as App);
}

const MODES = [
  ['polling only', ['polling']],
  ['WebSocket only', ['websocket']],
  ['polling, then WebSocket', ['polling', 'websocket']],
] as const;

describe.each(MODES)('a stock client with %s', (_mode, transports) => {
  const options = { transports: [...transports] };

  it('exchanges events, acks and binary in both directions', async () => {
    const { url } = await start((io) => {
      io.on('connection', (socket) => {
        socket.on('echo', (...args) => {
          const answer = args.pop();
          answer(...args);
        });
        socket.on('ask me', async (answer) =>
          answer(await socket.timeout(5_000).emitWithAck('question', Buffer.from([9]))),
        );
      });
    });
    const socket = await connect(url, options);
    const bytes = Buffer.from([0, 1, 254, 255]);
    const answer = new Promise((resolve) =>
      socket.emit('echo', 1, 'zwei', { drei: [null, '€'] }, bytes, (...args: unknown[]) => resolve(args)),
    );
    expect(await answer).toEqual([1, 'zwei', { drei: [null, '€'] }, bytes]);
    socket.on('question', (data: Buffer, reply) => reply({ got: data }));
    expect(await socket.emitWithAck('ask me')).toEqual({ got: Buffer.from([9]) });
  });

  it('keeps the order of events, also over an upgrade', async () => {
    const { url } = await start((io) => {
      io.on('connection', (socket) => socket.on('n', (n) => socket.emit('n', n)));
    });
    const socket = await connect(url, options);
    const seen = collect(socket, 'n');
    for (let n = 0; n < 60; n++) socket.emit('n', n);
    await eventually(() => seen.length === 60, 'all events');
    expect(seen.map(([n]) => n)).toEqual(Array.from({ length: 60 }, (_, n) => n));
  });

  it('reaches the transport that it should', async () => {
    const { url, metric } = await start((io) => void io.on('connection', () => undefined));
    await connect(url, options);
    const transport = transports.at(-1);
    await eventually(async () => (await metric(`socketfleet_connections{transport="${transport}"}`)) === 1, transport);
  });

  it('has many namespaces on one connection', async () => {
    const { url, metric } = await start((io) => {
      for (const name of ['/', '/a', '/b']) io.of(name).on('connection', (socket) => socket.emit('hello', name));
    });
    const main = client(url, { ...options, autoConnect: false });
    const others = ['/a', '/b'].map((name) => main.io.socket(name));
    const hellos = [main, ...others].map((socket) => next(socket, 'hello'));
    for (const socket of [main, ...others]) socket.connect();
    expect(await Promise.all(hellos)).toEqual([['/'], ['/a'], ['/b']]);
    expect(new Set([main, ...others].map(({ id }) => id)).size).toBe(3);
    expect(await metric('socketfleet_handshakes_total{outcome="accepted"}')).toBe(1);
    others[0]?.disconnect();
    await eventually(async () => (await metric('socketfleet_sockets{nsp="/a"}')) === 0);
    expect(main.connected).toBe(true);
  });
});

describe('an app module', () => {
  it('broadcasts: rooms, except, volatile, local, with acks', async () => {
    const { url } = await start((io) => {
      io.on('connection', (socket) => {
        socket.on('join', async (room, answer) => answer(await socket.join(room)));
        socket.on('tell', (room, text) => socket.to(room).emit('told', text));
        socket.on('tell all but', (room, text) => io.except(room).emit('told', text));
        socket.on('whisper', (text) => io.local.volatile.emit('told', text));
        socket.on('poll all', async (answer) => answer(await io.timeout(2_000).to('a').emitWithAck('vote')));
      });
    });
    const [ada, bob, eve] = await Promise.all([connect(url), connect(url), connect(url)]);
    for (const socket of [ada, bob]) await socket.emitWithAck('join', 'a');
    const [toAda, toBob, toEve] = [ada, bob, eve].map((socket) => collect(socket, 'told'));
    ada.emit('tell', 'a', 1);
    eve.emit('tell all but', 'a', 2);
    await eventually(() => toBob?.length === 1 && toEve?.length === 1);
    eve.emit('whisper', 3);
    await eventually(() => toAda?.length === 1);
    expect([toAda, toBob, toEve]).toEqual([[[3]], [[1], [3]], [[2], [3]]]);
    ada.on('vote', (vote) => vote('yes'));
    bob.on('vote', (vote) => vote('no'));
    expect(((await eve.emitWithAck('poll all')) as string[]).sort()).toEqual(['no', 'yes']);
  });

  it('finds, moves and disconnects sockets through io', async () => {
    const { url } = await start((io) => {
      io.on('connection', (socket) => {
        socket.data.name = socket.handshake.auth.name;
        socket.on('list', async (answer) => answer((await io.fetchSockets()).map(({ data }) => data.name)));
        socket.on('kick others', () => {
          io.except(socket.id).disconnectSockets();
        });
        socket.on('gather', (answer) => {
          io.socketsJoin('all');
          answer(io.of('/').adapter.rooms.get('all')?.size);
        });
      });
    });
    const ada = await connect(url, { auth: { name: 'ada' } });
    const bob = await connect(url, { auth: { name: 'bob' } });
    expect(((await ada.emitWithAck('list')) as string[]).sort()).toEqual(['ada', 'bob']);
    expect(await ada.emitWithAck('gather')).toBe(2);
    const left = next(bob, 'disconnect');
    ada.emit('kick others');
    expect((await left)[0]).toBe('io server disconnect');
  });

  it('has dynamic namespaces, by pattern and by function, with their middlewares', async () => {
    const order: string[] = [];
    const { url } = await start((io) => {
      io.of(/^\/tenant-\d+$/)
        .use((socket, go) => {
          order.push(`first ${socket.nsp.name}`);
          go();
        })
        .use(async (_socket, go) => {
          await Promise.resolve();
          order.push('second');
          go();
        })
        .on('connection', (socket) => socket.emit('hello', socket.nsp.name));
      io.of((_name, auth, answer) => answer(null, (auth as { key?: string }).key === 'sesame')).on(
        'connection',
        (socket) => socket.emit('hello', 'by function'),
      );
    });
    const tenant = client(`${url}/tenant-7`);
    expect(await next(tenant, 'hello')).toEqual(['/tenant-7']);
    expect(order).toEqual(['first /tenant-7', 'second']);
    const guest = client(`${url}/anything`, { auth: { key: 'sesame' } });
    expect(await next(guest, 'hello')).toEqual(['by function']);
    await expect(connect(`${url}/nothing`)).rejects.toThrow('Invalid namespace');
  });

  it('refuses in io.use with its own message and data, also for dynamic namespaces', async () => {
    const { url } = await start((io) => {
      for (const nsp of [io.of('/'), io.of(/^\/closed-\w+$/)]) {
        nsp.use((socket, go) => {
          const error: Error & { data?: unknown } = new Error(`not you, ${socket.handshake.auth.name}`);
          error.data = { retryAfter: 7 };
          go(socket.handshake.auth.name === 'ada' ? undefined : error);
        });
      }
    });
    for (const path of ['/', '/closed-club']) {
      const [error] = (await next(client(`${url}${path}`, { auth: { name: 'eve' } }), 'connect_error')) as [
        Error & { data: unknown },
      ];
      expect([error.message, error.data]).toEqual(['not you, eve', { retryAfter: 7 }]);
      expect((await connect(`${url}${path}`, { auth: { name: 'ada' } })).connected).toBe(true);
    }
  });

  it('refuses and changes events in socket.use, and hears of refusals', async () => {
    const errors: string[] = [];
    const { url } = await start((io) => {
      io.on('connection', (socket) => {
        socket.use(([event, ...args], go) => (event === 'forbidden' ? go(new Error(`no ${args[0]}`)) : go()));
        socket.use(async (event, go) => {
          await Promise.resolve();
          event[1] = `${event[1]}!`;
          go();
        });
        socket.on('error', (error) => errors.push(error.message));
        socket.on('echo', (text, answer) => answer(text));
        socket.on('forbidden', (_text, answer) => answer('came through'));
      });
    });
    const socket = await connect(url);
    await expect(socket.timeout(50).emitWithAck('forbidden', 'way')).rejects.toThrow('timed out');
    expect(errors).toEqual(['no way']);
    expect(await socket.emitWithAck('echo', 'hello')).toBe('hello!');
  });

  it('hears every event with onAny, once with once, and no more after off', async () => {
    const heard: string[] = [];
    const { url } = await start((io) => {
      io.on('connection', (socket) => {
        socket.onAny((event) => void heard.push(`any ${event}`));
        socket.prependAny((event) => void heard.push(`first ${event}`));
        socket.once('a', () => void heard.push('once'));
        const listener = () => {
          heard.push('twice at most');
          if (heard.filter((text) => text === 'twice at most').length === 2) socket.off('a', listener);
        };
        socket.on('a', listener);
        socket.on('done', (answer) => answer());
      });
    });
    const socket = await connect(url);
    for (let i = 0; i < 3; i++) socket.emit('a');
    await socket.emitWithAck('done');
    const each = ['first a', 'any a'];
    expect(heard.filter((text) => text.endsWith(' a'))).toEqual([...each, ...each, ...each]);
    expect(heard.filter((text) => !text.includes('a') || text === 'twice at most')).toEqual(
      expect.arrayContaining(['once', 'twice at most', 'twice at most']),
    );
    expect(heard.filter((text) => text === 'once')).toHaveLength(1);
    expect(heard.filter((text) => text === 'twice at most')).toHaveLength(2);
  });

  it('knows why a client went', async () => {
    const reasons: string[] = [];
    const { url } = await start((io) => {
      io.on('connection', (socket) => {
        const name = socket.handshake.auth.name;
        socket.on('disconnecting', (reason) => void reasons.push(`${name} ${reason} ${socket.rooms.size}`));
        socket.on('disconnect', (reason) => void reasons.push(`${name} ${reason} ${socket.rooms.size}`));
      });
    });
    const [ada, bob] = [
      await connect(url, { auth: { name: 'ada' } }),
      await connect(url, { auth: { name: 'bob' }, transports: ['websocket'] }),
    ];
    ada.disconnect();
    bob.io.engine.close();
    await eventually(() => reasons.length >= 4, 'both to be gone');
    expect(reasons.filter((text) => text.startsWith('ada'))).toEqual([
      'ada client namespace disconnect 1',
      'ada client namespace disconnect 0',
    ]);
    expect(reasons.filter((text) => text.startsWith('bob')).slice(0, 2)).toEqual([
      'bob transport close 1',
      'bob transport close 0',
    ]);
  });
});
