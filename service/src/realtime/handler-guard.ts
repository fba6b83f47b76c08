/**
 * Keeps handlers from ending the process: a handler, middleware or ack callback that throws or rejects becomes a fault
 * of that handler alone. What is overridden for it is listed in upstream.ts.
 */
import { Namespace, Server, Socket } from 'socket.io';
import type { RefusalCode } from '../refusals.ts';
import { type ClientCalls, createClientCalls } from './guard-clients.ts';
import { guardNamespaces } from './guard-namespaces.ts';
import { guardSockets } from './guard-sockets.ts';
import { callGuarded, guarded, type Listener } from './guarded-calls.ts';

/** What a guarded server asks and reports. */
export interface HandlerGuard {
  /** The id of a new socket. */
  mintId(): string;
  /** How many a connection may be in. */
  readonly namespacesPerConnection: number;
  /** Whether a client may bring a namespace of this name into being; no function of a dynamic namespace was asked yet. */
  admitNamespace(name: string): boolean;
  /** A client has brought this namespace into being. */
  brought(nsp: Namespace): void;
  /** The app has asked for this namespace by its name, and may have kept it. */
  handedOut(nsp: Namespace): void;
  /** A CONNECT was refused: with a code of ours, or by a middleware of the app. */
  refused(nsp: string, code: RefusalCode | 'middleware'): void;
  /** Runs before every other middleware of every namespace, dynamic ones included. A rejection becomes `connect_error`. */
  authenticate(socket: Socket): Promise<void>;
  /** The socket is in its namespace now; no handler has seen it yet. */
  joined(socket: Socket): void;
  /** It has left; no handler has heard of it yet. Called once for each `joined`. */
  left(socket: Socket, reason: string): void;
  /** Whether this event may reach its handlers. */
  admitEvent(socket: Socket, event: readonly unknown[]): boolean;
  /** A handler threw or rejected. */
  onFault(error: unknown, where: { nsp: Namespace; event: string }): void;
}

/** The guard of a server, if it has one. */
export type GuardOf = (server: Server) => HandlerGuard | undefined;

type Predicate = (name: string, auth: object, next: (error: Error | null, allow: boolean) => void) => unknown;

interface BroadcastInternals {
  readonly adapter: { readonly nsp: Namespace };
  emit(event: string, ...args: unknown[]): boolean;
}

const guards = new WeakMap<Server, HandlerGuard>();
let isInstalled = false;

/** From now on no handler of `server` can end the process, and `guard` sees every socket and event first. */
export function guardHandlers(server: Server, guard: HandlerGuard): void {
  guards.set(server, guard);
  if (isInstalled) return;
  isInstalled = true;
  const guardOf: GuardOf = (guarded) => guards.get(guarded);
  guardSockets(Socket.prototype as never, guardOf);
  const calls = createClientCalls();
  guardNamespaces(Namespace.prototype as never, guardOf, calls);
  guardServers(Server.prototype as never, calls);
  // Its class is not exported.
  guardBroadcasts(Object.getPrototypeOf(server.to('')) as BroadcastInternals);
}

interface ServerInternals {
  of(name: unknown, ...rest: unknown[]): Namespace;
  _checkNamespace(name: string, auth: object, done: (nsp: unknown) => void): void;
}

/** A dynamic namespace whose function fails for a client does not exist for it; nor does one with a name that may not be. */
function guardServers(prototype: ServerInternals, calls: ClientCalls): void {
  const { of, _checkNamespace } = prototype;
  prototype.of = function (this: Server, name, ...rest) {
    const guard = guards.get(this);
    if (guard === undefined || typeof name !== 'function') {
      const nsp = of.call(this, name, ...rest);
      if (typeof name === 'string' && !calls.isUnderWay()) guard?.handedOut(nsp);
      return nsp;
    }
    const allows = name as Predicate;
    const asked: Predicate = (child, auth, next) => {
      callGuarded(
        () => allows(child, auth, next),
        (error) => {
          guard.onFault(error, { nsp: this.of('/'), event: 'namespace' });
          next(null, false);
        },
      );
    };
    return of.call(this, asked, ...rest);
  };
  prototype._checkNamespace = function (this: Server, name, auth, done) {
    const guard = guards.get(this);
    if (guard === undefined) return _checkNamespace.call(this, name, auth, done);
    const answer = (nsp: unknown) => {
      if (nsp) guard.brought(nsp as Namespace);
      else guard.refused(name, 'not_found');
      calls.run(() => done(nsp));
    };
    if (guard.admitNamespace(name)) _checkNamespace.call(this, name, auth, answer);
    else answer(false);
  };
}

/** Upstream calls the callback of a broadcast from a timer as well, where a throw ends the process. */
function guardBroadcasts(prototype: BroadcastInternals): void {
  const { emit } = prototype;
  prototype.emit = function (this: BroadcastInternals, event, ...args) {
    const { nsp } = this.adapter;
    const guard = guards.get(nsp.server);
    const ack = args.at(-1);
    if (guard === undefined || typeof ack !== 'function') return emit.call(this, event, ...args);
    return emit.call(
      this,
      event,
      ...args.slice(0, -1),
      guarded(ack as Listener, (error) => guard.onFault(error, { nsp, event })),
    );
  };
}
