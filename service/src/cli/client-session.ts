/** A stock Socket.IO client that keeps its rooms: it joins again when it comes back to a session that was not recovered. */
import { setTimeout as delay } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import type { PresenceChange } from '../contracts.ts';
import type { ClientOptions } from './client-options.ts';
import { type ConnectProblem, connectProblem, disconnectReason } from './client-problems.ts';

/** Answer to a request: what the server acknowledged, or that it did not. */
export type Reply =
  | { readonly ok: true; readonly [field: string]: unknown }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly retry: boolean };

/** What a session reports. */
export interface SessionListener {
  /** `awayMs` is absent the first time. Rooms are joined again afterwards, unless the session was recovered. */
  connected(event: { readonly awayMs?: number; readonly isRecovered: boolean }): void;
  disconnected(reason: string): void;
  /** A try failed; `isFinal`: there will be no other, the session has ended. */
  failed(problem: ConnectProblem): void;
  /** A room was asked for when a session began, and this was the answer. */
  joined(room: string, reply: Reply): void;
  message(data: unknown, meta: unknown): void;
  presence(change: PresenceChange): void;
  /** The server could not fill a gap. */
  recovery(reason: string): void;
}

/** A connection and its rooms. */
export interface Session {
  start(): void;
  /** Asks the server; asks again when the connection goes away meanwhile. A refusal is an answer; rejects only after the end. */
  request(event: string, ...args: readonly unknown[]): Promise<Reply>;
  join(room: string): Promise<Reply>;
  leave(room: string): Promise<Reply>;
  rooms(): readonly string[];
  transport(): string | undefined;
  /** Whether there is a connection and our rooms are joined. */
  isReady(): boolean;
  /** Resolves when that is so, rejects when it never will be. */
  ready(): Promise<void>;
  /** Resolves once what was sent has left. Safe to call twice. */
  stop(): Promise<void>;
}

const ANSWER_WITHIN_MS = 10_000;
const CLOSE_WITHIN_MS = 1_000;

