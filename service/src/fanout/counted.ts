import type { Adapter, BroadcastOptions } from 'socket.io-adapter';
import type { Metrics } from '../contracts.ts';

type Visit = (socket: unknown) => void;

/**
 * Makes an adapter count the local recipients of each broadcast and the time they take.
 * `apply` is the private loop of the in-memory adapter over the sockets of a broadcast, from which all others inherit.
 */
export function countedInstance(adapter: Adapter, metrics: Pick<Metrics, 'broadcast'>): Adapter {
  const inner = adapter as unknown as { apply(opts: BroadcastOptions, visit: Visit): void };
  const applyToEach = inner.apply;
  inner.apply = function (opts, visit) {
    let recipients = 0;
    const start = performance.now();
    applyToEach.call(this, opts, (socket) => {
      recipients++;
      visit(socket);
    });
    metrics.broadcast(recipients, (performance.now() - start) / 1000);
  };
  return adapter;
}
