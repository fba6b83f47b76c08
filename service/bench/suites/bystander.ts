/** What a server spends on messages for rooms of which it holds no member. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Window } from '../lib/calls.ts';
import { deliverSteadily } from '../lib/deliver-steadily.ts';
import { untilLinked } from '../lib/link.ts';
import { depopulate, populate } from '../lib/populate.ts';
import { REDIS_MODES } from '../lib/redis-modes.ts';
import type { Fleet, FleetOrder, FleetSuite, Metric, Rig, Scale, Values } from '../lib/suite.ts';

export const bystanderSuite: FleetSuite = {
  name: 'bystander',
  title: 'CPU of a server without members',
  axes: { x: 'Redis mode and servers', y: 'CPU [% of a core]' },
  metrics: (scale) => orders(scale).flatMap((order) => metricsOf(order, scale)),
  async round({ withFleet, scale }) {
    const values: Record<string, number> = {};
    for (const order of orders(scale)) {
      Object.assign(values, await withFleet(order, (fleet) => measure(order, fleet)));
    }
    return values;
  },
};

function orders({ redis }: Scale): FleetOrder[] {
  return REDIS_MODES.flatMap((mode) => redis.bystander.servers.map((servers) => ({ mode, servers })));
}

async function measure(order: FleetOrder, { first: publisher, others: bystanders }: Fleet): Promise<Values> {
  const { scale, say } = publisher;
  const { perSecond, warmUp, bystander } = scale.redis;
  const steady = { perSecond, bytes: scale.payloadBytes };
  await proveLink(publisher, bystanders);
  await populate(publisher, { route: 'websocket', clients: 1 });
  await deliverSteadily({ publisher, watched: [] }, { ...steady, events: warmUp, first: 0 });
  say(`${order.servers} servers doing nothing`);
  const idle = await idleWindows(bystanders, bystander.idleMs);
  say(`${order.servers} servers, ${bystander.messages} messages at ${perSecond}/s`);
  const { windows } = await deliverSteadily(
    { publisher, watched: bystanders },
    { ...steady, events: bystander.messages, first: warmUp },
  );
  await depopulate(publisher);
  // A server that has lost its Redis would look cheap.
  await proveLink(publisher, bystanders);
  return {
    [key('cpu', order)]: mean(windows, cpuPercent),
    [key('bytes', order)]: mean(windows, (window) => window.redisBytes / bystander.messages),
    [key('idle', order)]: mean(idle, cpuPercent),
  };
}

/** Puts a client on every bystander, sees that a broadcast reaches all of them, and takes them away again. */
async function proveLink(publisher: Rig, bystanders: readonly Rig[]): Promise<void> {
  for (const rig of bystanders) await populate(rig, { route: 'websocket', clients: 1 });
  await untilLinked(publisher);
  for (const rig of bystanders) await depopulate(rig);
}

async function idleWindows(rigs: readonly Rig[], ms: number): Promise<Window[]> {
  await Promise.all(rigs.map((rig) => rig.subject.call('openWindow', { watchDelay: false })));
  await delay(ms);
  return Promise.all(rigs.map((rig) => rig.subject.call('closeWindow', undefined)));
}

function cpuPercent({ cpuUs, wallMs }: Window): number {
  return cpuUs / 10 / wallMs;
}

function mean(windows: readonly Window[], figure: (window: Window) => number): number {
  return windows.reduce((sum, window) => sum + figure(window), 0) / windows.length;
}

function key(figure: string, { mode, servers }: FleetOrder): string {
  return `${figure}-${mode}-${servers}`;
}

function metricsOf(order: FleetOrder, { redis }: Scale): Metric[] {
  const fleet = `${order.mode}, ${order.servers} servers`;
  return [
    {
      key: key('cpu', order),
      label: `CPU of a server without members, ${fleet} (${redis.perSecond} messages/s)`,
      mark: `${order.mode}, ${order.servers}`,
      unit: '% of a core',
      better: 'lower',
      isPrimary: true,
    },
    {
      key: key('bytes', order),
      label: `what Redis sends it per message, ${fleet}`,
      unit: 'B',
      better: 'lower',
      isPrimary: false,
    },
    {
      key: key('idle', order),
      label: `its CPU without messages, ${fleet}`,
      unit: '% of a core',
      better: 'lower',
      isPrimary: false,
    },
  ];
}
