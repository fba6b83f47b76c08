import { setTimeout as delay } from 'node:timers/promises';
import type { SteadyOrder, Window } from './calls.ts';
import { DeliveryFault } from './deliver.ts';
import type { Rig } from './suite.ts';

const STALL_MS = 15_000;
// For what is still on its way to servers without clients.
const TAIL_MS = 250;

/** What a steady delivery showed. */
export interface SteadyDelivery {
  /** Events that were really emitted in a second. */
  readonly perSecond: number;
  /** Of the watched servers. */
  readonly windows: readonly Window[];
  /** Microseconds from emit to arrival, a list for each client in the order of connecting. */
  readonly latencies: readonly (readonly number[])[];
}

/**
 * Broadcasts from `publisher` at a steady pace and measures what that costs the `watched` servers.
 * Rejects with a {@link DeliveryFault} unless every client of the swarm received every message once, in order.
 */
export async function deliverSteadily(
  { publisher, watched }: { readonly publisher: Rig; readonly watched: readonly Rig[] },
  order: SteadyOrder,
): Promise<SteadyDelivery> {
  const { subject, swarm } = publisher;
  await swarm.call('expectTimed', { turns: 1, events: order.events, bytes: order.bytes, first: order.first });
  await Promise.all(watched.map((rig) => rig.subject.call('openWindow', { watchDelay: false })));
  const arrival = watchArrival(swarm);
  try {
    const { wallMs } = await subject.call('emitSteadily', order, (order.events / order.perSecond) * 1000 + STALL_MS);
    await arrival.withinStall();
    await delay(TAIL_MS);
    const windows = await Promise.all(watched.map((rig) => rig.subject.call('closeWindow', undefined)));
    const verdict = await swarm.call('verdict', undefined);
    if (verdict.faults.length > 0 || verdict.delivered !== verdict.expected) {
      throw new DeliveryFault(verdict, await swarm.call('lost', undefined));
    }
    return {
      perSecond: order.events / (wallMs / 1000),
      windows,
      latencies: await swarm.call('latencies', undefined),
    };
  } finally {
    arrival.end();
  }
}

/** Listens from now on for the notice that everything has arrived. */
function watchArrival(swarm: Rig['swarm']) {
  let stop: () => void = () => undefined;
  const arrived = new Promise<void>((resolve) => {
    stop = swarm.onNotice(resolve);
  });
  return {
    /** Resolves when all is there, or after a while: the verdict tells what is missing. */
    async withinStall() {
      let late: NodeJS.Timeout | undefined;
      const stalled = new Promise<void>((resolve) => {
        late = setTimeout(resolve, STALL_MS);
      });
      await Promise.race([arrived, stalled]);
      clearTimeout(late);
    },
    end: stop,
  };
}
