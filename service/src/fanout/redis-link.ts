/** The link of one server to Redis: two connections, a canary over both, and what its state means for readiness. */
import { createHash, randomBytes } from 'node:crypto';
import type { Bus, Cancel, Check, Clock, Log, Metrics, RedisCommands, Startable } from '../contracts.ts';
import { createCanary } from './canary.ts';
import { askPeers } from './peers.ts';
import { createGuardedPublisher, type GuardedPublisher } from './publisher.ts';
import { createReadiness, type ReadinessPolicy } from './readiness.ts';
import {
  createPublishingClient,
  createSubscribingClient,
  type RedisClient,
  type RedisClientOptions,
} from './redis-clients.ts';
import { remedyFor } from './remedies.ts';
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
}

const SAY_AGAIN_MS = 30_000;
const FIRST_CONTACT_MS = 3_000;
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
  const upListeners: (() => void)[] = [];
  let publishing: RedisClient | undefined;
  let isUp = false;
  let lagMs: number | undefined;
  let deafness = 0;
  let problem: Error | undefined;
  let saidAt = Number.NEGATIVE_INFINITY;
  let startedAt = 0;
  let isAsking = false;
  let isStopped = false;
  const cancels: Cancel[] = [];

  function noteProblem(error: Error | undefined): void {
    if (error !== undefined) problem = error;
    if (isStopped) return;
    const now = clock.now();
    // At the start nothing is wrong yet while the first connections are being made.
    if (problem === undefined && now - startedAt < FIRST_CONTACT_MS) return;
    if (now - saidAt < SAY_AGAIN_MS) return;
    saidAt = now;
    const text = problem?.message ?? 'the connection to Redis was closed';
    log.warn({ error: text, ...remedyFor(text), downMs: Math.round(readiness.downMs(now)) }, 'Redis cannot be used');
  }

  function setUp(up: boolean): void {
    const now = clock.now();
    readiness.sample(up, now);
    if (up && !isUp) {
      log.info({ lagMs: Math.round(lagMs ?? 0) }, 'Redis is there');
      problem = undefined;
      saidAt = Number.NEGATIVE_INFINITY;
    }
    const cameUp = up && !isUp;
    isUp = up;
    if (cameUp) for (const listener of upListeners) listener();
    if (!up) noteProblem(undefined);
    if (readiness.wantsPeers(now)) void ask();
  }

  async function ask(): Promise<void> {
    if (isAsking) return;
    isAsking = true;
    const sees = await askPeers({ addresses: deps.peerAddresses, fetch });
    isAsking = false;
    const wasReady = readiness.isReady();
    readiness.peersSaid(sees, clock.now());
    if (wasReady && !readiness.isReady()) log.warn({}, 'cut off from Redis while a peer is not: leaving the Service');
  }

  const publisher = createGuardedPublisher({
    client: () => publishing,
    onLost: metrics.redisLost,
    onProblem: noteProblem,
  });
  const subscriber = createSubscriber({
    createClient: () => createSubscribingClient(options),
    onReady: () => canary.fly(),
    onDown: noteProblem,
    onForeign(error) {
      metrics.redisForeign();
      log.debug({ err: error }, 'foreign message on our channels');
    },
  });
  const own = randomBytes(6).toString('hex');
  const channels = Array.from(
    { length: options.topology === 'cluster' ? CLUSTER_CANARIES : 1 },
    (_, i) => `${options.prefix}:canary:${own}:${i}`,
  );
  const canary = createCanary(channels, {
    clock,
    publish: (channel, payload) => publisher.probe(isSharded ? 'spublish' : 'publish', channel, payload),
    onBack(lag) {
      lagMs = lag;
      deafness = 0;
      metrics.redisLag(lag / 1000);
      setUp(true);
    },
    onMissing(isDeaf) {
      lagMs = undefined;
      deafness = isDeaf ? deafness + 1 : 0;
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
        const reason = readiness.reason();
        if (reason !== undefined) throw new Error(problem === undefined ? reason : `${reason}: ${problem.message}`);
        const downMs = Math.round(readiness.downMs(clock.now()));
        return {
          connected: isUp,
          degraded: !isUp,
          ...(lagMs === undefined ? {} : { lagMs: Math.round(lagMs * 10) / 10 }),
          downMs,
        };
      },
    },
    async start() {
      startedAt = clock.now();
      publishing = createPublishingClient(options);
      publishing.on('ready', canary.fly);
      publishing.on('error', noteProblem);
      publishing.connect().catch(noteProblem);
      for (const channel of channels)
        cancels.push(subscriber.listen(channel, isSharded, (payload) => canary.heard(channel, payload.toString())));
      subscriber.start();
      cancels.push(canary.start());
    },
    async stop() {
      isStopped = true;
      for (const cancel of cancels.splice(0)) cancel();
      subscriber.stop();
      publishing?.disconnect();
      publishing = undefined;
    },
  };
}