/** Creates a session; nothing is sent before `start`. */
export function createSession(options: ClientOptions, listener: SessionListener): Session {
  const socket: Socket = io(options.url, {
    autoConnect: false,
    forceNew: true,
    auth: options.token === undefined ? {} : { token: options.token },
    // Outside a browser this is what keeps a balancer's affinity cookie.
    withCredentials: true,
    ...(options.transport === undefined ? {} : { transports: [options.transport] }),
  });
  // Rooms we want to be in, and whether the server has confirmed them for the present session.
  const rooms = new Map<string, boolean>(options.rooms.map((room) => [room, false]));
  let gate = createGate();
  let wasConnected = false;
  let isAway = true;
  let lostAt = 0;
  let lastProblem = '';

  const joinArgs = (room: string) => [room, options.name === undefined ? {} : { presence: { name: options.name } }];

  async function ask(event: string, args: readonly unknown[]): Promise<Reply | undefined> {
    try {
      return asReply(await socket.timeout(ANSWER_WITHIN_MS).emitWithAck(event, ...args));
    } catch {
      if (!socket.connected) return undefined;
      return { ok: false, code: 'no_answer', message: `no answer to ${event} within 10 s`, retry: true };
    }
  }

  async function request(event: string, ...args: readonly unknown[]): Promise<Reply> {
    for (;;) {
      await gate.opened;
      const reply = await ask(event, args);
      if (reply !== undefined) return reply;
    }
  }

  async function enterRooms(id: string | undefined): Promise<void> {
    for (const [room, isConfirmed] of rooms) {
      if (isConfirmed) continue;
      const reply = await patiently(() => ask('join', joinArgs(room)));
      if (reply === undefined || socket.id !== id) return;
      if (reply.ok) rooms.set(room, true);
      else rooms.delete(room);
      listener.joined(room, reply);
    }
    gate.open();
  }

  function end(problem: string): void {
    socket.disconnect();
    if (gate.isOpen) gate = createGate();
    gate.fail(new Error(problem));
  }

  // What was missed reaches us before the stock client says `connect`; whatever comes first tells that we are back.
  function arrive(): void {
    if (!isAway) return;
    isAway = false;
    lastProblem = '';
    const isRecovered = Boolean(socket.recovered);
    const awayMs = performance.now() - lostAt;
    if (!isRecovered) for (const room of rooms.keys()) rooms.set(room, false);
    listener.connected(wasConnected ? { awayMs, isRecovered } : { isRecovered });
    wasConnected = true;
  }

  socket.on('connect', () => {
    arrive();
    void enterRooms(socket.id);
  });
  socket.on('disconnect', (reason, details) => {
    if (reason === 'io client disconnect') return;
    isAway = true;
    lostAt = performance.now();
    if (gate.isOpen) gate = createGate();
    listener.disconnected(disconnectReason(reason, details));
    if (socket.active) return;
    const text = 'the server has ended this session; a stock client does not come back from that by itself';
    end(text);
    listener.failed({ text, isFinal: true });
  });
  socket.on('connect_error', (error) => {
    const { url, token } = options;
    const problem = connectProblem(error, {
      url,
      hasToken: token !== undefined,
      isRetried: socket.active,
      wasConnected,
    });
    if (problem.isFinal) end(problem.text);
    if (problem.isFinal || problem.text !== lastProblem) listener.failed(problem);
    lastProblem = problem.text;
  });
  socket.on('message', (data: unknown, meta: unknown) => {
    arrive();
    listener.message(data, meta);
  });
  socket.on('presence', (change: PresenceChange) => {
    arrive();
    listener.presence(change);
  });
  socket.on('recovery', (event: unknown) => {
    arrive();
    listener.recovery(reasonOf(event));
  });

  return {
    start: () => void socket.connect(),
    request,
    async join(room) {
      const reply = await request('join', ...joinArgs(room));
      if (reply.ok) rooms.set(room, true);
      return reply;
    },
    async leave(room) {
      const reply = await request('leave', room);
      if (reply.ok) rooms.delete(room);
      return reply;
    },
    rooms: () => [...rooms.keys()],
    transport: () => socket.io.engine?.transport.name,
    isReady: () => gate.isOpen,
    ready: () => gate.opened,
    async stop() {
      const closed = engineClosed(socket);
      end('the client was stopped');
      await closed;
    },
  };
}

/** Asks again, a few times and ever later, while the answer is a refusal that allows it. */
export async function patiently<R extends Reply | undefined>(ask: () => Promise<R>): Promise<R> {
  for (let waitMs = 250; ; waitMs *= 2) {
    const reply = await ask();
    if (reply === undefined || reply.ok || !reply.retry || waitMs > 4_000) return reply;
    await delay(waitMs);
  }
}

function engineClosed(socket: Socket): Promise<void> {
  const engine = socket.connected ? socket.io.engine : undefined;
  if (engine === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, CLOSE_WITHIN_MS);
    engine.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

interface Gate {
  readonly isOpen: boolean;
  /** Resolves when opened, rejects when it never will be. */
  readonly opened: Promise<void>;
  open(): void;
  fail(error: Error): void;
}

function createGate(): Gate {
  let isOpen = false;
  const { promise, resolve, reject } = withResolvers();
  // Whoever waits sees the rejection; without anyone waiting there is nobody to tell.
  promise.catch(() => undefined);
  return {
    get isOpen() {
      return isOpen;
    },
    opened: promise,
    open() {
      isOpen = true;
      resolve();
    },
    fail: reject,
  };
}

// Promise.withResolvers came with Node 22.
function withResolvers() {
  let resolve: () => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

function asReply(value: unknown): Reply {
  if (typeof value === 'object' && value !== null && 'ok' in value) {
    if (value.ok === true) return value as Reply;
    const { code, message, retry } = value as Record<string, unknown>;
    return { ok: false, code: String(code), message: String(message), retry: retry === true };
  }
  return {
    ok: false,
    code: 'bad_answer',
    message: 'the server answered in another way than the gateway',
    retry: false,
  };
}

function reasonOf(event: unknown): string {
  if (typeof event === 'object' && event !== null && 'reason' in event) return String(event.reason);
  return 'unknown';
}
