/**
 * The subscribing side of a server as Socket.IO's Redis adapters want it, over connections that come and go.
 * It knows which channels are wanted, subscribes to them after every connect, and survives every listener.
 */
import type { Cancel, Clock } from '../contracts.ts';
import { createKeptClient } from './kept-client.ts';
import { endpointOf, type RedisClient } from './redis-clients.ts';

type Kind = 'channel' | 'pattern' | 'shard';
type Listener = (...args: Buffer[]) => unknown;

interface Work {
  readonly kind: Kind;
  readonly command: string;
  readonly names: readonly string[];
}

export interface SubscriberDeps {
  readonly clock: Clock;
  createClient(): RedisClient;
  /** All that is wanted is subscribed to. */
  onReady(): void;
  onDown(error: Error | undefined): void;
  /** A listener failed. */
  onFault(error: unknown): void;
}

/** What the adapters call is named as in ioredis; nothing here rejects or throws. */
export interface Subscriber {
  subscribe(channels: string | readonly string[]): Promise<void>;
  unsubscribe(channels: string | readonly string[]): Promise<void>;
  psubscribe(patterns: string | readonly string[]): Promise<void>;
  punsubscribe(patterns: string | readonly string[]): Promise<void>;
  ssubscribe(channels: string | readonly string[]): Promise<void>;
  sunsubscribe(channels: string | readonly string[]): Promise<void>;
  /** Resolves when Redis has confirmed what is wanted so far, or cannot; undefined when nothing is open. */
  settled(): Promise<void> | undefined;
  on(event: string, listener: Listener): Subscriber;
  off(event: string, listener: Listener): Subscriber;
  listenerCount(event: string): number;
  /** Calls for each message of a channel, until cancelled. */
  listen(channel: string, isSharded: boolean, listener: (payload: Buffer) => void): Cancel;
  /** Connected, and subscribed to what is wanted. */
  isReady(): boolean;
  /** Where its connection leads, as `endpointOf` has it. */
  endpoint(): string | undefined;
  /** How many messages came, on any channel. */
  heard(): number;
  start(): void;
  /** Drops the connection for a new one: this one is deaf. */
  rebuild(): void;
  stop(): void;
}

const COMMANDS = {
  channel: { on: 'subscribe', off: 'unsubscribe' },
  pattern: { on: 'psubscribe', off: 'punsubscribe' },
  shard: { on: 'ssubscribe', off: 'sunsubscribe' },
} as const;
const KINDS = Object.keys(COMMANDS) as Kind[];
const EVENTS = ['messageBuffer', 'pmessageBuffer', 'smessageBuffer'] as const;
// One command per this many channels, so that 100,000 rooms are neither one command nor as many.
const CHUNK = 500;
const MOST_RETRY_MS = 4_000;
/** Whoever waits for a subscription does not wait for a connection that hangs. */
const MOST_WAIT_MS = 2_000;

