import type { Rig } from './suite.ts';
import { until } from './until.ts';

const DEADLINE_MS = 30_000;

/**
 * Resolves once a broadcast from `publisher` reaches all clients of the swarm: a subscription takes a moment, and what is
 * published before is rightly lost.
 */
export async function untilLinked({ subject, swarm, scale }: Rig): Promise<void> {
  const order = { events: 1, bytes: scale.payloadBytes, first: 0 };
  await until({
    what: 'a broadcast reaches the clients of all servers',
    deadlineMs: DEADLINE_MS,
    async ask() {
      await swarm.call('expect', { ...order, turns: 1 });
      await subject.call('emitSteadily', { ...order, perSecond: 1 });
      return (await swarm.call('verdict', undefined)).faults.length === 0;
    },
  });
}
