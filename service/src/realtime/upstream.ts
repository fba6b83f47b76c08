/**
 * Everything that we override in, or read from, the private parts of Socket.IO and Engine.IO.
 * Each has a test in test/integration/upstream.test.ts that fails when upstream changes under it.
 *
 * - Socket.prototype.dispatch, _onpacket, emitReserved; Namespace.prototype.run, emitReserved: a handler or middleware
 *   that throws or rejects becomes a fault of that handler. Upstream lets it end the process (or hang the client).
 *   They apply only to servers given to `guardHandlers`.
 * - Namespace.prototype._createSocket: ids of sockets name the server that owns them.
 * - Server._nsps: every namespace, to find a socket by its id.
 * - Engine.IO transport.socket: the WebSocket behind a connection, for its close code and its unsent bytes.
 */
import type { Socket as EngineSocket } from 'engine.io';
import { Namespace, type Server, Socket } from 'socket.io';
import type { WebSocket } from 'ws';
import { Refused, refusalBody } from '../refusals.ts';

/** What a guarded server asks and reports. */
export interface HandlerGuard {
  /** The id of a new socket. */
  mintId(): string;
  /** Runs before every other middleware of every namespace, dynamic ones included. A rejection becomes `connect_error`. */
  authenticate(socket: Socket): Promise<void>;
  /** Whether this event may reach its handlers. */
  admitEvent(socket: Socket, event: readonly unknown[]): boolean;
  /** A handler threw or rejected. */
  onFault(error: unknown, where: { nsp: string; event: string }): void;
}

type Listener = (...args: unknown[]) => unknown;
type Middleware = (socket: Socket, next: (error?: Error) => void) => unknown;

interface SocketInternals {
  readonly nsp: Namespace;
  readonly connected: boolean;
  rawListeners(event: string): unknown[];
  dispatch(event: unknown[]): void;
  run(event: unknown[], done: (error?: Error) => void): void;
  _onerror(error: Error): void;
  _onpacket(packet: object): void;
  emitReserved(event: string, ...args: unknown[]): boolean;
}
interface NamespaceInternals {
  readonly name: string;
  readonly server: Server;
  rawListeners(event: string): unknown[];
  readonly _fns: readonly Middleware[];
  run(socket: Socket, done: (error: Error | null) => void): void;
  _createSocket(client: unknown, auth: unknown): Promise<Socket>;
  emitReserved(event: string, ...args: unknown[]): boolean;
}

const guards = new WeakMap<Server, HandlerGuard>();
let isInstalled = false;

/** From now on no handler of `server` can end the process, and `guard` sees every socket and event first. */
export function guardHandlers(server: Server, guard: HandlerGuard): void {
  guards.set(server, guard);
  if (isInstalled) return;
  isInstalled = true;
  guardSockets(Socket.prototype as unknown as SocketInternals);
  guardNamespaces(Namespace.prototype as unknown as NamespaceInternals);
}

function guardSockets(prototype: SocketInternals): void {
  const { dispatch, _onpacket, emitReserved } = prototype;
  prototype.dispatch = function (this: SocketInternals, event) {
    const guard = guards.get(this.nsp.server);
    if (guard === undefined) return dispatch.call(this, event);
    if (!guard.admitEvent(asSocket(this), event)) return;
    this.run(event, (error) => {
      process.nextTick(() => {
        if (error) this._onerror(error);
        else if (this.connected) callEach(this, event, guard);
      });
    });
  };
  prototype._onpacket = function (this: SocketInternals, packet) {
    const guard = guards.get(this.nsp.server);
    if (guard === undefined) return _onpacket.call(this, packet);
    attempt(() => _onpacket.call(this, packet), guard, this.nsp.name, 'packet');
  };
  prototype.emitReserved = function (this: SocketInternals, event, ...args) {
    const guard = guards.get(this.nsp.server);
    if (guard === undefined) return emitReserved.call(this, event, ...args);
    return callListeners(this.rawListeners(event) as Listener[], this, args, (error) =>
      guard.onFault(error, { nsp: this.nsp.name, event }),
    );
  };
}

