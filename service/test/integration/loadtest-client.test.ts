import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket as ServerSocket } from 'socket.io';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { NO_K6, runK6 } from '../support/run-k6.ts';
import { startServer } from '../support/start-server.ts';

const TRANSPORTS = ['polling', 'websocket', 'polling,websocket'] as const;

interface Stock {
  readonly url: string;
  readonly io: Server;
  /** Of every request with a session id: transport, session id, cookies. */
  readonly requests: (readonly [transport: string, sid: string, cookies: string | undefined])[];
  /** Cookie that each session was given. */
  readonly given: Map<string, string>;
}

function handlers(socket: ServerSocket): void {
  let answer: unknown;
  const { conn } = socket;
  const on = (event: string, listener: (...args: never[]) => void) => socket.on(event, listener as () => void);
  on('echo', (value: unknown, ack: (value: unknown) => void) => ack(value));
  on('where', (ack: (name: string) => void) => ack(socket.nsp.name));
  on('auth', (ack: (auth: unknown) => void) => ack(socket.handshake.auth));
  on('ask me', () =>
    socket.emit('question', 'why', (value: unknown) => {
      answer = value;
    }),
  );
  on('what did I answer', async (ack: (value: unknown) => void) => {
    await eventually(() => answer !== undefined);
    ack(answer);
  });
  on('cut me', () => void conn.close());
  on('stop pinging', () => {
    const timers = conn as unknown as { pingIntervalTimer?: NodeJS.Timeout; pingTimeoutTimer?: NodeJS.Timeout };
    clearTimeout(timers.pingIntervalTimer);
    clearTimeout(timers.pingTimeoutTimer);
  });
  on('count', (end: number) => {
    void socket.join('counted');
    let n = 0;
    const timer = setInterval(() => {
      socket.nsp.to('counted').emit('number', n++);
      if (n === end) clearInterval(timer);
    }, 10);
  });
}

async function startStock(options: Record<string, unknown> = {}): Promise<Stock> {
  const http = createServer();
  const io = new Server(http, { pingInterval: 1_000, pingTimeout: 3_000, connectionStateRecovery: {}, ...options });
  const requests: Stock['requests'][number][] = [];
  const given = new Map<string, string>();
  io.engine.on('initial_headers', (headers: Record<string, string>) => {
    headers['set-cookie'] = `route=${given.size}-${requests.length}`;
    io.engine.once('connection', (session: { id: string }) => given.set(session.id, headers['set-cookie'] ?? ''));
  });
  io.engine.on('headers', (_headers: unknown, request: { url: string; headers: { cookie?: string } }) => {
    const query = new URL(request.url, 'http://localhost').searchParams;
    const sid = query.get('sid');
    if (sid !== null) requests.push([query.get('transport') ?? '', sid, request.headers.cookie]);
  });
  io.use((socket, next) =>
    socket.handshake.auth.token === 'wrong'
      ? next(Object.assign(new Error('not you'), { data: { code: 'unauthorized' } }))
      : next(),
  );
  io.on('connection', handlers);
  io.of('/other').on('connection', handlers);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => io.close());
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, io, requests, given };
}

async function run(CASE: string, url: string, transports: string): Promise<Record<string, unknown>> {
  const { messages, stderr } = await runK6('test/client.js', { URL: url, CASE, TRANSPORTS: transports });
  const line = messages.find((text) => text.startsWith('RESULT '));
  if (line === undefined) throw new Error(stderr);
  return JSON.parse(line.slice('RESULT '.length)) as Record<string, unknown>;
}

const numbers = (length: number) => Array.from({ length }, (_, i) => i);
const title = (text: string) => (NO_K6 === undefined ? text : `${text} (${NO_K6})`);

