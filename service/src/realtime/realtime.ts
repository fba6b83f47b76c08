/** The public side of one server: HTTP, Engine.IO and Socket.IO, built around an Inlet and a Fanout. */
import {
  createServer,
  type ServerOptions as HttpOptions,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { Server as Engine, Socket as EngineSocket } from 'engine.io';
import { type Namespace, Server, type Socket } from 'socket.io';
import type {
  Cancel,
  Clock,
  Directory,
  Fanout,
  Identities,
  Identity,
  Inlet,
  Log,
  Metrics,
  Publisher,
  SocketListener,
  Startable,
} from '../contracts.ts';
import { type RefusalCode, Refused, refusalBody } from '../refusals.ts';
import { createAdmission } from './admit.ts';
import { createBrake } from './brake.ts';
import { createClientAddress, forwardedFor } from './client-address.ts';
import { type Connections, createConnections, cut } from './connections.ts';
import { createDemoPage } from './demo-page.ts';
import { createLocalDirectory } from './directory.ts';
import { createEmptyNamespaces } from './empty-namespaces.ts';
import { guardHandlers } from './handler-guard.ts';
import { createIdempotency } from './idempotency.ts';
import { isNamespaceName } from './namespace-names.ts';
import { isNestedDeeper } from './nesting.ts';
import { createPublisher } from './publisher.ts';
import { startAfresh } from './recovered-sockets.ts';
import { createSessions } from './sessions.ts';
import { mintId } from './socket-ids.ts';
import { endStrayUpgrades } from './stray-upgrades.ts';
import { watchResponses } from './unread-responses.ts';
import { bufferedBytes, isDynamic, limitWebSockets, sizeOf } from './upstream.ts';

export interface RealtimeOptions {
  readonly pod: string;
  readonly demo: boolean;
  readonly origins: readonly string[];
  readonly trustedProxies: readonly string[];
  /** Undefined: no connection state recovery. */
  readonly recoveryWindowMs: number | undefined;
  readonly idempotencyWindowMs: number;
  readonly handshakesPerSecond: number;
  readonly maxConnections: number;
  readonly sessionsPerAddress: number;
  readonly connectTimeoutMs: number;
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  readonly maxPayloadBytes: number;
  readonly namespacesPerConnection: number;
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
  readonly slowReaderSoftBytes: number;
  readonly slowReaderHardBytes: number;
  /** Instead of the built-in ones; for tests, which cannot wait that long. */
  readonly httpLimits?: HttpLimits | undefined;
}

/** Times after which a slow request is ended, how often Node looks, and the time after which an unread response is cut. */
export type HttpLimits = Pick<HttpOptions, 'headersTimeout' | 'requestTimeout' | 'connectionsCheckingInterval'> & {
  readonly responseTimeoutMs?: number;
};

export interface RealtimeDeps {
  readonly inlet: Inlet;
  readonly fanout: Fanout;
  readonly identities: Identities;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Recent event-loop delay, for the brake. */
  eventLoopDelayMs(): number;
  /** The directory of all servers over that of this one. */
  directoryOver(local: Directory): Directory & SocketListener;
  /** Claims an idempotency key among all servers; see the publisher. */
  claim(key: string, id: string): Promise<string | undefined>;
  unclaim(key: string, id: string): Promise<void>;
  /** Two characters that name this server in the ids it makes. */
  ownTag(): string;
  /** True once new sessions must go elsewhere. */
  refusesSessions(): boolean;
}

/** A connection as the drain lets it go. */
export interface RealtimeConnection {
  isOpen(): boolean;
  hasUnsent(): boolean;
  letGo(): void;
  cut(): void;
}

export interface Realtime extends Startable {
  readonly io: Server;
  readonly publisher: Publisher;
  readonly directory: Directory;
  identityOf(socket: Socket): Identity;
  refresh(socket: Socket, token: string): Promise<Identity>;
  connections(): RealtimeConnection[];
  /** How many there are. */
  count(): number;
}

// Deeply nested data overflows the stack of whatever walks it, here, on another server or at a client; the HTTP API has the same bound.
const DEEPEST_DATA = 100;

// Questions of the gateway whose answers are much longer than they are: not for those who leave unread what they got.
const LONG_ANSWERS = new Set<unknown>(['presence']);

// What a request may take before it is cut: slow headers and slow bodies hold a socket, and nothing else ends them.
const HTTP_LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 75_000,
  maxHeaderSize: 16_384,
  connectionsCheckingInterval: 2_000,
};