function guardNamespaces(prototype: NamespaceInternals): void {
  const { run, emitReserved, _createSocket } = prototype;
  prototype._createSocket = async function (this: NamespaceInternals, client, auth) {
    const socket = await _createSocket.call(this, client, auth);
    const guard = guards.get(this.server);
    // Nothing has used the id yet; a recovered socket keeps the one that its client knows.
    if (guard !== undefined && !socket.recovered) (socket as { id: string }).id = guard.mintId();
    return socket;
  };
  prototype.run = function (this: NamespaceInternals, socket, done) {
    const guard = guards.get(this.server);
    if (guard === undefined) return run.call(this, socket, done);
    runMiddlewares(this, socket, guard).then(
      () => done(null),
      (error) => done(error instanceof Error ? error : new Refused('internal')),
    );
  };
  prototype.emitReserved = function (this: NamespaceInternals, event, ...args) {
    const guard = guards.get(this.server);
    if (guard === undefined || (event !== 'connect' && event !== 'connection')) {
      return emitReserved.call(this, event, ...args);
    }
    return callListeners(this.rawListeners(event) as Listener[], this, args, (error) =>
      guard.onFault(error, { nsp: this.name, event }),
    );
  };
}

/** Our own check first, then the namespace's middlewares in their order; a fault in one refuses this socket only. */
async function runMiddlewares(nsp: NamespaceInternals, socket: Socket, guard: HandlerGuard): Promise<void> {
  await guard.authenticate(socket);
  for (const middleware of nsp._fns.slice()) {
    await new Promise<void>((resolve, reject) => {
      const fault = (error: unknown) => {
        guard.onFault(error, { nsp: nsp.name, event: 'middleware' });
        reject(new Refused('internal'));
      };
      const next = (error?: Error) => (error ? reject(error) : resolve());
      try {
        const result = middleware(socket, next);
        if (isThenable(result)) result.then(undefined, fault);
      } catch (error) {
        fault(error);
      }
    });
  }
}

function callEach(socket: SocketInternals, event: readonly unknown[], guard: HandlerGuard): void {
  const [name, ...args] = event as [string, ...unknown[]];
  callListeners(socket.rawListeners(name) as Listener[], socket, args, (error) => {
    guard.onFault(error, { nsp: socket.nsp.name, event: name });
    const ack = args.at(-1);
    if (typeof ack === 'function') ack(refusalBody('internal'));
  });
}

/** Calls raw listeners, so that `once` wrappers remove themselves, and survives each of them. */
function callListeners(
  listeners: readonly Listener[],
  self: object,
  args: readonly unknown[],
  onFault: (error: unknown) => void,
): boolean {
  for (const listener of listeners) {
    try {
      const result = listener.apply(self, [...args]);
      if (isThenable(result)) result.then(undefined, onFault);
    } catch (error) {
      onFault(error);
    }
  }
  return listeners.length > 0;
}

function attempt(call: () => void, guard: HandlerGuard, nsp: string, event: string): void {
  try {
    call();
  } catch (error) {
    guard.onFault(error, { nsp, event });
  }
}

function asSocket(socket: SocketInternals): Socket {
  return socket as unknown as Socket;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}

/** The WebSocket behind a connection, unless it is still polling. */
export function webSocketOf(connection: EngineSocket): WebSocket | undefined {
  if (connection.transport?.name !== 'websocket') return undefined;
  return (connection.transport as unknown as { socket?: WebSocket }).socket;
}

/** What has been taken for a connection and not yet left this process. */
export function bufferedBytes(connection: EngineSocket): number {
  let bytes = webSocketOf(connection)?.bufferedAmount ?? 0;
  const queue = (connection as unknown as { writeBuffer: readonly { data?: unknown }[] }).writeBuffer;
  for (const packet of queue) bytes += sizeOf(packet.data);
  return bytes;
}

/** Bytes of one Engine.IO message; text counts its UTF-16 units, which is enough for a limit. */
export function sizeOf(data: unknown): number {
  if (typeof data === 'string') return data.length;
  return (data as { byteLength?: number } | undefined)?.byteLength ?? 0;
}

/** The namespaces of a server that exist now, children of dynamic ones included. */
export function namespacesOf(server: Server): Iterable<Namespace> {
  return (server as unknown as { _nsps: Map<string, Namespace> })._nsps.values();
}
