import { startBenchRedis } from './bench-redis.ts';
import type { Playable, Run } from './run-suite.ts';
import { type Side, startSubject, startSwarm } from './sides.ts';
import type { Fleet, FleetOrder, FleetSuite } from './suite.ts';

/** Plays a suite with servers that share a Redis: each fleet has a Redis, servers and a swarm of its own. */
export function onFleet(suite: FleetSuite): Playable {
  return {
    ...suite,
    play: (side, run) =>
      suite.round({ scale: run.scale, say: run.say, withFleet: (order, use) => withFleet({ side, run, order }, use) }),
  };
}

interface Setting {
  readonly side: Side;
  readonly run: Run;
  readonly order: FleetOrder;
}

async function withFleet<T>({ side, run, order }: Setting, use: (fleet: Fleet) => Promise<T>): Promise<T> {
  if (run.redis === undefined) throw new Error('this suite needs a Redis');
  const { mode, servers } = order;
  run.say(`${mode}: starting Redis and ${servers} servers`);
  const redis = await startBenchRedis(run.redis, run.cores?.clients);
  const swarm = startSwarm(run);
  const subjects = Array.from({ length: servers }, () => startSubject(side, run));
  try {
    const [first, ...others] = await Promise.all(
      subjects.map(async (subject) => {
        const { url } = await subject.call('start', { url: redis.url, mode });
        return { subject, swarm, url, scale: run.scale, say: (text: string) => run.say(`${mode}: ${text}`) };
      }),
    );
    if (first === undefined) throw new Error('a fleet needs a server');
    return await use({ first, others });
  } finally {
    await Promise.all([swarm, ...subjects].map((child) => child.stop()));
    await redis.stop();
  }
}
