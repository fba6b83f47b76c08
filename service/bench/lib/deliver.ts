import type { EmitOrder, Window } from './calls.ts';
import type { Rig } from './suite.ts';
import type { Verdict } from './tally.ts';

const STALL_MS = 15_000;
const LONGEST_MS = 3_600_000;

/** What a delivery cost. */
export interface Delivery extends Window {
  readonly delivered: number;
}

/** A message was lost, doubled or out of order. */
export class DeliveryFault extends Error {
  constructor({ delivered, expected, faults }: Verdict, lostClients: number) {
    const summary = `${delivered} of ${expected} messages were delivered, ${lostClients} clients were closed`;
    super([summary, ...faults].join('\n  '));
    this.name = 'DeliveryFault';
  }
}

/** Broadcasts and measures. Rejects with a {@link DeliveryFault} unless every client received every message once, in order. */
export async function deliver({ subject, swarm }: Rig, order: EmitOrder): Promise<Delivery> {
  await swarm.call('expect', order);
  await subject.call('openWindow', { watchDelay: true });
  const relay = relayTurns(subject, swarm);
  const emitted = subject.call('emit', order, LONGEST_MS).then(() => true);
  const isComplete = await Promise.race([emitted, relay.stalled]).finally(relay.end);
  const window = await subject.call('closeWindow', undefined);
  const verdict = await swarm.call('verdict', undefined);
  if (!isComplete || verdict.faults.length > 0 || verdict.delivered !== verdict.expected) {
    throw new DeliveryFault(verdict, await swarm.call('lost', undefined));
  }
  return { ...window, delivered: verdict.delivered };
}

/** Tells the server about each turn that has arrived; `stalled` resolves with false when none has for a while. */
function relayTurns(subject: Rig['subject'], swarm: Rig['swarm']) {
  let late: NodeJS.Timeout;
  let stop: () => void = () => undefined;
  const stalled = new Promise<false>((resolve) => {
    late = setTimeout(() => resolve(false), STALL_MS);
    stop = swarm.onNotice(() => {
      late.refresh();
      subject.notify('turn');
    });
  });
  return {
    stalled,
    end() {
      clearTimeout(late);
      stop();
    },
  };
}