const RESPONSE_TIMEOUT_MS = 30_000;
// How long a client may take to answer a close frame; what it sends meanwhile is no longer heard.
const CLOSE_WAIT_MS = 5_000;
const STOP_WAIT_MS = 1_000;
// Sessions that may come back to a namespace keep it for their window.
const EMPTY_NAMESPACE_MS = 60_000;
const LONGEST_LOGGED_NAME = 128;
/** Label of namespaces whose names come from clients. */
const DYNAMIC = 'dynamic';

export function createRealtime(options: RealtimeOptions, deps: RealtimeDeps): Realtime {
  const { clock, log, metrics, inlet } = deps;
  const { responseTimeoutMs = RESPONSE_TIMEOUT_MS, ...httpLimits } = options.httpLimits ?? {};
  const http = createServer({ ...HTTP_LIMITS, ...httpLimits }, createPages(options.demo));
  const io = createSocketServer(http, options, deps.fanout);
  const responses = watchResponses(http, { responseTimeoutMs }, clock);
  const connections = createConnections(options, { clock, metrics, responses });
  const brake = createBrake(options.handshakesPerSecond, clock, deps.eventLoopDelayMs);
  const addressOf = createClientAddress(options.trustedProxies);
  const admission = createAdmission(options, {
    brake,
    metrics,
    addressOf,
    refusesSessions: deps.refusesSessions,
    connections: connections.count,
  });
  const sessions = createSessions({
    identities: deps.identities,
    clock,
    expire: (socket) => connections.close(socket.conn, 'token_expired'),
    startAfresh: (socket) => startAfresh(socket, mintId(deps.ownTag())),
    listener: () => directory,
  });
  const directory = deps.directoryOver(createLocalDirectory(io, sessions, options.pod));
  const idempotency = createIdempotency(options.idempotencyWindowMs, clock);
  const unfinished = new WeakMap<EngineSocket, () => void>();
  const keepMs = Math.max(EMPTY_NAMESPACE_MS, options.recoveryWindowMs ?? 0);
  const emptyNamespaces = createEmptyNamespaces(io, { keepMs }, deps);
  let cancels: Cancel[] = [];

  guardHandlers(io, {
    mintId: () => mintId(deps.ownTag()),
    namespacesPerConnection: options.namespacesPerConnection,
    admitNamespace: isNamespaceName,
    brought: emptyNamespaces.brought,
    handedOut: emptyNamespaces.handedOut,
    refused(nsp, code) {
      if (code === 'too_many_namespaces') metrics.refused(code);
      log.debug({ code, nsp: nsp.slice(0, LONGEST_LOGGED_NAME) }, 'connect refused');
    },
    async authenticate(socket) {
      try {
        await sessions.authenticate(socket);
      } catch (error) {
        // A rejection is final for stock clients; one that cannot be judged now has to come again.
        if (error instanceof Refused && error.refusal === 'unavailable') connections.close(socket.conn, 'unavailable');
        throw error;
      }
    },
    admitEvent: (socket, event) => {
      if (!connections.maySpeak(socket.conn)) return refuseEvent(event, 'rate_limited');
      if (event.some((one) => isNestedDeeper(one, DEEPEST_DATA))) {
        return refuseEvent(event, 'bad_request', `nested more than ${DEEPEST_DATA} levels`);
      }
      if (LONG_ANSWERS.has(event[0]) && bufferedBytes(socket.conn) > options.slowReaderSoftBytes) {
        return refuseEvent(event, 'rate_limited', 'read what was sent first');
      }
      return true;
    },
    joined(socket) {
      unfinished.get(socket.conn)?.();
      sessions.began(socket);
      metrics.namespaceJoined(labelOf(socket.nsp));
      const { sub } = sessions.identityOf(socket);
      const address = addressOf(socket.conn.remoteAddress, forwardedFor(socket.request));
      log.debug({ socketId: socket.id, nsp: socket.nsp.name, sub, address }, 'socket connected');
      if (options.recoveryWindowMs === undefined) return;
      if (wantsRecovery(socket)) metrics.recovery(socket.recovered ? 'recovered' : 'fresh');
      // A client that has received no event has no offset to come back with.
      if (!socket.recovered) socket.emit('session', { recovered: false });
    },
    left(socket, reason) {
      sessions.ended(socket);
      metrics.namespaceLeft(labelOf(socket.nsp));
      log.debug({ socketId: socket.id, nsp: socket.nsp.name, reason }, 'socket closed');
    },
    onFault(error, { nsp, event }) {
      metrics.handlerFault(labelOf(nsp));
      log.error({ err: error, nsp: nsp.name, event }, 'handler failed');
    },
  });

  function refuseEvent(event: readonly unknown[], code: RefusalCode, detail?: string): false {
    metrics.refused(code);
    const ack = event.at(-1);
    if (typeof ack === 'function') ack(refusalBody(code, detail));
    return false;
  }

  const engine = io.engine as unknown as Engine;
  engine.use(admission.middleware as Parameters<Engine['use']>[0]);
  engine.on('connection', (connection: EngineSocket) => {
    metrics.handshake('accepted');
    connections.add(connection);
    const finished = admission.began(connection.request);
    unfinished.set(connection, finished);
    connection.once('close', finished);
  });
  engine.on('connection_error', () => metrics.handshake('bad_request'));
  engine.on('flush', (_connection: EngineSocket, packets: readonly { data?: unknown }[]) => {
    let bytes = 0;
    for (const packet of packets) bytes += sizeOf(packet.data);
    metrics.sent(packets.length, bytes);
  });
  endStrayUpgrades(http, { path: io.path() }, clock);
  http.on('listening', () =>
    limitWebSockets(engine, { closeTimeoutMs: CLOSE_WAIT_MS, maxPayloadBytes: options.maxPayloadBytes }),
  );
  metrics.observe({
    brakeTokens: brake.tokens,
    bufferedBytes: connections.bufferedBytes,
    slowReaders: connections.slowReaders,
  });

  return {
    io,
    publisher: createPublisher(io, {
      idempotency,
      clock,
      metrics,
      claim: deps.claim,
      unclaim: deps.unclaim,
      reachesOthers: deps.fanout.reachesOthers,
    }),
    directory,
    identityOf: sessions.identityOf,
    refresh: sessions.refresh,
    connections: () => [...connections.all()].map((connection) => asLeaver(connection, connections)),
    count: connections.count,
    async start() {
      cancels = [connections.watch(), emptyNamespaces.watch()];
      await inlet.start(http);
    },
    async stop() {
      for (const cancel of cancels) cancel();
      await inlet.stop();
      for (const connection of connections.all()) cut(connection);
      // Answers that are being written may leave; who hangs in the middle of a request or of a closing handshake is not waited for.
      await Promise.race([io.close(), passed(clock, STOP_WAIT_MS)]);
      http.closeAllConnections();
    },
  };
}

