/** The link of one server to Redis: two connections, a canary over both, and what its state means for readiness. */
import { createHash, randomBytes } from 'node:crypto';
import type { Bus, Cancel, Check, Clock, Log, Metrics, RedisCommands, Startable } from '../contracts.ts';
import { createCanary } from './canary.ts';
import { createKeptClient } from './kept-client.ts';
import { createOutageLog } from './outage-log.ts';
import { askPeers } from './peers.ts';
import { createGuardedPublisher, type GuardedPublisher } from './publisher.ts';
import { createReadiness, type ReadinessPolicy } from './readiness.ts';
import {
  createPublishingClient,
  createSubscribingClient,
  endpointOf,
  type RedisClientOptions,
} from './redis-clients.ts';
import { createSubscriber, type Subscriber } from './subscriber.ts';

export interface RedisLinkOptions extends RedisClientOptions {
  readonly prefix: string;
  readonly mode: 'sharded' | 'classic';
  readonly readiness: ReadinessPolicy;
  readonly readinessGraceMs: number;
  readonly readinessRecoverMs: number;
}

export interface RedisLinkDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'redisLag' | 'redisLost' | 'redisForeign' | 'redisRebuilt' | 'observe'>;
  /** Internal addresses of other servers. */
  peerAddresses(): readonly string[];
}

export interface RedisLink extends Startable {
  readonly publisher: GuardedPublisher;
  readonly subscriber: Subscriber;
  readonly commands: RedisCommands;
  readonly bus: Bus;
  readonly check: Check;
  /** Whether the canary comes back. */
  isUp(): boolean;
}

// Canaries that Redis took and that did not come back, until the subscription counts as deaf.
const DEAF_AFTER = 2;
// In a Cluster each channel lives on one node; this many reach nearly all of them.
const CLUSTER_CANARIES = 16;

