/** Makes the two Redis connections of a server, for every topology that a team has. */
import { readFileSync } from 'node:fs';
import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
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
// 100,000 rooms are subscribed to at once after a restart.
const SUBSCRIBE_TIMEOUT_MS = 10_000;

const SHARED = {
  lazyConnect: true,
  connectTimeout: 5_000,
  keepAlive: 10_000,
  noDelay: true,
  // It would take a right of its own, and Redis before 7.2 does not know it.
  disableClientInfo: true,
  // A Redis that loads its data guesses how long that takes, and guesses badly; ask again soon instead of believing it.
  maxLoadingRetryTime: 250,
  // A connection that hangs must not keep a new one waiting.
  disconnectTimeout: 500,
  // One connection per client: whoever keeps it makes another, with the settings of then. What was in flight is answered at once.
  retryStrategy: () => null,
  // What was lost is lost; sending it again would double it.
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  enableOfflineQueue: false,
} satisfies RedisOptions;

const IN_CLUSTER = {
  lazyConnect: true,
  slotsRefreshTimeout: 3_000,
  clusterRetryStrategy: () => null,
  // A node's queue, while its connection is being made: otherwise the first messages to it would be refused.
  enableOfflineQueue: true,
  // It may have been done before the connection broke, and must not be done twice.
  retryDelayOnFailover: 0,
  // The name in a certificate is the node's, not its address.
  dnsLookup: (address, callback) => callback(null, address),
} satisfies ClusterOptions;

/**
 * For publishing and commands: fails fast, never queues. Rejections are the caller's to handle.
 * Throws when a TLS file cannot be read.
 */
export function createPublishingClient(options: RedisClientOptions): RedisClient {
  const own: RedisOptions = {
    ...SHARED,
    commandTimeout: COMMAND_TIMEOUT_MS,
    // An open connection on which nothing comes back any more is given up.
    socketTimeout: 2 * COMMAND_TIMEOUT_MS,
    // After a failover the old master says READONLY until it is asked again where the master is.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
  // A pipeline over several slots is not sent again as a whole when one of them has moved.
  if (options.topology === 'cluster') return createCluster(options, own, {});
  return createOne(options, { ...own, enableAutoPipelining: true });
}

/** For subscriptions: its owner subscribes after each connect, so it needs no memory of its own. */
export function createSubscribingClient(options: RedisClientOptions): RedisClient {
  const own: RedisOptions = { ...SHARED, commandTimeout: SUBSCRIBE_TIMEOUT_MS };
  if (options.topology !== 'cluster') return createOne(options, own);
  const cluster = createCluster(options, own, { shardedSubscribers: true });
  // Redis takes subscriptions away when it moves a slot, which ioredis notices at its next look at the slots.
  cluster.on('nodeError', (error: Error) => {
    if (error.message.includes('sunsubscribe')) cluster.refreshSlotsCache();
  });
  return cluster;
}

/** The address that a connection leads to; undefined for a Cluster, which has many. */
export function endpointOf(client: RedisClient | undefined): string | undefined {
  if (client === undefined || client instanceof Cluster) return undefined;
  const { remoteAddress, remotePort } = client.stream ?? {};
  return remotePort === undefined ? undefined : `${remoteAddress} ${remotePort}`;
}

function createOne(options: RedisClientOptions, base: RedisOptions): Redis {
  const { urls, access } = accessOf(options);
  const [first] = urls;
  const where = options.topology === 'sentinel' ? sentinelOptions(options, urls, access.tls) : nodeOf(first, 6_379);
  return new Redis({ ...base, ...access, ...where, db: Number(first.pathname.slice(1) || 0) });
}

function createCluster(options: RedisClientOptions, base: RedisOptions, own: ClusterOptions): Cluster {
  const { urls, access } = accessOf(options);
  const { lazyConnect: _lazy, enableOfflineQueue: _queue, ...ofNodes } = base;
  return new Cluster(
    urls.map((url) => nodeOf(url, 6_379)),
    { ...IN_CLUSTER, ...own, redisOptions: { ...ofNodes, ...access } },
  );
}

function sentinelOptions(
  options: RedisClientOptions,
  urls: readonly URL[],
  tls: RedisOptions['tls'] | undefined,
): RedisOptions {
  const [sentinelPassword] = options.sentinelPassword();
  return {
    sentinels: urls.map((url) => nodeOf(url, 26_379)),
    name: options.sentinelName,
    sentinelRetryStrategy: () => null,
    sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...(tls === undefined ? {} : { sentinelTLS: tls, enableTLSForSentinelMode: true }),
  };
}

/** Where Redis is and how one gets in, as the settings and files are now. */
function accessOf(options: RedisClientOptions): {
  urls: [URL, ...URL[]];
  access: Pick<RedisOptions, 'username' | 'password' | 'tls'>;
} {
  const [first, ...others] = options.urls().map((url) => new URL(url));
  if (first === undefined) throw new Error('REDIS_URL is empty');
  const username = options.username ?? decodeURIComponent(first.username);
  const password = options.password()[0] ?? decodeURIComponent(first.password);
  return {
    urls: [first, ...others],
    access: {
      ...(username === '' ? {} : { username }),
      ...(password === '' ? {} : { password }),
      ...(first.protocol === 'rediss:' ? { tls: tlsOptions(options, first) } : {}),
    },
  };
}

function tlsOptions(options: RedisClientOptions, url: URL): NonNullable<RedisOptions['tls']> {
  const file = (path: string) => readFileSync(path);
  const { host } = nodeOf(url, 0);
  return {
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
    ...(options.tlsCa === undefined ? {} : { ca: file(options.tlsCa) }),
    ...(options.tlsCert === undefined ? {} : { cert: file(options.tlsCert) }),
    ...(options.tlsKey === undefined ? {} : { key: file(options.tlsKey) }),
  };
}

function nodeOf(url: URL, usualPort: number): { host: string; port: number } {
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || usualPort) };
}
