import { eventually } from '../eventually.ts';
import { atTestEnd } from './at-test-end.ts';
import { runRedis, type StartedRedis } from './run-redis.ts';
import { baseConfig, startRedis } from './start-redis.ts';

export interface StartSentinelOptions {
  /** Password of master and replica. */
  readonly password?: string;
  /** Password of the sentinels themselves. */
  readonly sentinelPassword?: string;
  /** Further lines of redis.conf for master and replica. */
  readonly config?: readonly string[];
}

/** graceful: SENTINEL FAILOVER. kill: SIGKILL of the master. pause: SIGSTOP of the master, which believes to be one still when it is resumed. */
export type FailoverKind = 'graceful' | 'kill' | 'pause';

export interface StartedSentinel {
  /** What the sentinels call the master. */
  readonly name: 'mymaster';
  /** URLs of the sentinels, separated by commas. */
  readonly url: string;
  readonly sentinels: readonly StartedRedis[];
  /** Master and replica; which is which, `master` tells. */
  readonly redises: readonly [StartedRedis, StartedRedis];
  /** Whom the sentinels take for the master. Rejects when they disagree. */
  master(): Promise<StartedRedis>;
  /** Makes the replica the master; resolves with it, once it is and all sentinels say so. What was killed or paused stays so. */
  failover(kind: FailoverKind): Promise<StartedRedis>;
  /** Resolves once both are up, one replicates the other, and all sentinels know it: a failover could happen. */
  inSync(): Promise<void>;
  /** Ends all. Comes by itself after the test in which it was started. */
  stop(): Promise<void>;
}

const NAME = 'mymaster';
const QUORUM = 2;
const FAILOVER_MS = 15_000;

/** One master, one replica and three sentinels that give a master up after a second. Resolves once a failover could happen. */
export async function startSentinel(options: StartSentinelOptions = {}): Promise<StartedSentinel> {
  const started: StartedRedis[] = [];
  const stop = async () => void (await Promise.all(started.map((redis) => redis.stop())));
  atTestEnd(stop);
  const keep = async (starting: Promise<StartedRedis>) => {
    const redis = await starting;
    started.push(redis);
    return redis;
  };
  try {
    const first = await keep(startRedis(dataOptions(options)));
    const second = await keep(startRedis(dataOptions(options, [`replicaof 127.0.0.1 ${first.port}`])));
    const redises = [first, second] as const;
    await replicates(redises);
    const sentinels = await Promise.all([1, 2, 3].map(() => keep(startOne(first.port, options))));
    await Promise.all(sentinels.map(hurry));
    const handle = createHandle(redises, sentinels);
    await handle.inSync();
    return { ...handle, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function createHandle(
  redises: readonly [StartedRedis, StartedRedis],
  sentinels: readonly StartedRedis[],
): Omit<StartedSentinel, 'stop'> {
  async function master(): Promise<StartedRedis> {
    const ports = await Promise.all(sentinels.map(masterPort));
    const found = redises.find(({ port }) => ports.every((one) => one === port));
    if (!found) throw new Error(`the sentinels disagree: ${ports.join(', ')}`);
    return found;
  }
  async function inSync(): Promise<void> {
    await replicates(redises);
    await Promise.all(sentinels.map(knowsAll));
  }
  return {
    name: NAME,
    url: sentinels.map(({ url }) => url).join(','),
    sentinels,
    redises,
    master,
    async failover(kind) {
      const old = await master();
      const next = redises.find((redis) => redis !== old) ?? old;
      if (kind === 'kill') await old.down('SIGKILL');
      else if (kind === 'pause') await old.pause();
      else await sentinels[0]?.cli('SENTINEL', 'FAILOVER', NAME);
      const isOver = async () => (await master()) === next && ((await next.cli('ROLE')) as unknown[])[0] === 'master';
      await eventually(isOver, 'the failover', FAILOVER_MS);
      if (kind === 'graceful') await inSync();
      return next;
    },
    inSync,
  };
}

const dataOptions = ({ password, config = [] }: StartSentinelOptions, more: readonly string[] = []) => ({
  appendOnly: true,
  ...(password === undefined ? {} : { password }),
  config: [...(password === undefined ? [] : [`masterauth ${password}`]), ...config, ...more],
});

function startOne(masterPort: number, { password, sentinelPassword }: StartSentinelOptions): Promise<StartedRedis> {
  return runRedis({
    config: ({ folder, ports }) => [
      ...baseConfig(folder),
      `port ${ports[0]}`,
      `sentinel monitor ${NAME} 127.0.0.1 ${masterPort} ${QUORUM}`,
      `sentinel down-after-milliseconds ${NAME} 1000`,
      `sentinel failover-timeout ${NAME} 2000`,
      ...(password === undefined ? [] : [`sentinel auth-pass ${NAME} ${password}`]),
      ...(sentinelPassword === undefined
        ? []
        : [`requirepass ${sentinelPassword}`, `sentinel sentinel-pass ${sentinelPassword}`]),
    ],
    args: ['--sentinel'],
    ...(sentinelPassword === undefined ? {} : { login: { password: sentinelPassword } }),
  });
}

/**
 * Sentinels look every 10 s and talk every 2 s; here they hurry, so that tests need not wait. PING-PERIOD must stay: what
 * they know of a replica is too old for them after five of these, and once the master is down they look only every second.
 */
async function hurry(sentinel: StartedRedis): Promise<void> {
  await sentinel.cli('SENTINEL', 'DEBUG', 'INFO-PERIOD', 500, 'PUBLISH-PERIOD', 200);
}

/** Only sentinels that know each other and the replica can agree on a failover. */
async function knowsAll(sentinel: StartedRedis): Promise<void> {
  const ask = async (what: string) => (await sentinel.cli('SENTINEL', what, NAME)) as unknown[];
  await eventually(
    async () => {
      const [sentinels, replicas] = await Promise.all([ask('SENTINELS'), ask('REPLICAS')]);
      return sentinels.length === 2 && String(replicas).includes('master-link-status,ok') && (await ask('CKQUORUM'));
    },
    'agreement of the sentinels',
    FAILOVER_MS,
  );
}

async function masterPort(sentinel: StartedRedis): Promise<number> {
  const address = (await sentinel.cli('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)) as string[];
  return Number(address[1]);
}

async function replicates(redises: readonly StartedRedis[]): Promise<void> {
  const isOnline = async (redis: StartedRedis) =>
    /slave0:.*state=online/.test(String(await redis.cli('INFO', 'replication')));
  await eventually(
    async () => (await Promise.all(redises.map(isOnline))).filter(Boolean).length === 1,
    'replication',
    FAILOVER_MS,
  );
}
