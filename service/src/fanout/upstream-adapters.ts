/**
 * Parts of Socket.IO's Redis adapters that are private, or that we override, each for a reason. The test
 * unit/fanout/upstream-adapters.test.ts fails when upstream changes under them.
 *
 * Sharded:
 * - broadcast, addSockets, delSockets, disconnectSockets: upstream awaits Redis before it acts on this server
 * - onRawMessage: takes whatever it can parse for a message, and acts on what is missing in it as on an empty list
 * - doPublish, doPublishResponse: data that cannot be encoded throws where nobody catches it
 * - addAll: returns before Redis has the subscription to the room, so what is published then is lost
 * - serverCount: rejects without Redis, which nobody catches
 *
 * Classic:
 * - addSockets, delSockets, disconnectSockets: upstream acts on this server only when its request comes back from Redis
 * - serverCount: as above
 * - what its listeners hear is looked at first (classic.ts), because they are bound before anything can be overridden
 */
import type { Adapter, BroadcastOptions } from 'socket.io-adapter';

/** What both adapters have. */
export interface RedisAdapterInternals {
  readonly uid: string;
  addSockets(opts: BroadcastOptions, rooms: string[]): void;
  delSockets(opts: BroadcastOptions, rooms: string[]): void;
  disconnectSockets(opts: BroadcastOptions, close: boolean): void;
  serverCount(): Promise<number>;
}

export interface ShardedInternals extends RedisAdapterInternals {
  broadcast(packet: object, opts: BroadcastOptions): void;
  addAll(id: string, rooms: Set<string>): Promise<void> | void;
  publish(message: object): void;
  doPublish(message: object): Promise<unknown>;
  doPublishResponse(to: string, response: object): Promise<unknown>;
  readonly responseChannel: string;
  onRawMessage(bytes: Buffer, channel: Buffer): void;
  onMessage(message: unknown): void;
  onResponse(response: unknown): void;
}

/** An adapter with its private parts. */
export function internalsOf<T extends RedisAdapterInternals>(adapter: object): Adapter & T {
  return adapter as unknown as Adapter & T;
}

/** Without Redis nobody else can be counted, and this server is one. */
export function countsAlone(adapter: RedisAdapterInternals): void {
  const { serverCount } = adapter;
  adapter.serverCount = function () {
    return serverCount.call(this).catch(() => 1);
  };
}
