/** What one broadcast message costs per client that receives it. */
import { deliver } from '../lib/deliver.ts';
import { populate } from '../lib/populate.ts';
import type { Load, Metric, Rig, Scale, Suite } from '../lib/suite.ts';

export const deliverySuite: Suite = {
  name: 'delivery',
  title: 'Delivery of broadcasts',
  axes: { x: 'load', y: 'CPU per delivered message [µs]' },
  metrics: (scale) => scale.delivery.loads.flatMap((load) => metricsOf(load, scale)),
  async round(rig) {
    const { clients, loads } = rig.scale.delivery;
    rig.say(`connecting ${clients} clients`);
    await populate(rig, { route: 'websocket', clients });
    let first = 0;
    const values: Record<string, number> = {};
    for (const load of loads) {
      Object.assign(values, await measure(rig, { load, first }));
      first += load.events * (rig.scale.delivery.warmUpTurns + load.turns);
    }
    return values;
  },
};

async function measure(rig: Rig, { load, first }: { load: Load; first: number }): Promise<Record<string, number>> {
  const { events } = load;
  const turns = rig.scale.delivery.warmUpTurns;
  const bytes = rig.scale.payloadBytes;
  rig.say(`${turns + load.turns} turns of ${events}`);
  await deliver(rig, { turns, events, burst: events, bytes, first });
  const cost = await deliver(rig, { turns: load.turns, events, burst: events, bytes, first: first + turns * events });
  return {
    [`cpu${events}`]: cost.cpuUs / cost.delivered,
    [`wall${events}`]: cost.delivered / (cost.wallMs / 1000),
    [`delay${events}`]: cost.delayP99Ms,
  };
}

function metricsOf({ events }: Load, { payloadBytes, delivery }: Scale): Metric[] {
  const perTurn = `${events} ${events === 1 ? 'event' : 'events'} a turn`;
  return [
    {
      key: `cpu${events}`,
      label: `CPU per delivered message, ${perTurn} (${payloadBytes} B, ${delivery.clients} clients)`,
      mark: perTurn,
      unit: 'µs',
      better: 'lower',
      isPrimary: true,
    },
    { key: `wall${events}`, label: `throughput, ${perTurn}`, unit: 'msg/s', better: 'higher', isPrimary: false },
    { key: `delay${events}`, label: `event-loop delay p99, ${perTurn}`, unit: 'ms', better: 'lower', isPrimary: false },
  ];
}
