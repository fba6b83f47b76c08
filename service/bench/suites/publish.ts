/** How much one server can publish to clients of another one. */
import type { RedisMode } from '../lib/calls.ts';
import { deliver } from '../lib/deliver.ts';
import { untilLinked } from '../lib/link.ts';
import { populate } from '../lib/populate.ts';
import { REDIS_MODES } from '../lib/redis-modes.ts';
import type { Fleet, FleetSuite, Metric, Values } from '../lib/suite.ts';

/** Messages per turn of the event loop. */
const BURSTS = [1, 10] as const;

export const publishSuite: FleetSuite = {
  name: 'publish',
  title: 'Publishing through Redis',
  axes: { x: 'messages per event-loop turn and Redis mode', y: 'publishes per second of CPU' },
  metrics: () => REDIS_MODES.flatMap(metricsOf),
  async round({ withFleet }) {
    const values: Record<string, number> = {};
    for (const mode of REDIS_MODES) {
      Object.assign(values, await withFleet({ mode, servers: 2 }, (fleet) => measure(mode, fleet)));
    }
    return values;
  },
};

async function measure(mode: RedisMode, { first: publisher, others }: Fleet): Promise<Values> {
  const { payloadBytes: bytes, redis } = publisher.scale;
  const { inFlight: events, warmUpTurns, turns } = redis.publish;
  for (const rig of others) await populate(rig, { route: 'websocket', clients: 1 });
  await untilLinked(publisher);
  const values: Record<string, number> = {};
  let first = 0;
  for (const burst of BURSTS) {
    publisher.say(`${events * (warmUpTurns + turns)} messages, ${burst} a turn`);
    await deliver(publisher, { turns: warmUpTurns, events, burst, bytes, first });
    first += warmUpTurns * events;
    const { delivered, cpuUs, wallMs } = await deliver(publisher, { turns, events, burst, bytes, first });
    first += turns * events;
    values[`cpu-${burst}-${mode}`] = delivered / (cpuUs / 1e6);
    values[`wall-${burst}-${mode}`] = delivered / (wallMs / 1000);
  }
  return values;
}

function metricsOf(mode: RedisMode): Metric[] {
  return BURSTS.flatMap((burst): Metric[] => [
    {
      key: `cpu-${burst}-${mode}`,
      label: `publishes per second of CPU, ${burst} a turn, ${mode}`,
      mark: `${burst} a turn, ${mode}`,
      unit: '/s',
      better: 'higher',
      isPrimary: true,
    },
    {
      key: `wall-${burst}-${mode}`,
      label: `publishes per second by the clock, ${burst} a turn, ${mode}`,
      unit: '/s',
      better: 'higher',
      isPrimary: false,
    },
  ]);
}
