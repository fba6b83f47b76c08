/** Socket.IO's classic Redis adapter, wire-compatible with other Socket.IO servers and emitters, with its decoding guarded. */
import { createAdapter } from '@socket.io/redis-adapter';
import * as notepack from 'notepack.io';
import type { Adapter } from 'socket.io-adapter';
import type { AdapterFactory } from '../contracts.ts';
import type { GuardedPublisher } from './publisher.ts';
import type { Subscriber } from './subscriber.ts';

export interface ClassicDeps {
  readonly publisher: GuardedPublisher;
  readonly subscriber: Subscriber;
  onForeign(error: unknown): void;
}

/** `prefix` is the adapter's `key`; stock servers and emitters use `socket.io`. */
export function createClassicFactory(prefix: string, deps: ClassicDeps): AdapterFactory {
  const create = createAdapter(deps.publisher, deps.subscriber, {
    key: prefix,
    publishOnSpecificResponseChannel: true,
    parser: guardedParser(deps.onForeign),
  });
  return (nsp) => {
    const adapter = create(nsp) as unknown as Adapter & { serverCount(): Promise<number> };
    const { serverCount } = adapter;
    adapter.serverCount = function () {
      return serverCount.call(this).catch(() => 1);
    };
    return adapter;
  };
}

/** Upstream decodes inside ioredis's data handler, where a throw ends the process. What is not ours decodes to nothing. */
function guardedParser(onForeign: (error: unknown) => void): {
  decode(message: Buffer): unknown;
  encode(message: unknown): Buffer;
} {
  return {
    encode: (message) => notepack.encode(message),
    decode(message) {
      try {
        const decoded: unknown = notepack.decode(message);
        if (isOurs(decoded)) return decoded;
        onForeign(new Error('not the wire format of the classic adapter'));
      } catch (error) {
        onForeign(error);
      }
      return [];
    },
  };
}

/** A broadcast is `[uid, packet, options]`; a request is an object. */
function isOurs(decoded: unknown): boolean {
  if (!Array.isArray(decoded)) return typeof decoded === 'object' && decoded !== null;
  const [uid, packet, options] = decoded as [unknown, { data?: unknown } | undefined, object | undefined];
  return typeof uid === 'string' && Array.isArray(packet?.data) && typeof options === 'object' && options !== null;
}
