/** The part of a server that knows the other servers: its lease among theirs, and the registry of who is where. */
import type { Bus, Check, Clock, Log, Metrics, RedisCommands, Registry, Startable } from '../contracts.ts';
import { isQuietKey } from './directory.ts';
import type { LeaseFacts } from './lease-script.ts';
import { createLeases, type Leases } from './leases.ts';
import { createRegistry } from './registry.ts';

export interface FleetOptions {
  /** A server that does not renew its lease for this long is dead; 15 s unless told otherwise. */
  readonly ttlMs?: number;
  /** How long the members of a server that stops are still counted, in case they come back elsewhere. */
  readonly lingerMs: number;
}

export interface FleetDeps {
  readonly redis: RedisCommands;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'leaseFailed' | 'observe'>;
  /** What the lease tells about this server; asked at each renewal. */
  facts(): LeaseFacts;
  /** From 0 to 1, as Math.random. */
  readonly random?: () => number;
}

export interface Fleet extends Startable {
  /** Without Redis it starts as well, and claims its tag when Redis comes. */
  start(): Promise<void>;
  /** Gives the lease back. Members that are left go after the linger. */
  stop(): Promise<void>;
  readonly leases: Leases;
  readonly registry: Registry;
  readonly checks: readonly Check[];
}

const TTL_MS = 15_000;

export function createFleet(options: FleetOptions, deps: FleetDeps): Fleet {
  const { redis } = deps;
  const ttlMs = options.ttlMs ?? TTL_MS;
  const leases = createLeases({ ttlMs, lingerMs: options.lingerMs }, deps);
  const { generation } = leases.own();
  const registry = createRegistry(
    { generation, ttlMs, lifeLost: () => void leases.renew(), isAnnounced: (key) => !isQuietKey(key) },
    deps,
  );
  leases.onRenewed(registry.renewed);
  let saidMixed = '';
  leases.onRenewed(() => {
    const mixed = otherModes(leases);
    if (mixed.join() === saidMixed) return;
    saidMixed = mixed.join();
    if (mixed.length > 0)
      deps.log.warn(
        { mode: leases.own().mode, others: mixed, setting: 'SOCKETFLEET_REDIS_MODE' },
        'servers of different modes do not hear each other',
      );
  });
  let wasUp = false;
  redis.onUp(() => {
    // At the first contact there is nothing yet that Redis could have lost.
    if (wasUp) registry.suspect();
    wasUp = true;
    void leases.renew();
  });
  return {
    leases,
    registry,
    checks: [{ name: 'fleet', gates: 'nothing', check: () => checkLease(leases) }],
    start: leases.start,
    async stop() {
      await registry.stop();
      await leases.stop();
    },
  };
}

async function checkLease(leases: Leases): Promise<object> {
  const servers = leases.table().length;
  const { tag } = leases.own();
  if (!leases.isFresh()) throw new Error(`the lease is not renewed; ${servers} servers as last heard`);
  const mixed = otherModes(leases);
  return { tag, servers, ...(mixed.length === 0 ? {} : { mixedModes: mixed }) };
}

/** Servers whose broadcasts this one does not hear, as `pod: mode`. */
function otherModes(leases: Leases): string[] {
  const { mode } = leases.own();
  const others = leases.table().filter((lease) => lease.mode !== mode && lease.mode !== '');
  return others.map((lease) => `${lease.pod}: ${lease.mode}`).sort();
}
