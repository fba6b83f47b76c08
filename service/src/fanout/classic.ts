/** Socket.IO's classic Redis adapter, wire-compatible with other Socket.IO servers and emitters, guarded against what they send. */
import { createAdapter } from '@socket.io/redis-adapter';
import * as notepack from 'notepack.io';
import { Adapter } from 'socket.io-adapter';
import type { AdapterFactory } from '../contracts.ts';
import type { GuardedPublisher } from './publisher.ts';
import type { Subscriber } from './subscriber.ts';
import { countsAlone, internalsOf, type RedisAdapterInternals } from './upstream-adapters.ts';
import { decodeMessage, isClassicBroadcast, isClassicRequest, isClassicResponse, unpack } from './wire.ts';

export interface ClassicDeps {
  readonly publisher: GuardedPublisher;
  readonly subscriber: Subscriber;
  /** A message on our channels is not ours. */
  onForeign(error: unknown): void;
}

type Listener = Parameters<Subscriber['on']>[1];

// RequestType of @socket.io/redis-adapter: what this server has done already when its own request comes back.
const DONE_HERE = new Set<unknown>([2, 3, 4]);
// Upstream takes it for a broadcast in no namespace.
const NOTHING: readonly unknown[] = [];

/** `prefix` is the adapter's `key`; stock servers and emitters use `socket.io`. */
export function createClassicFactory(prefix: string, deps: ClassicDeps): AdapterFactory {
  return (nsp) => {
    let own: string | undefined;
    const { name } = nsp as { readonly name: string };
    const door = guardedSubscriber(deps, {
      requests: `${prefix}-request#${name}#`,
      responses: `${prefix}-response#${name}#`,
      isOwn: (uid) => uid === own,
    });
    const create = createAdapter(deps.publisher, door.subscriber, {
      key: prefix,
      publishOnSpecificResponseChannel: true,
      parser: { encode: (message: unknown) => notepack.encode(message), decode: door.decode },
    });
    const adapter = internalsOf<RedisAdapterInternals>(create(nsp));
    own = adapter.uid;
    actsLocallyToo(adapter);
    countsAlone(adapter);
    return adapter;
  };
}

function actsLocallyToo(adapter: RedisAdapterInternals): void {
  const { addSockets, delSockets, disconnectSockets } = adapter;
  const local = Adapter.prototype;
  adapter.addSockets = function (opts, rooms) {
    if (!opts.flags?.local) addSockets.call(this, opts, rooms);
    local.addSockets.call(this, opts, rooms);
  };
  adapter.delSockets = function (opts, rooms) {
    if (!opts.flags?.local) delSockets.call(this, opts, rooms);
    local.delSockets.call(this, opts, rooms);
  };
  adapter.disconnectSockets = function (opts, close) {
    if (!opts.flags?.local) disconnectSockets.call(this, opts, close);
    local.disconnectSockets.call(this, opts, close);
  };
}

interface Door {
  /** The subscriber as one adapter sees it: it hears only requests and answers that are in the format of their kind. */
  readonly subscriber: Subscriber;
  /** Upstream decodes inside ioredis's data handler, where a throw ends the process. What is not ours decodes to nothing. */
  decode(message: Buffer): unknown;
}

function guardedSubscriber(
  { subscriber, onForeign }: ClassicDeps,
  names: { readonly requests: string; readonly responses: string; isOwn(uid: unknown): boolean },
): Door {
  const doors = new Map<Listener, Listener>();
  // Upstream decodes in the same turn in which it hears.
  let isBroadcast = false;

  function checked(decode: () => unknown, isOurs: (decoded: unknown) => boolean): unknown {
    try {
      const decoded = decode();
      if (isOurs(decoded)) return decoded;
      onForeign(new Error('not the wire format of the classic adapter'));
    } catch (error) {
      onForeign(error);
    }
    return undefined;
  }

  function isForUs(channel: string, message: Buffer): boolean {
    const isResponse = channel.startsWith(names.responses);
    if (!isResponse && !channel.startsWith(names.requests)) return false;
    const decoded = checked(() => decodeMessage(message), isResponse ? isClassicResponse : isClassicRequest);
    if (decoded === undefined) return false;
    const { type, uid } = decoded as { readonly type?: unknown; readonly uid?: unknown };
    return isResponse || !(DONE_HERE.has(type) && names.isOwn(uid));
  }

  function doorFor(event: string, listener: Listener): Listener {
    if (event === 'messageBuffer') {
      return (channel, message, ...rest) => {
        if (channel === undefined || message === undefined || !isForUs(channel.toString(), message)) return undefined;
        return listener(channel, message, ...rest);
      };
    }
    if (event !== 'pmessageBuffer') return listener;
    return (...args) => {
      isBroadcast = true;
      try {
        return listener(...args);
      } finally {
        isBroadcast = false;
      }
    };
  }

  const guarded: Subscriber = {
    ...subscriber,
    psubscribe: (patterns) => subscriber.psubscribe(literal(patterns)),
    punsubscribe: (patterns) => subscriber.punsubscribe(literal(patterns)),
    on(event, listener) {
      const door = doorFor(event, listener);
      doors.set(listener, door);
      subscriber.on(event, door);
      return guarded;
    },
    off(event, listener) {
      subscriber.off(event, doors.get(listener) ?? listener);
      doors.delete(listener);
      return guarded;
    },
  };
  return {
    subscriber: guarded,
    decode(message) {
      // Requests and answers were looked at before they came here.
      if (!isBroadcast) return unpack(message);
      return checked(() => unpack(message), isClassicBroadcast) ?? NOTHING;
    },
  };
}

/** Upstream puts a namespace into a pattern as it is; in its name `[`, `?` and `*` mean themselves. Only the last `*` is a wildcard. */
function literal(patterns: string | readonly string[]): string[] {
  const list = typeof patterns === 'string' ? [patterns] : patterns;
  return list.map((pattern) => `${pattern.slice(0, -1).replace(/[\\*?[\]]/g, '\\$&')}*`);
}
