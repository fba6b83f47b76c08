/** One test for each thing that src/realtime/upstream.ts and src/fanout override in, or read from, the private parts of upstream. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Server as Engine, Socket as EngineSocket } from 'engine.io';
import { Namespace, Server, type ServerOptions, Socket } from 'socket.io';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { WebSocket } from 'ws';
import { createMemoryFanout } from '../../src/fanout/memory.ts';
import { guardHandlers, type HandlerGuard } from '../../src/realtime/handler-guard.ts';
import { startAfresh } from '../../src/realtime/recovered-sockets.ts';
import {
  bufferedBytes,
  bytesRead,
  childrenOf,
  closeChild,
  isDynamic,
  isTooLarge,
  limitWebSockets,
  namespacesOf,
  sidOf,
  sizeOf,
  webSocketOf,
} from '../../src/realtime/upstream.ts';
import { client, connect, next } from '../support/connect.ts';
import { eventually } from '../support/eventually.ts';
import { expectNoFaults } from '../support/expect-no-faults.ts';
import { openEngine, openPolling, openSocket } from '../support/raw.ts';

type Methods = Record<string, (...args: never[]) => unknown>;

// Taken here, because the first guarded server changes the prototypes.
const before = {
  socket: methodsOf(Socket.prototype),
  namespace: methodsOf(Namespace.prototype),
  server: methodsOf(Server.prototype),
  broadcast: methodsOf(Object.getPrototypeOf(new Server().to('')) as object),
};

function methodsOf(prototype: object): Methods {
  const names = Object.getOwnPropertyNames(prototype).filter(
    (name) => typeof Object.getOwnPropertyDescriptor(prototype, name)?.value === 'function',
  );
  const inherited = Object.getPrototypeOf(prototype) as object;
  return {
    ...Object.fromEntries(['emitReserved'].map((name) => [name, (inherited as Methods)[name]])),
    ...Object.fromEntries(names.map((name) => [name, (prototype as Methods)[name]])),
  } as Methods;
}

function fingerprint(method: ((...args: never[]) => unknown) | undefined): string {
  return createHash('sha256').update(String(method)).digest('hex').slice(0, 12);
}

/** A stock server on a free port, with a guard that notes what reaches it. */
async function startGuarded(
  prepare: (io: Server) => void = () => undefined,
  guard: Partial<HandlerGuard> = {},
  options: Partial<ServerOptions> = {},
) {
  expectNoFaults();
  const http = createServer();
  const io = new Server(http, { pingInterval: 60_000, ...options });
  const calls: string[] = [];
  let minted = 0;
  guardHandlers(io, {
    mintId: () => `minted-${minted++}`,
    namespacesPerConnection: 2,
    admitNamespace: (name) => name !== '/refused',
    brought: () => undefined,
    handedOut: () => undefined,
    refused: (nsp, code) => void calls.push(`refused ${nsp} ${code}`),
    authenticate: async (socket) => void calls.push(`authenticate ${socket.nsp.name}`),
    joined: (socket) => void calls.push(`joined ${socket.nsp.name}`),
    left: (_socket, reason) => void calls.push(`left ${reason}`),
    admitEvent: (_socket, [name]) => name !== 'refused',
    onFault: (error, { event }) => void calls.push(`${event}: ${(error as Error).message}`),
    ...guard,
  });
  prepare(io);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const connection of connectionsOf(io)) webSocketOf(connection)?.terminate();
    await io.close();
  });
  return { io, calls, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` };
}

function connectionsOf(io: Server): EngineSocket[] {
  return Object.values((io.engine as unknown as { clients: Record<string, EngineSocket> }).clients);
}

const boom = () => {
  throw new Error('boom');
};

describe('what we replace', () => {
  // A failure says: upstream has changed this function. Read it again, adapt ours, then write down the new fingerprint.
  it.each([
    ['socket', 'onevent', '90ef496f4ebf'],
    ['socket', 'dispatch', 'df0081d0853b'],
    ['socket', 'run', '38e66c1f5b97'],
    ['socket', 'ack', '0a9a618dbc84'],
    ['socket', 'onack', '770c0f4734c2'],
    ['socket', 'packet', 'f2fa00c6236a'],
    ['socket', '_onconnect', 'c2c0a2bfd0f8'],
    ['socket', '_error', '745780effab2'],
    ['socket', 'buildHandshake', '0b72fc0a7c57'],
    ['socket', '_onpacket', 'db3e41dae92d'],
    ['socket', '_onclose', '1956717fcab6'],
    ['socket', '_onerror', '76559de7ceeb'],
    ['socket', 'emitReserved', '48cfad556920'],
    ['socket', 'registerAckCallback', 'bc7e90005d7d'],
    ['socket', 'notifyOutgoingListeners', '2e5c4b45095c'],
    ['namespace', '_add', '57b5034b0b23'],
    ['namespace', '_createSocket', '9222df2cf537'],
    ['namespace', '_doConnect', '176d2fefcb00'],
    ['namespace', 'run', '390ebf727e7d'],
    ['namespace', 'emitReserved', '48cfad556920'],
    ['server', 'of', '44ad53130490'],
    ['server', '_checkNamespace', '163ed1ec03b6'],
    ['broadcast', 'emit', 'b56983baa4b5'],
  ] as const)('is what we have read: %s %s', (owner, name, expected) => {
    expect(fingerprint(before[owner][name])).toBe(expected);
  });
});

describe('overrides in sockets', () => {
  it('onevent: our gate comes first, then any-listeners, middlewares and handlers, each kept from harm', async () => {
    const { url, calls } = await startGuarded((io) => {
      io.on('connection', (socket) => {
        socket.onAny((name) => {
          calls.push(`any ${name}`);
          boom();
        });
        socket.use(([name], go) => (name === 'stopped' ? boom() : go()));
        socket.on('poke', boom);
        socket.on('fine', (answer) => answer('fine'));
      });
    });
    const socket = await connect(url);
    for (const name of ['refused', 'poke', 'stopped']) socket.emit(name);
    expect(await socket.emitWithAck('fine')).toBe('fine');
    // Handlers run a turn later than the rest.
    expect(calls.slice(2).filter((call) => call !== 'poke: boom')).toEqual([
      ...['any poke', 'any: boom', 'any stopped', 'any: boom', 'middleware: boom', 'any fine', 'any: boom'],
    ]);
    expect(calls.filter((call) => call === 'poke: boom')).toHaveLength(1);
  });

  it('_onpacket: what upstream throws on the way to us is a fault', async () => {
    const { url, calls } = await startGuarded(undefined, { admitEvent: boom });
    const socket = await connect(url);
    socket.emit('poke');
    await eventually(() => calls.includes('packet: boom'));
  });

  it('emitReserved: carries disconnecting, disconnect and error, and tells us once that a socket has left', async () => {
    const { url, calls, io } = await startGuarded((given) => {
      given.on('connection', (socket) => {
        for (const name of ['disconnecting', 'disconnect', 'error'] as const) socket.on(name, boom);
        socket.use((_event, go) => go(new Error('refused by a middleware')));
      });
    });
    const socket = await connect(url);
    socket.emit('poke');
    await eventually(() => calls.includes('error: boom'));
    socket.disconnect();
    await eventually(() => io.of('/').sockets.size === 0 && calls.length >= 6);
    expect(calls.slice(2)).toEqual([
      ...['error: boom', 'disconnecting: boom', 'left client namespace disconnect', 'disconnect: boom'],
    ]);
  });

  it('registerAckCallback: answers and time-outs both reach a callback that cannot harm', async () => {
    const { url, calls } = await startGuarded((io) => {
      io.on('connection', (socket) => {
        socket.emit('question', boom);
        socket.timeout(10).emit('never', boom);
      });
    });
    client(url).on('question', (answer) => answer());
    await eventually(() => calls.filter((call) => call === 'ack: boom').length === 2);
  });

  it('notifyOutgoingListeners: is called for direct emits and for each member of a broadcast', async () => {
    const { url, calls } = await startGuarded((io) => {
      io.on('connection', (socket) => {
        socket.onAnyOutgoing((name) => (name === 'one' || name === 'all' ? boom() : undefined));
        socket.emit('one');
        if (io.of('/').sockets.size === 2) io.emit('all');
      });
    });
    const first = client(url);
    const heard = [next(first, 'one'), next(first, 'all')];
    await next(first, 'connect');
    const second = client(url);
    await Promise.all([...heard, next(second, 'one'), next(second, 'all')]);
    expect(calls.filter((call) => call === 'any outgoing: boom')).toHaveLength(4);
  });
});

describe('a recovered socket', () => {
  /** A server that remembers, and a client of it that has gone and missed something. */
  async function startRemembering(guard: Partial<HandlerGuard> = {}) {
    const { adapter } = createMemoryFanout({ recovery: true, mostMissedBytes: 10_000 }, { broadcast: () => undefined });
    const started = await startGuarded(undefined, guard, {
      connectionStateRecovery: { skipMiddlewares: false },
      adapter: function create(nsp: never) {
        return adapter(nsp);
      } as never,
    });
    const first = await openSocket(started.url);
    const { pid } = JSON.parse(first.answer.slice(2)) as { pid: string };
    started.io.emit('x', 1);
    const offset = (JSON.parse(String(await first.packet()).slice(2)) as unknown[]).at(-1);
    first.ws.close();
    await eventually(() => started.io.of('/').sockets.size === 0);
    started.io.emit('x', 2, Buffer.from('binary'));
    return { ...started, auth: { pid, offset }, pid };
  }

  it('packet: gets what it has missed once it was let in, before CONNECT, with what came meanwhile', async () => {
    let look: () => Promise<void> = async () => undefined;
    const { url, io, auth, pid } = await startRemembering({ authenticate: () => look() });
    look = () => Promise.reject(new Error('closed'));
    expect((await openSocket(url, { auth })).answer).toBe('44{"message":"closed"}');
    look = async () => void io.emit('x', 3);
    const again = await openSocket(url, { auth });
    expect(again.answer).toMatch(/^451-\["x",2,/);
    expect(await again.packet()).toEqual(Buffer.from('binary'));
    expect(await again.packet()).toMatch(/^42\["x",3,/);
    expect(await again.packet()).toContain(pid);
  });

  it('id, pid, data, recovered, leaveAll and _preConnectSockets: may go on as a new one', async () => {
    const joined: Socket[] = [];
    const { url, io, auth, pid } = await startRemembering({
      authenticate: async (socket) => (socket.recovered ? startAfresh(socket, 'another') : undefined),
      joined: (socket) => void joined.push(socket),
    });
    const again = await openSocket(url, { auth });
    expect(again.answer).toMatch(/^40\{"sid":"another","pid":"[\w-]{20}"\}$/);
    expect(again.answer).not.toContain(pid);
    expect(joined.at(-1)).toMatchObject({ id: 'another', recovered: false, data: {} });
    const { adapter, sockets } = io.of('/');
    expect([[...sockets.keys()], [...adapter.rooms.keys()]]).toEqual([['another'], ['another']]);
    expect((io.of('/') as unknown as { _preConnectSockets: Map<string, Socket> })._preConnectSockets.size).toBe(0);
    expect((await openSocket(url, { auth })).answer).not.toContain('"x"');
  });
});

describe('overrides in namespaces', () => {
  it('run and emitReserved: we authenticate first, and hear of a socket before any handler, also where a client named the namespace', async () => {
    const { url, calls } = await startGuarded((io) => {
      for (const nsp of [io.of('/'), io.of(/^\/dynamic$/)]) {
        nsp.use((socket, go) => {
          calls.push(`middleware ${socket.nsp.name}`);
          go();
        });
        nsp.on('connect', () => void calls.push('connect'));
        nsp.on('connection', boom);
      }
    });
    for (const path of ['/', '/dynamic']) {
      calls.length = 0;
      await connect(`${url}${path}`);
      expect(calls).toEqual([
        `authenticate ${path}`,
        `middleware ${path}`,
        `joined ${path}`,
        'connect',
        'connection: boom',
      ]);
    }
  });

  it('_add: a second CONNECT in one turn closes the connection, a second namespace does not', async () => {
    const { url, io, calls } = await startGuarded((given) => void given.of('/other'));
    const greedy = await openPolling(url);
    await greedy.post('40\x1e40');
    await eventually(async () => (await greedy.request()).body.includes('Session ID unknown'));
    expect(calls.filter((call) => call === 'authenticate /')).toHaveLength(1);
    expect(io.of('/').sockets.size).toBe(0);
    const fine = await openPolling(url);
    await fine.post('40\x1e40/other,');
    expect(await fine.packets(2)).toHaveLength(2);
  });

  it('_createSocket: sockets have the ids that we mint, and are found under them', async () => {
    const { url, io } = await startGuarded();
    const socket = await connect(url);
    expect(socket.id).toBe('minted-0');
    expect([...io.of('/').sockets.keys()]).toEqual(['minted-0']);
    await eventually(() => io.of('/').adapter.rooms.has('minted-0'));
  });
});

describe('other overrides', () => {
  it('Server.of: the function of a dynamic namespace cannot harm', async () => {
    const { url, calls } = await startGuarded((io) => void io.of(async () => boom()));
    await expect(connect(`${url}/any`)).rejects.toThrow('Invalid namespace');
    expect(calls).toEqual(['namespace: boom', 'refused /any not_found']);
  });

  it('Server._checkNamespace: a name that may not be is as unknown as any other, and no function is asked', async () => {
    let asked = 0;
    const { url, calls } = await startGuarded((io) => {
      io.of((_name, _auth, answer) => {
        asked++;
        answer(null, true);
      });
    });
    await expect(connect(`${url}/refused`)).rejects.toThrow('Invalid namespace');
    expect([asked, calls]).toEqual([0, ['refused /refused not_found']]);
  });

  it('Server.of and _checkNamespace: tell what clients brought into being from what the app has asked for', async () => {
    const told: string[] = [];
    const { url, io } = await startGuarded((given) => void given.of(/^\/dynamic-\d$/).on('connection', boom), {
      brought: ({ name }) => void told.push(`brought ${name}`),
      handedOut: ({ name }) => void told.push(`handed out ${name}`),
    });
    io.of('/dynamic-1');
    for (const path of ['', '/dynamic-1', '/dynamic-2', '/dynamic-2']) await connect(`${url}${path}`);
    io.of('/dynamic-2');
    expect(told).toEqual(['handed out /dynamic-1', 'brought /dynamic-2', 'handed out /dynamic-2']);
  });

  it('Client.connect: a connection is in so many namespaces, those included that it is about to join', async () => {
    const { url, io, calls } = await startGuarded((given) => void given.of(/^\/dynamic-\d$/));
    const polling = await openPolling(url);
    await polling.post('40\x1e40/dynamic-1,\x1e40/dynamic-2,');
    const answers = await polling.packets(3);
    expect(answers.filter((text) => text.startsWith('44'))).toEqual([
      expect.stringMatching(/^44\/dynamic-2,.*"code":"too_many_namespaces"/),
    ]);
    expect(calls.filter((call) => call.startsWith('authenticate'))).toHaveLength(2);
    await polling.post('41/dynamic-1,');
    await polling.post('40/dynamic-3,');
    expect(await polling.packets(1)).toEqual([expect.stringMatching(/^40\/dynamic-3,/)]);
    expect([...io._nsps.keys()]).toEqual(['/', '/dynamic-1', '/dynamic-3']);
  });

  it('_nsps, children and the adapter of a namespace that a client named: can be let go, and come anew', async () => {
    const { url, io } = await startGuarded((given) => {
      given.of(/^\/dynamic-\d$/).on('connection', (socket) => void socket.emit('hello'));
    });
    const socket = await connect(`${url}/dynamic-1`);
    expect(childrenOf(io)).toMatchObject([{ child: { name: '/dynamic-1' }, isEmpty: false }]);
    socket.disconnect();
    const [entry] = await eventually(() => (childrenOf(io)[0]?.isEmpty ? childrenOf(io) : undefined));
    if (entry === undefined) throw new Error('there is no child');
    let closed = 0;
    entry.child.adapter.close = () => void closed++;
    await closeChild(io, entry);
    expect([closed, childrenOf(io), [...io._nsps.keys()]]).toEqual([1, [], ['/']]);
    await next(client(`${url}/dynamic-1`), 'hello');
    expect(childrenOf(io)).toHaveLength(1);
  });

  it('BroadcastOperator.emit: answers and time-outs both reach a callback that cannot harm', async () => {
    const { url, calls } = await startGuarded((io) => {
      io.on('connection', (socket) => {
        io.timeout(5_000).emit('question', boom);
        socket.nsp.timeout(10).emit('never', boom);
      });
    });
    client(url).on('question', (answer) => answer());
    await eventually(() => calls.includes('question: boom') && calls.includes('never: boom'));
  });

  it('ws closeTimeout: WebSockets that connect afterwards do not wait longer', async () => {
    const { url, io } = await startGuarded();
    limitWebSockets(io.engine as unknown as Engine, { closeTimeoutMs: 100, maxPayloadBytes: 1 });
    const socket = await openSocket(url);
    const [connection] = connectionsOf(io);
    const server = webSocketOf(connection as EngineSocket) as WebSocket;
    // Silent: it will not answer the close frame.
    socket.pause();
    const start = performance.now();
    const closed = new Promise((resolve) => server.once('close', resolve));
    server.close(1001);
    await closed;
    expect(performance.now() - start).toBeLessThan(3_000);
  });

  it('leaves servers without a guard as they are', async () => {
    expectNoFaults();
    const http = createServer();
    const io = new Server(http);
    onTestFinished(() => io.close());
    const seen: string[] = [];
    io.of((_name, _auth, answer) => answer(null, true));
    io.use((_socket, go) => go());
    io.on('connection', (socket) => {
      socket.onAny((name) => void seen.push(`any ${name}`));
      socket.onAnyOutgoing((name) => void seen.push(`out ${name}`));
      socket.use((_event, go) => go());
      socket.on('echo', (value, answer) => answer(value));
      socket.on('ask', (answer) => socket.emit('question', answer));
      socket.on('ask all', (answer) => io.timeout(2_000).emit('question', answer));
      socket.on('disconnect', () => void seen.push('disconnect'));
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    const socket = await connect(url);
    expect(socket.id).toHaveLength(20);
    socket.on('question', (answer) => answer(7));
    expect(await socket.emitWithAck('echo', 1)).toBe(1);
    expect(await socket.emitWithAck('ask')).toBe(7);
    socket.emit('ask all', () => undefined);
    await connect(`${url}/any`);
    socket.disconnect();
    await eventually(() => seen.includes('disconnect'));
    expect(seen).toEqual(expect.arrayContaining(['any echo', 'any ask', 'out question']));
  });
});

describe('what we read', () => {
  it('Server._nsps: every namespace, dynamic ones included; parentNsps: which of them clients have named', async () => {
    const { url, io } = await startGuarded((given) => {
      given.of('/fixed');
      given.of(/^\/dynamic-\d$/);
    });
    await connect(`${url}/dynamic-1`);
    const all = [...namespacesOf(io)];
    expect(all.map(({ name }) => name)).toEqual(['/', '/fixed', '/dynamic-1']);
    expect(all.map(isDynamic)).toEqual([false, false, true]);
  });

  it('transport.socket: the WebSocket of a connection, but not while it polls', async () => {
    const { url, io } = await startGuarded();
    await openPolling(url);
    const socket = await openEngine(url);
    const [polling, webSocket] = connectionsOf(io);
    expect(webSocketOf(polling as EngineSocket)).toBeUndefined();
    webSocketOf(webSocket as EngineSocket)?.close(4321, 'a reason');
    expect(await socket.closed).toEqual({ code: 4321, reason: 'a reason' });
  });

  it('ws maxFragments and maxBufferedChunks: a message in too many pieces ends its connection', async () => {
    const { url, io } = await startGuarded();
    limitWebSockets(io.engine as unknown as Engine, { closeTimeoutMs: 1_000, maxPayloadBytes: 100_000 });
    const [fine, crumbly] = [await openEngine(url), await openEngine(url)];
    const piecewise = (socket: typeof fine, pieces: number) => {
      for (let i = 0; i < pieces; i++) socket.ws.send(i === 0 ? '4' : 'x', { fin: i === pieces - 1 });
    };
    const seen: unknown[] = [];
    connectionsOf(io)[0]?.on('message', (data: unknown) => seen.push(data));
    piecewise(fine, 90);
    await eventually(() => seen.length === 1);
    expect(seen).toEqual(['x'.repeat(89)]);
    piecewise(crumbly, 100);
    expect((await crumbly.closed).code).toBe(1008);
    const { ws } = io.engine as unknown as { ws: { options: object } };
    expect(ws.options).toMatchObject({ maxFragments: 98, maxBufferedChunks: 1024 });
  });

  it('ws ping and pong events and _socket.bytesRead: what a client sends beside messages', async () => {
    const { url, io } = await startGuarded();
    await openPolling(url);
    const socket = await openEngine(url);
    const [polling, webSocket] = connectionsOf(io) as [EngineSocket, EngineSocket];
    expect(bytesRead(polling)).toBe(0);
    const before = bytesRead(webSocket);
    const seen: string[] = [];
    for (const name of ['ping', 'pong']) webSocketOf(webSocket)?.on(name, () => void seen.push(name));
    socket.ws.ping(Buffer.alloc(100));
    socket.ws.pong(Buffer.alloc(100));
    await eventually(() => seen.length === 2);
    // Head and mask take six bytes each.
    expect([seen, bytesRead(webSocket) - before]).toEqual([['ping', 'pong'], 212]);
  });

  it('bufferedAmount and writeBuffer: what waits for a client that does not read, or does not poll', async () => {
    const { url, io } = await startGuarded();
    const [deaf, polling] = [await openEngine(url), await openPolling(url)];
    deaf.pause();
    const [webSocket, idle] = connectionsOf(io) as [EngineSocket, EngineSocket];
    const message = 'x'.repeat(1_000_000);
    for (let i = 0; i < 40; i++) webSocket.send(message);
    await eventually(() => bufferedBytes(webSocket) > 1_000_000);
    expect(bufferedBytes(idle)).toBe(0);
    expect(sidOf(idle)).toBe(polling.sid);
    idle.send('12345');
    idle.send(Buffer.alloc(10));
    expect(bufferedBytes(idle)).toBe(15);
    await polling.poll();
    expect(bufferedBytes(idle)).toBe(0);
    expect([sizeOf('abc'), sizeOf(Buffer.alloc(4)), sizeOf(new ArrayBuffer(5)), sizeOf(undefined)]).toEqual([
      3, 4, 5, 0,
    ]);
  });

  it('the packet event: every packet that a client sends, with its type', async () => {
    const { url, io } = await startGuarded();
    const socket = await openEngine(url);
    const seen: unknown[] = [];
    connectionsOf(io)[0]?.on('packet', ({ type, data }: { type: string; data?: unknown }) => seen.push([type, data]));
    for (const packet of ['3', '40', '6', '3late']) socket.send(packet);
    await eventually(() => seen.length === 4);
    expect(seen).toEqual([
      ['pong', undefined],
      ['message', '0'],
      ['noop', undefined],
      ['pong', 'late'],
    ]);
  });

  it('the reason with which a connection closes when a WebSocket message was too large', async () => {
    const { url, io } = await startGuarded();
    const socket = await openEngine(url);
    const closed = new Promise<unknown[]>((resolve) => connectionsOf(io)[0]?.once('close', (...args) => resolve(args)));
    socket.send('4'.repeat(1_000_001));
    const [reason, description] = await closed;
    expect([reason, isTooLarge(description)]).toEqual(['transport error', true]);
    expect([undefined, 'Max payload size exceeded', new Error('other')].map(isTooLarge)).toEqual([false, false, false]);
  });
});

describe('adapters', () => {
  it.each([
    ['the in-memory adapter', false],
    ['the adapter with recovery', true],
  ] as const)('%s: apply is the one loop over the recipients of a broadcast', async (_what, recovers) => {
    expectNoFaults();
    const counts: number[] = [];
    const metrics = { broadcast: (recipients: number) => void counts.push(recipients) };
    const fanout = createMemoryFanout({ recovery: recovers, mostMissedBytes: 1 }, metrics);
    const http = createServer();
    const io = new Server(http, {
      ...(recovers ? { connectionStateRecovery: {} } : {}),
      adapter: function create(nsp: never) {
        return fanout.adapter(nsp);
      } as never,
    });
    onTestFinished(() => io.close());
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    const [ada] = await Promise.all([connect(url), connect(url), connect(url)]);
    io.of('/')
      .sockets.get(ada.id ?? '')
      ?.join('a');
    counts.length = 0;
    io.emit('x');
    io.to('a').emit('x');
    io.except('a').emit('x');
    io.to('nobody').emit('x');
    io.timeout(10).emit('x', () => undefined);
    expect(counts).toEqual([3, 1, 2, 0, 3]);
  });

  it('_encode: comes once, before the first recipient, and says what a broadcast weighs', () => {
    const { adapter } = createMemoryFanout({ recovery: true, mostMissedBytes: 1 }, { broadcast: () => undefined });
    const order: string[] = [];
    const io = new Server({
      connectionStateRecovery: {},
      adapter: function create(nsp: never) {
        const made = adapter(nsp);
        const inner = made as unknown as Record<'_encode' | 'apply', (...args: unknown[]) => unknown>;
        for (const name of ['_encode', 'apply'] as const) {
          const call = inner[name];
          inner[name] = function (...args) {
            order.push(name);
            return call.apply(this, args);
          };
        }
        return made;
      } as never,
    });
    io.emit('x', 1);
    expect(order).toEqual(['_encode', 'apply']);
  });
});
