/** What a guarded server overrides in its namespaces. */
import type { Namespace, Server, Socket } from 'socket.io';
import { Refused } from '../refusals.ts';
import { type ClientCalls, type ClientInternals, guardClients } from './guard-clients.ts';
import { callGuarded, callListeners } from './guarded-calls.ts';
import type { GuardOf, HandlerGuard } from './handler-guard.ts';

type Middleware = (socket: Socket, next: (error?: Error) => void) => unknown;

interface NamespaceInternals {
  readonly name: string;
  readonly server: Server;
  readonly _fns: readonly Middleware[];
  rawListeners(event: string): unknown[];
  run(socket: Socket, done: (error: Error | null) => void): void;
  _add(client: unknown, auth: unknown, done: (socket: Socket) => void): Promise<void>;
  _createSocket(client: unknown, auth: unknown): Promise<Socket>;
  emitReserved(event: string, ...args: unknown[]): boolean;
  _onServerSideEmit(event: readonly [string, ...unknown[]]): void;
}

/** Installs the overrides on the prototype of all namespaces; servers without a guard keep upstream's behaviour. */
export function guardNamespaces(prototype: NamespaceInternals, guardOf: GuardOf, calls: ClientCalls): void {
  const { run, emitReserved, _add, _createSocket, _onServerSideEmit } = prototype;
  // By connection: the namespaces that it is about to join.
  const joining = new WeakMap<object, Set<NamespaceInternals>>();
  const joined = (client: object, nsp: NamespaceInternals) => {
    const own = joining.get(client);
    own?.delete(nsp);
    // Not one set per client for as long as it stays.
    if (own?.size === 0) joining.delete(client);
  };

  // Their class is not exported; the first client of a process to join anything shows it, and that one has joined nothing yet.
  let hasClients = false;
  const learnClients = (client: object) => {
    if (hasClients) return;
    hasClients = true;
    const pending = (one: object) => joining.get(one)?.size ?? 0;
    guardClients(Object.getPrototypeOf(client) as ClientInternals, { guardOf, calls, pending });
  };

  // Upstream notices a second CONNECT only once the first has succeeded; in one turn a client could join a thousand times.
  prototype._add = async function (this: NamespaceInternals, client, auth, done) {
    learnClients(client as object);
    const guard = guardOf(this.server);
    if (guard === undefined) return _add.call(this, client, auth, done);
    const connection = client as { readonly conn: { close(): void } };
    const own = joining.get(connection) ?? new Set();
    if (own.has(this)) return connection.conn.close();
    joining.set(connection, own.add(this));
    try {
      await _add.call(this, client, auth, done);
    } catch (error) {
      joined(connection, this);
      guard.onFault(error, { nsp: asNamespace(this), event: 'connect' });
    }
  };
  prototype._createSocket = async function (this: NamespaceInternals, client, auth) {
    const socket = await _createSocket.call(this, client, auth);
    const guard = guardOf(this.server);
    // Nothing has used the id yet; a recovered socket keeps the one that its client knows.
    if (guard !== undefined && !socket.recovered) (socket as { id: string }).id = guard.mintId();
    return socket;
  };
  prototype.run = function (this: NamespaceInternals, socket, done) {
    const guard = guardOf(this.server);
    if (guard === undefined) return run.call(this, socket, done);
    const finish = (error: Error | null) => {
      if (error !== null) guard.refused(this.name, error instanceof Refused ? error.refusal : 'middleware');
      done(error);
      // Upstream goes on in the next tick; until then the socket is neither on its way nor in.
      process.nextTick(() => joined(clientOf(socket), this));
    };
    runMiddlewares(this, socket, guard).then(
      () => finish(null),
      (error) => finish(error instanceof Error ? error : new Refused('internal')),
    );
  };
  prototype.emitReserved = function (this: NamespaceInternals, event, ...args) {
    const guard = guardOf(this.server);
    if (guard === undefined) return emitReserved.call(this, event, ...args);
    if (event === 'connect') guard.joined(args[0] as Socket);
    return callListeners(this.rawListeners(event), { self: this, args }, (error) =>
      guard.onFault(error, { nsp: asNamespace(this), event }),
    );
  };
  prototype._onServerSideEmit = function (this: NamespaceInternals, event) {
    const guard = guardOf(this.server);
    if (guard === undefined) return _onServerSideEmit.call(this, event);
    const [name, ...args] = event;
    callListeners(this.rawListeners(name), { self: this, args }, (error) =>
      guard.onFault(error, { nsp: asNamespace(this), event: name }),
    );
  };
}

/** Our own check first, then the namespace's middlewares in their order; a fault in one refuses this socket only. */
async function runMiddlewares(nsp: NamespaceInternals, socket: Socket, guard: HandlerGuard): Promise<void> {
  await guard.authenticate(socket);
  for (const middleware of nsp._fns.slice()) {
    await new Promise<void>((resolve, reject) => {
      const fault = (error: unknown) => {
        guard.onFault(error, { nsp: asNamespace(nsp), event: 'middleware' });
        reject(new Refused('internal'));
      };
      const next = (error?: Error) => (error ? reject(error) : resolve());
      callGuarded(() => middleware(socket, next), fault);
    });
  }
}

function clientOf(socket: Socket): object {
  return (socket as unknown as { readonly client: object }).client;
}

function asNamespace(nsp: NamespaceInternals): Namespace {
  return nsp as unknown as Namespace;
}
