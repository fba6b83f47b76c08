/** What a guarded server overrides in its sockets. */
import type { Namespace, Socket } from 'socket.io';
import { refusalBody } from '../refusals.ts';
import { callGuarded, callListeners, guarded, type Listener } from './guarded-calls.ts';
import type { GuardOf, HandlerGuard } from './handler-guard.ts';
import { sendMissed } from './recovered-sockets.ts';

type Middleware = (event: unknown[], next: (error?: Error) => void) => unknown;

interface SocketInternals {
  readonly nsp: Namespace;
  readonly connected: boolean;
  readonly recovered: boolean;
  readonly fns: readonly Middleware[];
  readonly _anyListeners?: readonly unknown[];
  readonly _anyOutgoingListeners?: readonly unknown[];
  rawListeners(event: string): unknown[];
  ack(id: number): Listener;
  onevent(packet: EventPacket): void;
  _onerror(error: Error): void;
  _onpacket(packet: object): void;
  emitReserved(event: string, ...args: unknown[]): boolean;
  packet(packet: { readonly type: number }, options?: object): void;
  registerAckCallback(id: number, ack: Listener): void;
  notifyOutgoingListeners(packet: EventPacket): void;
}

// Of the Socket.IO protocol.
const CONNECT = 0;

interface EventPacket {
  readonly id?: number | null;
  readonly data?: unknown[];
}

/** Installs the overrides on the prototype of all sockets; servers without a guard keep upstream's behaviour. */
export function guardSockets(prototype: SocketInternals, guardOf: GuardOf): void {
  const { onevent, packet: send, _onpacket, emitReserved, registerAckCallback, notifyOutgoingListeners } = prototype;
  const faults = (socket: SocketInternals, guard: HandlerGuard, event: string) => (error: unknown) =>
    guard.onFault(error, { nsp: socket.nsp, event });

  prototype.onevent = function (this: SocketInternals, packet) {
    const guard = guardOf(this.nsp.server);
    if (guard === undefined) return onevent.call(this, packet);
    const event = packet.data ?? [];
    if (packet.id !== undefined && packet.id !== null) event.push(this.ack(packet.id));
    if (!guard.admitEvent(asSocket(this), event)) return;
    callListeners(this._anyListeners?.slice() ?? [], { self: this, args: event }, faults(this, guard, 'any'));
    passMiddlewares(this, event, guard);
  };
  // From here on broadcasts reach the socket by themselves. It has been let in, and does not know yet: what it has missed comes first.
  prototype.packet = function (this: SocketInternals, packet, options) {
    if (packet.type === CONNECT && this.recovered && guardOf(this.nsp.server) !== undefined) sendMissed(asSocket(this));
    send.call(this, packet, options);
  };
  prototype._onpacket = function (this: SocketInternals, packet) {
    const guard = guardOf(this.nsp.server);
    if (guard === undefined) return _onpacket.call(this, packet);
    callGuarded(() => _onpacket.call(this, packet), faults(this, guard, 'packet'));
  };
  prototype.emitReserved = function (this: SocketInternals, event, ...args) {
    const guard = guardOf(this.nsp.server);
    if (guard === undefined) return emitReserved.call(this, event, ...args);
    if (event === 'disconnect') guard.left(asSocket(this), String(args[0]));
    return callListeners(this.rawListeners(event), { self: this, args }, faults(this, guard, event));
  };
  prototype.registerAckCallback = function (this: SocketInternals, id, ack) {
    const guard = guardOf(this.nsp.server);
    registerAckCallback.call(this, id, guard === undefined ? ack : guarded(ack, faults(this, guard, 'ack')));
  };
  // Upstream calls these in the middle of a broadcast: one that throws would keep the message from everybody after it.
  prototype.notifyOutgoingListeners = function (this: SocketInternals, packet) {
    const guard = guardOf(this.nsp.server);
    if (guard === undefined) return notifyOutgoingListeners.call(this, packet);
    const listeners = this._anyOutgoingListeners;
    if (listeners === undefined || listeners.length === 0) return;
    callListeners(listeners.slice(), { self: this, args: packet.data ?? [] }, faults(this, guard, 'any outgoing'));
  };
}

/** The socket's own middlewares in their order, then the handlers; a fault answers this event and ends its way. */
function passMiddlewares(socket: SocketInternals, event: unknown[], guard: HandlerGuard): void {
  const middlewares = socket.fns.slice();
  const arrive = (error?: Error) => {
    process.nextTick(() => {
      if (error) socket._onerror(error);
      else if (socket.connected) callHandlers(socket, event, guard);
    });
  };
  const pass = (index: number) => {
    const middleware = middlewares[index];
    if (middleware === undefined) return arrive();
    callGuarded(
      () => middleware(event, (error) => (error ? arrive(error) : pass(index + 1))),
      (error) => fail(error, socket, { event, guard, where: 'middleware' }),
    );
  };
  pass(0);
}

function callHandlers(socket: SocketInternals, event: readonly unknown[], guard: HandlerGuard): void {
  const [name, ...args] = event as [string, ...unknown[]];
  callListeners(socket.rawListeners(name), { self: socket, args }, (error) =>
    fail(error, socket, { event, guard, where: name }),
  );
}

/** Reports a fault, and answers the client where it waits for an answer. */
function fail(
  error: unknown,
  socket: SocketInternals,
  { event, guard, where }: { event: readonly unknown[]; guard: HandlerGuard; where: string },
): void {
  guard.onFault(error, { nsp: socket.nsp, event: where });
  const ack = event.at(-1);
  if (typeof ack === 'function') ack(refusalBody('internal'));
}

function asSocket(socket: SocketInternals): Socket {
  return socket as unknown as Socket;
}
