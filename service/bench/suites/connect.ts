/** What a new connection costs: handshake, namespace, room; with and without the upgrade from polling. */
import type { Route } from '../lib/calls.ts';
import { depopulate, populate } from '../lib/populate.ts';
import type { Metric, Rig, Suite } from '../lib/suite.ts';

const ROUTES: readonly { readonly route: Route; readonly name: string }[] = [
  { route: 'websocket', name: 'WebSocket' },
  { route: 'upgrade', name: 'polling and upgrade' },
];

export const connectSuite: Suite = {
  name: 'connect',
  title: 'New connections',
  axes: { x: 'how the client connects', y: 'CPU per new connection [µs]' },
  metrics: () => ROUTES.flatMap(metricsOf),
  async round(rig) {
    const values: Record<string, number> = {};
    for (const { route, name } of ROUTES) Object.assign(values, await measure(rig, { route, name }));
    return values;
  },
};

async function measure(rig: Rig, { route, name }: { route: Route; name: string }): Promise<Record<string, number>> {
  const { warmUpClients, clients } = rig.scale.connect;
  rig.say(`connecting ${warmUpClients} + ${clients} clients by ${name}`);
  await populate(rig, { route, clients: warmUpClients });
  await depopulate(rig);
  await rig.subject.call('openWindow', { watchDelay: true });
  const wallMs = await populate(rig, { route, clients });
  const { cpuUs, delayP99Ms } = await rig.subject.call('closeWindow', undefined);
  await depopulate(rig);
  return {
    [`cpu-${route}`]: cpuUs / clients,
    [`wall-${route}`]: clients / (wallMs / 1000),
    [`delay-${route}`]: delayP99Ms,
  };
}

function metricsOf({ route, name }: (typeof ROUTES)[number]): Metric[] {
  return [
    {
      key: `cpu-${route}`,
      label: `CPU per new connection, ${name}`,
      mark: name,
      unit: 'µs',
      better: 'lower',
      isPrimary: true,
    },
    { key: `wall-${route}`, label: `new connections, ${name}`, unit: '/s', better: 'higher', isPrimary: false },
    { key: `delay-${route}`, label: `event-loop delay p99, ${name}`, unit: 'ms', better: 'lower', isPrimary: false },
  ];
}
