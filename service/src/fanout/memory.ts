/** Fanout inside one process: every socket is here, so a broadcast goes nowhere else. */
import { Adapter, SessionAwareAdapter } from 'socket.io-adapter';
import type { AdapterFactory, Fanout, Metrics } from '../contracts.ts';
import { counted } from './counted.ts';

/** With `recovery`, Socket.IO's own in-memory adapter keeps sessions and packets for its window. */
export function createMemoryFanout(options: { recovery: boolean }, metrics: Pick<Metrics, 'broadcast'>): Fanout {
  const Counted = counted(options.recovery ? SessionAwareAdapter : Adapter, metrics);
  return {
    kind: 'memory',
    adapter: Counted as unknown as AdapterFactory,
    checks: [],
    start: async () => undefined,
    stop: async () => undefined,
  };
}