export function createRedisLink(options: RedisLinkOptions, deps: RedisLinkDeps): RedisLink {
  const { clock, log, metrics } = deps;
  const isSharded = options.mode === 'sharded';
  const readiness = createReadiness({
    policy: options.readiness,
    graceMs: options.readinessGraceMs,
    recoverMs: options.readinessRecoverMs,
    jitter: Math.random(),
  });
  const outages = createOutageLog({ clock, log });
  const upListeners: (() => void)[] = [];
  let isUp = false;
  let seen: { readonly at: number; readonly lagMs: number } | undefined;
  let deafness = 0;
  let endpoint: string | undefined;
  let isAsking = false;
  let isRunning = false;
  const cancels: Cancel[] = [];

  function setUp(up: boolean, lagMs = 0): void {
    if (!isRunning) return;
    const now = clock.now();
    const isNews = up && !isUp;
    isUp = up;
    const wasReady = readiness.isReady();
    readiness.sample(up, now);
    sayIfReadinessChanged(wasReady);
    if (!up) outages.down();
    if (isNews) {
      outages.up(lagMs);
      for (const listener of upListeners) listener();
    }
    if (readiness.wantsPeers(now)) void ask();
  }

  async function ask(): Promise<void> {
    if (isAsking) return;
    isAsking = true;
    const sees = await askPeers(readiness.downMs(clock.now()), { addresses: deps.peerAddresses, fetch });
    isAsking = false;
    const wasReady = readiness.isReady();
    readiness.peersSaid(sees, clock.now());
    sayIfReadinessChanged(wasReady);
  }

  function sayIfReadinessChanged(wasReady: boolean): void {
    if (wasReady && !readiness.isReady()) log.warn({ policy: options.readiness }, 'not ready: cut off from Redis');
    if (!wasReady && readiness.isReady()) log.info({ policy: options.readiness }, 'ready as far as Redis goes');
  }

  const publishing = createKeptClient({
    clock,
    create: () => createPublishingClient(options),
    attach: () => undefined,
    onReady(client) {
      const before = endpoint;
      endpoint = endpointOf(client);
      // After a failover the other connection may still be open to the old master, which may hang.
      if (endpoint !== before && before !== undefined && subscriber.endpoint() === before) subscriber.rebuild();
      // Whatever this one was lost for may have made the other deaf: one canary that it does not hear is enough.
      deafness = DEAF_AFTER - 1;
      canary.fly();
    },
    onLost: () => setUp(false),
    onProblem: outages.failed,
  });
  const publisher = createGuardedPublisher({
    client: publishing.current,
    onLost: metrics.redisLost,
    onProblem: outages.failed,
  });
  const subscriber = createSubscriber({
    clock,
    createClient: () => createSubscribingClient(options),
    onReady: () => canary.fly(),
    onDown(error) {
      if (error !== undefined) outages.failed(error);
      else setUp(false);
    },
    onFault: (error) => log.error({ err: error }, 'a message from Redis could not be handled'),
  });
  const own = randomBytes(6).toString('hex');
  const channels = Array.from(
    { length: options.topology === 'cluster' ? CLUSTER_CANARIES : 1 },
    (_, i) => `${options.prefix}:canary:${own}:${i}`,
  );
  const canary = createCanary(channels, {
    clock,
    publish: (channel, payload) => publisher.probe(isSharded ? 'spublish' : 'publish', channel, payload),
    // In a Cluster one node may be heard while another is not.
    heard: options.topology === 'cluster' ? () => 0 : subscriber.heard,
    onBack(lagMs) {
      seen = { at: clock.now(), lagMs };
      deafness = 0;
      metrics.redisLag(lagMs / 1000);
      setUp(true, lagMs);
    },
    onMissing(isDeaf) {
      // One that is still being made is not deaf.
      deafness = isDeaf && subscriber.isReady() ? deafness + 1 : 0;
      if (deafness >= DEAF_AFTER) {
        deafness = 0;
        metrics.redisRebuilt();
        log.warn({}, 'Redis takes messages but this server hears none: subscribing anew');
        subscriber.rebuild();
      }
      setUp(false);
    },
  });

  async function script(
    source: string,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
  ): Promise<unknown> {
    const sha = createHash('sha1').update(source).digest('hex');
    try {
      return await publisher.call('EVALSHA', sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
      return publisher.call('EVAL', source, keys.length, ...keys, ...args);
    }
  }

  const topicChannel = (topic: string) => `${options.prefix}:bus:${topic}`;
  metrics.observe({ redisUp: () => isUp });

  return {
    isUp: () => isUp,
    publisher,
    subscriber,
    commands: {
      prefix: options.prefix,
      call: publisher.call,
      script,
      onUp: (listener) => void upListeners.push(listener),
    },
    bus: {
      publish: (topic, payload) => void publisher[isSharded ? 'spublish' : 'publish'](topicChannel(topic), payload),
      subscribe: (topic, listener) =>
        subscriber.listen(topicChannel(topic), isSharded, (payload) => listener(payload.toString())),
    },
    check: {
      name: 'redis',
      gates: options.readiness === 'off' ? 'nothing' : 'ready',
      async check() {
        const [reason, why] = [readiness.reason(), outages.reason()];
        if (reason !== undefined) throw new Error(why === undefined ? reason : `${reason}: ${why}`);
        const now = clock.now();
        return {
          connected: isUp,
          degraded: !isUp,
          ...(isUp || why === undefined ? {} : { reason: why }),
          ...(seen === undefined ? {} : { lagMs: Math.round(seen.lagMs * 10) / 10, seenMs: Math.round(now - seen.at) }),
          downMs: Math.round(readiness.downMs(now)),
        };
      },
    },
    async start() {
      isRunning = true;
      publishing.start();
      for (const channel of channels)
        cancels.push(subscriber.listen(channel, isSharded, (payload) => canary.heard(channel, payload.toString())));
      subscriber.start();
      cancels.push(canary.start());
    },
    async stop() {
      isRunning = false;
      for (const cancel of cancels.splice(0)) cancel();
      subscriber.stop();
      publishing.stop();
    },
  };
}
