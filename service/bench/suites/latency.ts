/** How long a broadcast takes to a client of another server, and to one of the same server. */
import type { RedisMode } from '../lib/calls.ts';
import { deliverSteadily } from '../lib/deliver-steadily.ts';
import { untilLinked } from '../lib/link.ts';
import { populate } from '../lib/populate.ts';
import { REDIS_MODES } from '../lib/redis-modes.ts';
import { percentile } from '../lib/stats.ts';
import type { Fleet, FleetSuite, Metric, Scale, Values } from '../lib/suite.ts';

const PERCENTILES = [50, 99] as const;

export const latencySuite: FleetSuite = {
  name: 'latency',
  title: 'Latency across servers',
  axes: { x: 'percentile and Redis mode', y: 'emit to arrival [ms]' },
  metrics: ({ redis }) => REDIS_MODES.flatMap((mode) => metricsOf(mode, redis)),
  async round({ withFleet }) {
    const values: Record<string, number> = {};
    for (const mode of REDIS_MODES) {
      Object.assign(values, await withFleet({ mode, servers: 2 }, (fleet) => measure(mode, fleet)));
    }
    return values;
  },
};

async function measure(mode: RedisMode, { first: publisher, others }: Fleet): Promise<Values> {
  const { scale, say } = publisher;
  const { perSecond, warmUp, latency } = scale.redis;
  const bytes = scale.payloadBytes;
  for (const rig of [publisher, ...others]) await populate(rig, { route: 'websocket', clients: 1 });
  await untilLinked(publisher);
  say(`${warmUp} + ${latency.messages} messages at ${perSecond}/s`);
  await deliverSteadily({ publisher, watched: [] }, { events: warmUp, perSecond, bytes, first: 0 });
  const order = { events: latency.messages, perSecond, bytes, first: warmUp };
  const { latencies, perSecond: kept } = await deliverSteadily({ publisher, watched: [] }, order);
  const [here = [], there = []] = latencies;
  const values: Record<string, number> = { [`rate-${mode}`]: kept };
  for (const percent of PERCENTILES) {
    values[`across-${percent}-${mode}`] = percentile(there, percent / 100) / 1000;
    values[`local-${percent}-${mode}`] = percentile(here, percent / 100) / 1000;
  }
  return values;
}

function metricsOf(mode: RedisMode, { perSecond }: Scale['redis']): Metric[] {
  return [
    ...PERCENTILES.flatMap((percent): Metric[] => [
      {
        key: `across-${percent}-${mode}`,
        label: `latency p${percent} to a client of another server, ${mode} (${perSecond} messages/s)`,
        mark: `p${percent}, ${mode}`,
        unit: 'ms',
        better: 'lower',
        isPrimary: true,
      },
      {
        key: `local-${percent}-${mode}`,
        label: `latency p${percent} to a client of the same server, ${mode}`,
        unit: 'ms',
        better: 'lower',
        isPrimary: false,
      },
    ]),
    { key: `rate-${mode}`, label: `pace that was kept, ${mode}`, unit: 'msg/s', better: 'higher', isPrimary: false },
  ];
}