function createSocketServer(http: HttpServer, options: RealtimeOptions, fanout: Fanout): Server {
  // Socket.IO calls it with `new`, which an arrow function does not take.
  function createAdapter(nsp: Namespace) {
    return fanout.adapter(nsp as never);
  }
  return new Server(http, {
    adapter: createAdapter as never,
    serveClient: false,
    // endStrayUpgrades does it.
    destroyUpgrade: false,
    transports: ['polling', 'websocket'],
    cors: { origin: options.origins.includes('*') ? '*' : [...options.origins] },
    pingInterval: options.pingIntervalMs,
    pingTimeout: options.pingTimeoutMs,
    connectTimeout: options.connectTimeoutMs,
    maxHttpBufferSize: options.maxPayloadBytes,
    ...(options.recoveryWindowMs === undefined
      ? {}
      : { connectionStateRecovery: { maxDisconnectionDuration: options.recoveryWindowMs, skipMiddlewares: false } }),
  });
}

function createPages(demo: boolean): (req: IncomingMessage, res: ServerResponse) => void {
  const page = demo ? createDemoPage() : undefined;
  return (req, res) => {
    if (page?.(req, res)) return;
    res.writeHead(404, { 'Content-Type': 'application/json' });
    res.end(JSON.stringify(refusalBody('not_found', 'Socket.IO is on /socket.io/')));
  };
}

/** Client text is never a label. */
function labelOf(nsp: Namespace): string {
  return isDynamic(nsp) ? DYNAMIC : nsp.name;
}

function passed(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}

function wantsRecovery(socket: Socket): boolean {
  return socket.recovered || (socket.handshake.auth as { pid?: unknown } | undefined)?.pid !== undefined;
}

function asLeaver(connection: EngineSocket, connections: Connections): RealtimeConnection {
  return {
    isOpen: () => connection.readyState === 'open',
    hasUnsent: () => connection.upgrading || bufferedBytes(connection) > 0,
    letGo: () => connections.close(connection, 'draining'),
    cut: () => cut(connection),
  };
}
