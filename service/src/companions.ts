/** What a server needs to live with others, or alone: fan-out, presence, leases and the directory of all sockets. */
import type { Config } from './config.ts';
import type {
  Check,
  Clock,
  Directory,
  Fanout,
  Log,
  Metrics,
  Presence,
  ServerLease,
  SocketListener,
  Startable,
} from './contracts.ts';
import { createMemoryFanout } from './fanout/memory.ts';
import { createRedisFanout } from './fanout/redis.ts';
import { createFleetDirectory } from './fleet/directory.ts';
import { createFleet } from './fleet/fleet.ts';
import { createRedisKeys } from './fleet/idempotency-keys.ts';
import { createMemoryPresence } from './presence/memory.ts';
import { createRedisPresence } from './presence/redis.ts';
import { tagOf } from './realtime/socket-ids.ts';
import type { RotatingSecrets } from './rotating-secrets.ts';

export interface Companions extends Startable {
  readonly fanout: Fanout;
  readonly presence: Presence;
  readonly checks: readonly Check[];
  /** Undefined when sessions cannot be recovered over this fan-out. */
  readonly recoveryWindowMs: number | undefined;
  /** The two characters that name this server in the ids it makes. */
  ownTag(): string;
  /** Claims an idempotency key among all servers. Never rejects: while that cannot be known, the key counts as new. */
  claim(key: string, id: string): Promise<string | undefined>;
  /** Gives a claimed key back, because nothing was sent. Never rejects. */
  unclaim(key: string, id: string): Promise<void>;
  /** The directory of all servers over that of this one. To be called once, before `start`. */
  directoryOver(local: Directory): Directory & SocketListener;
}

export interface CompanionsDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly secrets: RotatingSecrets;
  /** What this server's lease tells. */
  facts(): Pick<ServerLease, 'address' | 'connections'>;
}

const PRESENCE = { lingerMs: 5_000, debounceMs: 500 };
const DIRECTORY = { deadlineMs: 1_000 };
const NOBODY: SocketListener = {
  userCame: async () => undefined,
  userLeft: async () => undefined,
  socketCame: async () => undefined,
  socketLeft: async () => undefined,
};

export function createCompanions(config: Config, deps: CompanionsDeps): Companions {
  return config.redisUrl.values.length === 0 ? alone(config, deps) : overRedis(config, deps);
}

function alone(config: Config, deps: CompanionsDeps): Companions {
  const fanout = createMemoryFanout(
    { recovery: config.recovery, mostMissedBytes: config.slowReaderHardBytes },
    deps.metrics,
  );
  const presence = createMemoryPresence(PRESENCE, deps);
  return {
    fanout,
    presence,
    checks: [...fanout.checks, ...presence.checks],
    recoveryWindowMs: config.recovery ? config.recoveryWindowMs : undefined,
    ownTag: () => '00',
    claim: async () => undefined,
    unclaim: async () => undefined,
    directoryOver: (local) => ({ ...local, ...NOBODY }),
    async start() {
      await fanout.start();
      await presence.start();
    },
    async stop() {
      await presence.stop();
      await fanout.stop();
    },
  };
}

function overRedis(config: Config, deps: CompanionsDeps): Companions {
  const { clock, log, metrics } = deps;
  const fanout = createRedisFanout(redisOptions(config, deps.secrets), { clock, log, metrics, peerAddresses });
  const { commands: redis, bus } = fanout;
  const facts = () => ({
    pod: config.pod,
    maxConnections: config.maxConnections,
    mode: config.redisMode,
    ...deps.facts(),
  });
  const fleet = createFleet(
    { ttlMs: config.leaseMs, lingerMs: PRESENCE.lingerMs },
    { redis, bus, clock, log, metrics, facts },
  );
  const { leases, registry } = fleet;
  const presence = createRedisPresence(PRESENCE, { clock, log, registry });
  const keys = createRedisKeys(redis);
  let directory: Startable | undefined;

  function peerAddresses(): string[] {
    const own = leases.own().tag;
    const known = leases.table().flatMap(({ tag, address }) => (tag === own || address === '' ? [] : [address]));
    return [...config.peers, ...known];
  }

  return {
    fanout,
    presence,
    checks: [...fanout.checks, ...fleet.checks, ...presence.checks],
    recoveryWindowMs: undefined,
    ownTag: () => leases.own().tag,
    claim: (key, id) => keys.claim(key, id, config.idempotencyWindowMs).catch(() => undefined),
    unclaim: (key, id) => keys.forget(key, id).catch(() => undefined),
    directoryOver(local) {
      const whole = createFleetDirectory(DIRECTORY, { local, leases, bus, registry, clock, log, metrics, tagOf });
      directory = whole;
      return whole;
    },
    async start() {
      await fanout.start();
      await fleet.start();
      await presence.start();
      await directory?.start();
    },
    async stop() {
      await presence.stop();
      await directory?.stop();
      await fleet.stop();
      await fanout.stop();
    },
  };
}

function redisOptions(config: Config, secrets: RotatingSecrets): Parameters<typeof createRedisFanout>[0] {
  return {
    urls: secrets.of('redisUrl'),
    topology: config.redisTopology,
    sentinelName: config.redisSentinelName,
    sentinelPassword: secrets.of('redisSentinelPassword'),
    username: config.redisUsername,
    password: secrets.of('redisPassword'),
    tlsCa: config.redisTlsCa,
    tlsCert: config.redisTlsCert,
    tlsKey: config.redisTlsKey,
    prefix: config.redisPrefix,
    mode: config.redisMode,
    readiness: config.readiness,
    readinessGraceMs: config.readinessGraceMs,
    readinessRecoverMs: config.readinessRecoverMs,
  };
}
