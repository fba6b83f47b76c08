import type { Adapter, BroadcastOptions } from 'socket.io-adapter';
import type { Metrics } from '../contracts.ts';

type AdapterClass = new (nsp: never, ...rest: never[]) => Adapter;
type Visit = (socket: unknown) => void;

/**
 * The same adapter, counting the local recipients of each broadcast and the time they take.
 * `apply` is the private loop of the in-memory adapter over the sockets of a broadcast, from which all others inherit.
 */
export function counted<Base extends AdapterClass>(base: Base, metrics: Pick<Metrics, 'broadcast'>): Base {
  const prototype = base.prototype as unknown as { apply(opts: BroadcastOptions, visit: Visit): void };
  const applyToEach = prototype.apply;
  const Counted = class extends (base as unknown as AdapterClass) {} as unknown as Base;
  (Counted.prototype as unknown as { apply: typeof applyToEach }).apply = function (this: unknown, opts, visit) {
    let recipients = 0;
    const start = performance.now();
    applyToEach.call(this as never, opts, (socket) => {
      recipients++;
      visit(socket);
    });
    metrics.broadcast(recipients, (performance.now() - start) / 1000);
  };
  return Counted;
}
