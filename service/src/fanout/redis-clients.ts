/** Makes the two Redis connections of a server, for every topology that a team has. */
import { readFileSync } from 'node:fs';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { SecretValues } from '../contracts.ts';

export interface RedisClientOptions {
  /** redis:// or rediss:// URLs; one, or several sentinels or cluster nodes. */
  readonly urls: SecretValues;
  readonly topology: 'standalone' | 'sentinel' | 'cluster';
  readonly sentinelName: string;
  readonly sentinelPassword: SecretValues;
  readonly username: string | undefined;
  readonly password: SecretValues;
  readonly tlsCa: string | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
}

export type RedisClient = Redis | Cluster;

/** Commands that take longer than this have failed. */
export const COMMAND_TIMEOUT_MS = 2_000;

// Quick at first, because a restart takes a second; with jitter, because all servers come back at once.
const retryMs = (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 5), 1_000) * (0.5 + Math.random() / 2);

const SHARED = {
  lazyConnect: true,
  connectTimeout: 5_000,
  keepAlive: 10_000,
  noDelay: true,
  // A connection that hangs must not keep a new one waiting.
  disconnectTimeout: 500,
  // What was lost is lost; sending it again would double it.
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  enableOfflineQueue: false,
} satisfies RedisOptions;

/**
 * For publishing and commands: fails fast, never queues. Rejections are the caller's to handle.
 * Throws when a TLS file cannot be read.
 */
export function createPublishingClient(options: RedisClientOptions): RedisClient {
  return create(options, {
    ...SHARED,
    maxRetriesPerRequest: 1,
    commandTimeout: COMMAND_TIMEOUT_MS,
    // An open connection on which nothing comes back any more is given up.
    socketTimeout: 2 * COMMAND_TIMEOUT_MS,
    enableAutoPipelining: true,
    // After a failover the old master says READONLY until it is asked again where the master is.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
}

/** For subscriptions: its owner subscribes again after each connect, so it needs no memory of its own. */
export function createSubscribingClient(options: RedisClientOptions): RedisClient {
  return create(options, { ...SHARED, maxRetriesPerRequest: null });
}

function create(options: RedisClientOptions, base: RedisOptions): RedisClient {
  const urls = options.urls().map((url) => new URL(url));
  const [first] = urls;
  if (first === undefined) throw new Error('REDIS_URL is empty');
  const redisOptions: RedisOptions = {
    ...base,
    ...credentials(options, first),
    ...(first.protocol === 'rediss:' ? { tls: tlsOptions(options, first) } : {}),
  };
  const nodes = urls.map((url) => ({
    host: hostOf(url),
    port: Number(url.port || (options.topology === 'sentinel' ? 26_379 : 6_379)),
  }));
  if (options.topology === 'cluster') return createCluster(nodes, redisOptions);
  const client: Redis = new Redis({
    ...redisOptions,
    ...(options.topology === 'sentinel'
      ? sentinelOptions(options, nodes, redisOptions)
      : { ...nodes[0], db: databaseOf(first) }),
    retryStrategy(attempt) {
      // A password that was rotated counts from the next connection on.
      Object.assign(client.options, credentials(options, first));
      return retryMs(attempt);
    },
  });
  return client;
}

function createCluster(nodes: { host: string; port: number }[], redisOptions: RedisOptions): Cluster {
  const { lazyConnect, enableAutoPipelining, ...nodeOptions } = redisOptions;
  return new Cluster(nodes, {
    lazyConnect: lazyConnect ?? true,
    enableAutoPipelining: enableAutoPipelining ?? false,
    enableOfflineQueue: false,
    shardedSubscribers: redisOptions.maxRetriesPerRequest === null,
    slotsRefreshTimeout: 3_000,
    clusterRetryStrategy: retryMs,
    // The name in a certificate is the node's, not its address.
    dnsLookup: (address, callback) => callback(null, address),
    redisOptions: { ...nodeOptions, autoResubscribe: true },
  });
}

function sentinelOptions(
  options: RedisClientOptions,
  sentinels: { host: string; port: number }[],
  base: RedisOptions,
): RedisOptions {
  const [sentinelPassword] = options.sentinelPassword();
  return {
    sentinels,
    name: options.sentinelName,
    sentinelRetryStrategy: retryMs,
    failoverDetector: true,
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...(base.tls === undefined ? {} : { sentinelTLS: base.tls, enableTLSForSentinelMode: true }),
  };
}

function credentials(options: RedisClientOptions, url: URL): Pick<RedisOptions, 'username' | 'password'> {
  const username = options.username ?? decodeURIComponent(url.username);
  const password = options.password()[0] ?? decodeURIComponent(url.password);
  return { ...(username === '' ? {} : { username }), ...(password === '' ? {} : { password }) };
}

function tlsOptions(options: RedisClientOptions, url: URL): NonNullable<RedisOptions['tls']> {
  const file = (path: string) => readFileSync(path);
  const host = hostOf(url);
  return {
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
    ...(options.tlsCa === undefined ? {} : { ca: file(options.tlsCa) }),
    ...(options.tlsCert === undefined ? {} : { cert: file(options.tlsCert) }),
    ...(options.tlsKey === undefined ? {} : { key: file(options.tlsKey) }),
  };
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

function databaseOf(url: URL): number {
  return Number(url.pathname.slice(1) || 0);
}
