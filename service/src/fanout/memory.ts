/** Fanout inside one process: every socket is here, so a broadcast goes nowhere else. */
import { Adapter, SessionAwareAdapter } from 'socket.io-adapter';
import type { Fanout, Metrics } from '../contracts.ts';
import { countedInstance } from './counted.ts';

/** With `recovery`, Socket.IO's own in-memory adapter keeps sessions and packets for its window. */
export function createMemoryFanout(options: { recovery: boolean }, metrics: Pick<Metrics, 'broadcast'>): Fanout {
  const AdapterClass = options.recovery ? SessionAwareAdapter : Adapter;
  return {
    kind: 'memory',
    adapter: (nsp) => countedInstance(new AdapterClass(nsp), metrics),
    checks: [],
    start: async () => undefined,
    stop: async () => undefined,
  };
}
