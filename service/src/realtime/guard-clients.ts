/** What a guarded server overrides in its clients: Socket.IO's word for a connection with all its namespaces. */
import type { Server } from 'socket.io';
import { refusalBody } from '../refusals.ts';
import type { GuardOf } from './handler-guard.ts';

export interface ClientInternals {
  readonly server: Server;
  readonly nsps: ReadonlyMap<string, unknown>;
  readonly conn: { close(): void };
  connect(name: string, auth?: object): void;
  _packet(packet: object): void;
}

// Of the Socket.IO protocol.
const CONNECT_ERROR = 4;

/** Tells a client's look-up of a namespace from that of an app, which may keep what it gets. */
export interface ClientCalls {
  isUnderWay(): boolean;
  run(call: () => void): void;
}

export function createClientCalls(): ClientCalls {
  let depth = 0;
  return {
    isUnderWay: () => depth > 0,
    run(call) {
      depth++;
      try {
        call();
      } finally {
        depth--;
      }
    },
  };
}

export interface GuardClientsDeps {
  readonly guardOf: GuardOf;
  readonly calls: ClientCalls;
  /** How many namespaces a client is about to join. */
  pending(client: object): number;
}

/**
 * Installs the override on the prototype of all clients: a namespace is not even brought into being for one that may not
 * join it.
 */
export function guardClients(prototype: ClientInternals, { guardOf, calls, pending }: GuardClientsDeps): void {
  const { connect } = prototype;
  prototype.connect = function (this: ClientInternals, name, auth) {
    const guard = guardOf(this.server);
    if (guard === undefined || this.nsps.size + pending(this) < guard.namespacesPerConnection) {
      return calls.run(() => connect.call(this, name, auth));
    }
    const body = refusalBody('too_many_namespaces', `at most ${guard.namespacesPerConnection}`);
    guard.refused(name, 'too_many_namespaces');
    this._packet({ type: CONNECT_ERROR, nsp: name, data: { message: body.message, data: body } });
  };
}
