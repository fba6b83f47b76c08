/** A Redis client that is there for good: each connection is a client of its own, and when it ends another takes its place. */
import type { Cancel, Clock } from '../contracts.ts';
import type { RedisClient } from './redis-clients.ts';

export interface KeptClientDeps {
  readonly clock: Clock;
  /** Called for each connection, so that changed secrets and files count. May throw. */
  create(): RedisClient;
  /** Called once for each client, before it connects. */
  attach(client: RedisClient): void;
  /** The connection of this client is made and Redis answers. */
  onReady(client: RedisClient): void;
  /** There was none, or it is lost. */
  onLost(): void;
  onProblem(error: Error): void;
}

export interface KeptClient {
  /** The client of the moment, in whatever state; undefined between two. */
  current(): RedisClient | undefined;
  start(): void;
  /** Drops the connection for a new one. */
  renew(): void;
  stop(): void;
}

export function createKeptClient(deps: KeptClientDeps): KeptClient {
  let client: RedisClient | undefined;
  let attempt = 0;
  let cancelRetry: Cancel | undefined;
  let isRunning = false;

  function open(): void {
    cancelRetry?.();
    cancelRetry = undefined;
    let fresh: RedisClient;
    try {
      fresh = deps.create();
    } catch (error) {
      deps.onProblem(error as Error);
      lost();
      return;
    }
    client = fresh;
    let answer: Error | undefined;
    fresh.on('sentinelError', (error: Error) => {
      answer = error;
    });
    // What a client that was given up still says is of no interest.
    fresh.on('error', (error: Error) => {
      if (client === fresh) deps.onProblem(causeOf(error, answer));
    });
    fresh.on('ready', () => {
      if (client !== fresh) return;
      attempt = 0;
      deps.onReady(fresh);
    });
    fresh.once('end', () => {
      if (client === fresh) lost();
    });
    deps.attach(fresh);
    // `error` says why, and `end` that it is over.
    fresh.connect().catch(() => undefined);
  }

  function lost(): void {
    client = undefined;
    deps.onLost();
    if (!isRunning || cancelRetry !== undefined) return;
    attempt++;
    cancelRetry = deps.clock.after(retryMs(attempt), open);
  }

  function close(): void {
    const old = client;
    client = undefined;
    old?.disconnect();
  }

  return {
    current: () => client,
    start() {
      isRunning = true;
      open();
    },
    renew() {
      if (!isRunning) return;
      close();
      open();
    },
    stop() {
      isRunning = false;
      cancelRetry?.();
      close();
    },
  };
}

/** Quick at first, because a restart takes a second; with jitter, because all servers come back at once. */
function retryMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 5), 1_000) * (0.5 + Math.random() / 2);
}

/** That no sentinel or no node could be used is said without the reason, which only the last one of them knows. */
function causeOf(error: Error & { lastNodeError?: Error }, sentinel: Error | undefined): Error {
  if (error.message.startsWith('All sentinels')) return sentinel ?? error;
  return error.lastNodeError ?? error;
}
