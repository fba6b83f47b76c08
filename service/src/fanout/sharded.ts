/** Socket.IO's sharded Redis adapter: only servers with members of a room hear about it. Local delivery first; never a crash. */
import { createShardedAdapter } from '@socket.io/redis-adapter';
import { Adapter, type BroadcastOptions } from 'socket.io-adapter';
import type { AdapterFactory } from '../contracts.ts';
import type { GuardedPublisher } from './publisher.ts';
import type { Subscriber } from './subscriber.ts';
import { countsAlone, internalsOf, type ShardedInternals } from './upstream-adapters.ts';
import { decodeMessage, isShardedMessage } from './wire.ts';

export interface ShardedDeps {
  readonly publisher: GuardedPublisher;
  readonly subscriber: Subscriber;
  /** A message on our channels is not ours. */
  onForeign(error: unknown): void;
  /** A message of this server cannot be encoded. */
  onFault(error: unknown): void;
}

// MessageType of socket.io-adapter, part of the wire format between servers.
const TYPE = { broadcast: 3, join: 4, leave: 5, disconnect: 6 } as const;

export function createShardedFactory(prefix: string, deps: ShardedDeps): AdapterFactory {
  const create = createShardedAdapter(deps.publisher, deps.subscriber, {
    channelPrefix: prefix,
    subscriptionMode: 'dynamic',
  });
  return (nsp) => {
    const adapter = internalsOf<ShardedInternals>(create(nsp));
    actsLocallyFirst(adapter);
    survivesData(adapter, deps);
    waitsForSubscriptions(adapter, deps.subscriber);
    countsAlone(adapter);
    return adapter;
  };
}

function actsLocallyFirst(adapter: ShardedInternals): void {
  // Encoded before the local part returns control to anybody who could change the payload.
  const tellOthers = (type: number, opts: BroadcastOptions, data: object) => {
    if (!opts.flags?.local) adapter.publish({ type, data: { ...data, opts: listed(opts) } });
  };
  const local = Adapter.prototype;
  adapter.broadcast = function (packet, opts) {
    tellOthers(TYPE.broadcast, opts, { packet });
    local.broadcast.call(this, packet, opts);
  };
  adapter.addSockets = function (opts, rooms) {
    tellOthers(TYPE.join, opts, { rooms });
    local.addSockets.call(this, opts, rooms);
  };
  adapter.delSockets = function (opts, rooms) {
    tellOthers(TYPE.leave, opts, { rooms });
    local.delSockets.call(this, opts, rooms);
  };
  adapter.disconnectSockets = function (opts, close) {
    tellOthers(TYPE.disconnect, opts, { close });
    local.disconnectSockets.call(this, opts, close);
  };
}

function survivesData(adapter: ShardedInternals, deps: ShardedDeps): void {
  const { doPublish, doPublishResponse } = adapter;
  const unlessFault = async (publish: () => Promise<unknown>) => {
    try {
      return await publish();
    } catch (error) {
      deps.onFault(error);
      throw error;
    }
  };
  adapter.doPublish = function (message) {
    return unlessFault(() => doPublish.call(this, message));
  };
  adapter.doPublishResponse = function (to, response) {
    return unlessFault(() => doPublishResponse.call(this, to, response));
  };
  adapter.onRawMessage = function (bytes, channel) {
    let message: unknown;
    try {
      message = decodeMessage(bytes);
      if (!isShardedMessage(message)) throw new Error('not the wire format of the sharded adapter');
    } catch (error) {
      deps.onForeign(error);
      return;
    }
    if (channel.toString() === this.responseChannel) this.onResponse(message);
    else this.onMessage(message);
  };
}

function waitsForSubscriptions(adapter: ShardedInternals, subscriber: Subscriber): void {
  const { addAll } = adapter;
  adapter.addAll = function (id, rooms) {
    addAll.call(this, id, rooms);
    return subscriber.settled();
  };
}

function listed({ rooms, except, flags }: BroadcastOptions): object {
  return { rooms: [...rooms], except: [...(except ?? [])], flags };
}
