/** What an idle client takes in memory. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Memory } from '../lib/calls.ts';
import { depopulate, expectNobodyLost, populate } from '../lib/populate.ts';
import { settle } from '../lib/settle.ts';
import type { Rig, Suite } from '../lib/suite.ts';

const KIB = 1024;

export const memorySuite: Suite = {
  name: 'memory',
  title: 'Memory of idle clients',
  axes: { x: 'clients', y: 'RSS per idle client [KiB]' },
  metrics: ({ memory }) => [
    {
      key: 'rss',
      label: `RSS per idle client (${memory.clients} clients)`,
      mark: `${memory.clients} WebSocket clients`,
      unit: 'KiB',
      better: 'lower',
      isPrimary: true,
    },
    { key: 'heap', label: 'JavaScript heap per idle client', unit: 'KiB', better: 'lower', isPrimary: false },
    { key: 'empty', label: 'RSS without clients', unit: 'MiB', better: 'lower', isPrimary: false },
  ],
  async round(rig) {
    const { warmUpClients, clients } = rig.scale.memory;
    // Code that is compiled for the first client belongs to no client.
    await populate(rig, { route: 'websocket', clients: warmUpClients });
    await depopulate(rig);
    rig.say('waiting until memory is stable without clients');
    const empty = await restingMemory(rig);
    rig.say(`connecting ${clients} clients`);
    await populate(rig, { route: 'websocket', clients });
    rig.say(`waiting until memory is stable with ${clients} clients`);
    const full = await restingMemory(rig);
    await expectNobodyLost(rig);
    return {
      rss: (full.rss - empty.rss) / clients / KIB,
      heap: (full.heapUsed - empty.heapUsed) / clients / KIB,
      empty: empty.rss / KIB / KIB,
    };
  },
};

/** Stable, collected, and stable again: V8 gives pages back after the collection. */
async function restingMemory(rig: Rig): Promise<Memory> {
  await stable(rig);
  await rig.subject.call('collectGarbage', undefined);
  await stable(rig);
  return rig.subject.call('memory', undefined);
}

async function stable({ subject, scale, say }: Rig): Promise<void> {
  const { settled } = await settle({
    read: async () => (await subject.call('memory', undefined)).rss,
    pause: () => delay(scale.memory.readingEveryMs),
    readings: 4,
    tolerance: 0.002,
    most: 40,
  });
  if (!settled) say('memory did not settle; the last reading counts');
}