describe.skipIf(NO_K6 !== undefined).each(TRANSPORTS)(
  title('the k6 client over %s, beside a stock server'),
  (transports) => {
    it('gets acks, gives acks, and gives up on one that does not come', async () => {
      const { url } = await startStock();
      const { id, engineId, ...rest } = await run('acks', url, transports);
      expect(rest).toEqual({
        answer: { text: 'käse 😀', list: [1, null, true] },
        late: 'operation has timed out',
        viaCallback: 7,
        asked: 'why',
        told: 'why!',
      });
      expect(id).not.toBe(engineId);
    });

    it('carries binary attachments both ways', async () => {
      const { url } = await startStock();
      const bytes = [true, 0, 1, 2, 253, 254, 255];
      expect(await run('binary', url, transports)).toEqual({ name: 'file', parts: [bytes, bytes], more: 1 });
    });

    it('speaks to several namespaces over one connection, and is told of one that does not exist', async () => {
      const { url } = await startStock();
      expect(await run('namespaces', url, transports)).toEqual({
        answers: ['/', '/other', '/other'],
        still: '/',
        missing: 'Invalid namespace',
        isActive: false,
        sharesEngine: true,
      });
    });

    it('does not come back when a middleware says no', async () => {
      const { url, io } = await startStock();
      expect(await run('refused', url, transports)).toEqual({
        message: 'not you',
        data: { code: 'unauthorized' },
        isActive: false,
        state: 'closed',
      });
      expect(io.engine.clientsCount).toBe(0);
    });

    it('asks for its credentials at each connection', async () => {
      const { url } = await startStock();
      const { first, second } = await run('auth', url, transports);
      expect(first).toEqual({ token: 'right', call: 1 });
      expect(second).toMatchObject({ token: 'right', call: 2, pid: expect.any(String) });
    });

    it('comes back after a cut, with what was emitted meanwhile', async () => {
      const { url } = await startStock({ connectionStateRecovery: undefined });
      const { log, ...rest } = await run('reconnect', url, transports);
      expect(rest).toEqual({ lost: 'socket has been disconnected', kept: 'kept', isNew: true, recovered: false });
      expect(log).toEqual([expect.stringMatching(/^transport (close|error)$/), 'attempt 1', 'back 1']);
    });

    it('recovers its session and what it missed, in order', async () => {
      const { url } = await startStock();
      expect(await run('recovery', url, transports)).toEqual({ got: numbers(60), recovered: true, isSame: true });
    });

    it('answers pings, and leaves a server that stopped pinging', async () => {
      const { url } = await startStock({ pingInterval: 400, pingTimeout: 800 });
      const { pings, reason, wasLost } = await run('heartbeat', url, transports);
      expect(pings).toBeGreaterThanOrEqual(3);
      expect([reason, wasLost]).toEqual(['ping timeout', false]);
    });

    it('keeps each of its sockets on its own route', async () => {
      const { url, requests, given } = await startStock();
      expect(await run('many', url, transports)).toEqual({ sum: 435, distinct: 30 });
      const wrong = requests.filter(([, sid, cookies]) => cookies !== given.get(sid));
      expect(wrong).toEqual([]);
      if (transports !== 'websocket') expect(requests.length).toBeGreaterThan(60);
    });

    it('gives up after as many attempts as it may make', async () => {
      const { errors } = await run('refusedConnection', 'http://127.0.0.1:1', transports);
      expect(errors).toHaveLength(3);
      expect((errors as string[])[0]).toContain('refused');
    });

    it('is recovered by this server, too', async () => {
      const { url } = await startServer({ SOCKETFLEET_RECOVERY: 'on' }, (io) => {
        io.on('connection', handlers);
      });
      expect(await run('recovery', url, transports)).toEqual({ got: numbers(60), recovered: true, isSame: true });
    });
  },
);

describe.skipIf(NO_K6 !== undefined)(title('the upgrade of the k6 client'), () => {
  it('loses and reorders nothing that is sent meanwhile', async () => {
    const { url } = await startStock();
    expect(await run('upgrade', url, 'polling,websocket')).toEqual({
      // One upgrade tells that it began on polling; on a fast machine it is over before the first look.
      before: expect.stringMatching(/^(?:polling|websocket)$/),
      after: 'websocket',
      answers: numbers(40),
      upgrades: 1,
    });
  });

  it('leaves it on polling when the server has no WebSocket', async () => {
    const { url } = await startStock({ transports: ['polling'] });
    const result = await run('upgrade', url, 'polling,websocket');
    expect(result).toMatchObject({ after: 'polling', answers: numbers(40), upgrades: 0 });
  });
});