export function createSubscriber(deps: SubscriberDeps): Subscriber {
  const wanted: Record<Kind, Set<string>> = { channel: new Set(), pattern: new Set(), shard: new Set() };
  const changed: Record<Kind, Set<string>> = { channel: new Set(), pattern: new Set(), shard: new Set() };
  const listeners = new Map<string, Set<Listener>>();
  const byChannel = new Map<string, Set<(payload: Buffer) => void>>();
  let flushing: Promise<void> | undefined;
  let open: Promise<void> | undefined;
  let cancelRetry: Cancel | undefined;
  let retryMs = 0;
  let heard = 0;
  let subscribed: RedisClient | undefined;

  const kept = createKeptClient({
    clock: deps.clock,
    create: deps.createClient,
    attach(client) {
      for (const event of EVENTS) {
        client.on(event, (...args: Buffer[]) => {
          if (kept.current() === client) dispatch(event, args);
        });
      }
    },
    onReady: (client) => void subscribeAll(client),
    onLost: () => deps.onDown(undefined),
    onProblem: deps.onDown,
  });

  function change(kind: Kind, names: string | readonly string[], isWanted: boolean): Promise<void> {
    for (const name of typeof names === 'string' ? [names] : names) {
      if (wanted[kind].has(name) === isWanted) continue;
      if (isWanted) wanted[kind].add(name);
      else wanted[kind].delete(name);
      changed[kind].add(name);
    }
    // Everything that one turn wants travels together.
    flushing ??= track(new Promise((resolve) => setImmediate(resolve)).then(flush));
    return flushing;
  }

  /** The latest is answered after those before it. */
  function track(work: Promise<void>): Promise<void> {
    const own = bounded(work).then(() => {
      if (open === own) open = undefined;
    });
    open = own;
    return own;
  }

  function bounded(work: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const cancel = deps.clock.after(MOST_WAIT_MS, resolve);
      void work.then(() => {
        cancel();
        resolve();
      });
    });
  }

  async function flush(): Promise<void> {
    flushing = undefined;
    const client = kept.current();
    const work = KINDS.flatMap((kind) => {
      const names = [...changed[kind]];
      changed[kind].clear();
      return [
        { kind, command: COMMANDS[kind].on, names: names.filter((name) => wanted[kind].has(name)) },
        { kind, command: COMMANDS[kind].off, names: names.filter((name) => !wanted[kind].has(name)) },
      ];
    });
    // Whatever is wanted by then is subscribed to when the connection is there.
    if (client?.status !== 'ready') return;
    const results = await Promise.all(work.map((one) => send(client, one)));
    noteOutcome(client, results.every(Boolean));
  }

  async function subscribeAll(client: RedisClient): Promise<void> {
    const work = KINDS.map((kind) => {
      changed[kind].clear();
      return { kind, command: COMMANDS[kind].on, names: [...wanted[kind]] };
    });
    const all = Promise.all(work.map((one) => send(client, one))).then((results) => {
      noteOutcome(client, results.every(Boolean));
    });
    await track(all);
    if (kept.current() !== client) return;
    subscribed = client;
    deps.onReady();
  }

  /** Resolves with whether Redis took it all; what it did not take is sent again later. */
  async function send(client: RedisClient, { kind, command, names }: Work): Promise<boolean> {
    // In a Cluster each channel has a slot of its own.
    const size = client.isCluster && kind === 'shard' ? 1 : CHUNK;
    const sent: Promise<boolean>[] = [];
    for (let i = 0; i < names.length; i += size) {
      sent.push(sendChunk(client, { kind, command, names: names.slice(i, i + size) }));
    }
    return (await Promise.all(sent)).every(Boolean);
  }

  async function sendChunk(client: RedisClient, { kind, command, names }: Work): Promise<boolean> {
    try {
      await call(client, command, names);
      return true;
    } catch (error) {
      if (kept.current() !== client) return true;
      // Redis refuses a command as a whole when one of its channels is not allowed; the others must not suffer from it.
      if ((error as Error).message.startsWith('NOPERM') && names.length > 1) {
        const middle = names.length >> 1;
        const halves = [names.slice(0, middle), names.slice(middle)];
        return (await Promise.all(halves.map((half) => sendChunk(client, { kind, command, names: half })))).every(
          Boolean,
        );
      }
      for (const name of names) changed[kind].add(name);
      deps.onDown(error as Error);
      return false;
    }
  }

  /** A right that was missing may be granted, and a node that was down come back, while the connection stays. */
  function noteOutcome(client: RedisClient, isWell: boolean): void {
    if (isWell || kept.current() !== client) {
      retryMs = 0;
      return;
    }
    retryMs = Math.min(Math.max(1_000, retryMs * 2), MOST_RETRY_MS);
    cancelRetry?.();
    cancelRetry = deps.clock.after(retryMs, () => void flush());
  }

  function dispatch(event: string, args: Buffer[]): void {
    heard++;
    // Counted from the front: a cluster client hands over an argument too many.
    const [channel, payload] = event === 'pmessageBuffer' ? args.slice(1) : args;
    if (channel === undefined || payload === undefined) return;
    const own = byChannel.get(channel.toString());
    if (own !== undefined) {
      for (const listener of own) attempt(() => listener(payload));
      return;
    }
    for (const listener of listeners.get(event) ?? []) attempt(() => listener(...args));
  }

  /** A listener may throw, or reject when it is an async method; neither may reach the socket that reads from Redis. */
  function attempt(run: () => unknown): void {
    try {
      const result = run();
      if (result instanceof Promise) result.catch(deps.onFault);
    } catch (problem) {
      deps.onFault(problem);
    }
  }

  const subscriber: Subscriber = {
    subscribe: (channels) => change('channel', channels, true),
    unsubscribe: (channels) => change('channel', channels, false),
    psubscribe: (patterns) => change('pattern', patterns, true),
    punsubscribe: (patterns) => change('pattern', patterns, false),
    ssubscribe: (channels) => change('shard', channels, true),
    sunsubscribe: (channels) => change('shard', channels, false),
    settled: () => open,
    on(event, listener) {
      const set = listeners.get(event) ?? new Set();
      listeners.set(event, set.add(listener));
      return subscriber;
    },
    off(event, listener) {
      listeners.get(event)?.delete(listener);
      return subscriber;
    },
    listenerCount: (event) => listeners.get(event)?.size ?? 0,
    listen(channel, isSharded, listener) {
      const kind = isSharded ? 'shard' : 'channel';
      const set = byChannel.get(channel) ?? new Set();
      byChannel.set(channel, set.add(listener));
      void change(kind, channel, true);
      return () => {
        set.delete(listener);
        if (set.size > 0 || byChannel.get(channel) !== set) return;
        byChannel.delete(channel);
        void change(kind, channel, false);
      };
    },
    isReady: () => subscribed !== undefined && subscribed === kept.current(),
    endpoint: () => endpointOf(kept.current()),
    heard: () => heard,
    start: kept.start,
    rebuild: kept.renew,
    stop() {
      cancelRetry?.();
      kept.stop();
    },
  };
  return subscriber;
}

function call(client: RedisClient, command: string, names: readonly string[]): Promise<unknown> {
  const run = (client as unknown as Record<string, (...names: string[]) => Promise<unknown>>)[command];
  return run === undefined ? Promise.reject(new Error(`no command ${command}`)) : run.call(client, ...names);
}
