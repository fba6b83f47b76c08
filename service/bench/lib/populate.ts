import type { Route } from './calls.ts';
import type { Rig } from './suite.ts';
import { until } from './until.ts';

const DEADLINE_MS = 30_000;

/** Connects `clients` more clients; resolves with the wall time once the server holds them all, on WebSocket and in the room. */
export async function populate(rig: Rig, order: { readonly route: Route; readonly clients: number }): Promise<number> {
  const before = await rig.subject.call('population', undefined);
  const goal = before.sockets + order.clients;
  const { wallMs } = await rig.swarm.call('connect', { ...order, url: rig.url, concurrency: rig.scale.concurrency });
  await until({
    what: `${goal} clients on WebSocket and in the room`,
    deadlineMs: DEADLINE_MS,
    ask: async () => {
      const { sockets, websockets, members } = await rig.subject.call('population', undefined);
      return sockets === goal && websockets === goal && members === goal;
    },
  });
  await expectNobodyLost(rig);
  return wallMs;
}

/** Closes all clients; resolves once the server has noticed. */
export async function depopulate({ swarm, subject }: Rig): Promise<void> {
  await swarm.call('closeAll', undefined);
  await until({
    what: 'an empty server',
    deadlineMs: DEADLINE_MS,
    ask: async () => (await subject.call('population', undefined)).sockets === 0,
  });
}

/** Rejects when the server has closed a client. */
export async function expectNobodyLost({ swarm }: Rig): Promise<void> {
  const lost = await swarm.call('lost', undefined);
  if (lost > 0) throw new Error(`${lost} clients were closed by the server`);
}
