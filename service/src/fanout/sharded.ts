/** Socket.IO's sharded Redis adapter: only servers with members of a room hear about it. Local delivery first; never a crash. */
import { createShardedAdapter } from '@socket.io/redis-adapter';
import { Adapter, type BroadcastOptions } from 'socket.io-adapter';
import type { AdapterFactory } from '../contracts.ts';
import type { GuardedPublisher } from './publisher.ts';
import type { Subscriber } from './subscriber.ts';

/** Parts of upstream's adapter that are private, or that we override. */
interface ShardedInternals {
  broadcast(packet: object, opts: BroadcastOptions): void;
  publish(message: object): void;
  serverCount(): Promise<number>;
  onRawMessage(message: Buffer, channel: Buffer): void;
}

export interface ShardedDeps {
  readonly publisher: GuardedPublisher;
  readonly subscriber: Subscriber;
  onForeign(error: unknown): void;
}

// MessageType.BROADCAST of socket.io-adapter, part of the wire format between servers.
const BROADCAST = 3;

export function createShardedFactory(prefix: string, deps: ShardedDeps): AdapterFactory {
  const create = createShardedAdapter(deps.publisher, deps.subscriber, {
    channelPrefix: prefix,
    subscriptionMode: 'dynamic',
  });
  return (nsp) => guarded(create(nsp) as unknown as Adapter & ShardedInternals, deps) as unknown as Adapter;
}

function guarded(adapter: Adapter & ShardedInternals, deps: ShardedDeps): Adapter {
  const { serverCount, onRawMessage } = adapter;
  // Upstream awaits Redis before it delivers locally, which delays and reorders (DESIGN 6).
  adapter.broadcast = function (packet: object, opts: BroadcastOptions) {
    if (!opts.flags?.local) {
      // Encoded before the local delivery returns control to anybody who could change the payload.
      this.publish({
        type: BROADCAST,
        data: { packet, opts: { rooms: [...opts.rooms], except: [...(opts.except ?? [])], flags: opts.flags } },
      });
    }
    Adapter.prototype.broadcast.call(this, packet, opts);
  };
  // Without Redis nobody else can be counted; upstream leaves this rejection to nobody.
  adapter.serverCount = function () {
    return serverCount.call(this).catch(() => 1);
  };
  adapter.onRawMessage = function (message: Buffer, channel: Buffer) {
    try {
      onRawMessage.call(this, message, channel);
    } catch (error) {
      deps.onForeign(error);
    }
  };
  return adapter;
}
