/**
 * The subscribing side of a server as Socket.IO's Redis adapters want it, over connections that come and go.
 * It knows which channels are wanted, subscribes to them after every connect, and survives every listener.
 */
import type { Cancel } from '../contracts.ts';
import type { RedisClient } from './redis-clients.ts';

type Kind = 'channel' | 'pattern' | 'shard';
type Listener = (...args: Buffer[]) => unknown;

export interface SubscriberDeps {
  createClient(): RedisClient;
  onReady(): void;
  onDown(error: Error | undefined): void;
  /** Something on our channels that is not ours. */
  onForeign(error: unknown): void;
}

/** What the adapters call is named as in ioredis; nothing here rejects or throws. */
export interface Subscriber {
  subscribe(channels: string | readonly string[]): Promise<void>;
  unsubscribe(channels: string | readonly string[]): Promise<void>;
  psubscribe(patterns: string | readonly string[]): Promise<void>;
  punsubscribe(patterns: string | readonly string[]): Promise<void>;
  ssubscribe(channels: string | readonly string[]): Promise<void>;
  sunsubscribe(channels: string | readonly string[]): Promise<void>;
  on(event: string, listener: Listener): Subscriber;
  off(event: string, listener: Listener): Subscriber;
  listenerCount(event: string): number;
  /** Calls for each message of a channel, until cancelled. */
  listen(channel: string, isSharded: boolean, listener: (payload: Buffer) => void): Cancel;
  isReady(): boolean;
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
const EVENTS = ['messageBuffer', 'pmessageBuffer', 'smessageBuffer'] as const;
// One command per this many channels, so that 100,000 rooms are neither one command nor as many.
const CHUNK = 500;

export function createSubscriber(deps: SubscriberDeps): Subscriber {
  const wanted: Record<Kind, Set<string>> = { channel: new Set(), pattern: new Set(), shard: new Set() };
  const changed: Record<Kind, Set<string>> = { channel: new Set(), pattern: new Set(), shard: new Set() };
  const listeners = new Map<string, Set<Listener>>();
  const byChannel = new Map<string, Set<(payload: Buffer) => void>>();
  let client: RedisClient | undefined;
  let flushing: Promise<void> | undefined;
  let error: Error | undefined;

  const isReady = () => client?.status === 'ready';

  function change(kind: Kind, names: string | readonly string[], isWanted: boolean): Promise<void> {
    for (const name of typeof names === 'string' ? [names] : names) {
      if (wanted[kind].has(name) === isWanted) continue;
      if (isWanted) wanted[kind].add(name);
      else wanted[kind].delete(name);
      changed[kind].add(name);
    }
    // Everything that one turn wants travels together.
    flushing ??= new Promise((resolve) => setImmediate(resolve)).then(flush);
    return flushing;
  }

  async function flush(): Promise<void> {
    flushing = undefined;
    const work = (Object.keys(changed) as Kind[]).map((kind) => {
      const names = [...changed[kind]];
      changed[kind].clear();
      return {
        kind,
        on: names.filter((name) => wanted[kind].has(name)),
        off: names.filter((name) => !wanted[kind].has(name)),
      };
    });
    if (!isReady()) return;
    await Promise.all(
      work.flatMap(({ kind, on, off }) => [send(COMMANDS[kind].on, on), send(COMMANDS[kind].off, off)]),
    );
  }

  async function send(command: string, names: readonly string[]): Promise<void> {
    const current = client;
    if (current === undefined || names.length === 0) return;
    // In a Cluster each channel has a slot of its own.
    const size = current.isCluster && command.startsWith('s') && command !== 'subscribe' ? 1 : CHUNK;
    const sent: Promise<unknown>[] = [];
    for (let i = 0; i < names.length; i += size) sent.push(call(current, command, names.slice(i, i + size)));
    for (const result of await Promise.allSettled(sent))
      if (result.status === 'rejected') deps.onDown(result.reason as Error);
  }

  async function subscribeAll(): Promise<void> {
    for (const kind of Object.keys(wanted) as Kind[]) {
      changed[kind].clear();
      await send(COMMANDS[kind].on, [...wanted[kind]]);
    }
  }

  function dispatch(event: string, args: Buffer[]): void {
    const channel = args.at(-2);
    const payload = args.at(-1);
    const own = channel === undefined ? undefined : byChannel.get(channel.toString());
    if (own !== undefined && payload !== undefined) {
      for (const listener of own) attempt(() => listener(payload));
      return;
    }
    for (const listener of listeners.get(event) ?? []) attempt(() => listener(...args));
  }

  /** A listener may throw, or reject when it is an async method; neither may reach the socket that reads from Redis. */
  function attempt(run: () => unknown): void {
    try {
      const result = run();
      if (result instanceof Promise) result.catch(deps.onForeign);
    } catch (problem) {
      deps.onForeign(problem);
    }
  }

  function open(): void {
    const fresh = deps.createClient();
    client = fresh;
    fresh.on('error', (problem: Error) => {
      error = problem;
    });
    fresh.on('ready', () => {
      void subscribeAll().then(deps.onReady);
    });
    fresh.on('close', () => deps.onDown(error));
    for (const event of EVENTS) fresh.on(event, (...args: Buffer[]) => dispatch(event, args));
    fresh.connect().catch((problem: Error) => deps.onDown(problem));
  }

  function close(): void {
    const old = client;
    client = undefined;
    if (old === undefined) return;
    old.removeAllListeners();
    // A connection that is being closed may still complain.
    old.on('error', () => undefined);
    old.disconnect();
  }

  const subscriber: Subscriber = {
    subscribe: (channels) => change('channel', channels, true),
    unsubscribe: (channels) => change('channel', channels, false),
    psubscribe: (patterns) => change('pattern', patterns, true),
    punsubscribe: (patterns) => change('pattern', patterns, false),
    ssubscribe: (channels) => change('shard', channels, true),
    sunsubscribe: (channels) => change('shard', channels, false),
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
    isReady,
    start: open,
    rebuild() {
      close();
      open();
    },
    stop: close,
  };
  return subscriber;
}

function call(client: RedisClient, command: string, names: readonly string[]): Promise<unknown> {
  const run = (client as unknown as Record<string, (...names: string[]) => Promise<unknown>>)[command];
  return run === undefined ? Promise.reject(new Error(`no command ${command}`)) : run.call(client, ...names);
}
