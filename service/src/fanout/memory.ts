/** Fanout inside one process: every socket is here, so a broadcast goes nowhere else. */
import { Adapter, type BroadcastOptions, SessionAwareAdapter } from 'socket.io-adapter';
import type { Fanout, Metrics } from '../contracts.ts';
import { countedInstance } from './counted.ts';

/** With `recovery`, Socket.IO's own in-memory adapter keeps sessions and packets for its window. */
export function createMemoryFanout(options: { recovery: boolean }, metrics: Pick<Metrics, 'broadcast'>): Fanout {
  const AdapterClass = options.recovery ? RecoveringAdapter : Adapter;
  return {
    kind: 'memory',
    adapter: (nsp) => countedInstance(new AdapterClass(nsp), metrics),
    checks: [],
    reachesOthers: () => true,
    start: async () => undefined,
    stop: async () => undefined,
  };
}

/** Keeps nothing that cannot be encoded: upstream logs first, and whoever came back then met the same fault, outside of any handler. */
class RecoveringAdapter extends SessionAwareAdapter {
  override broadcast(packet: unknown, opts: BroadcastOptions): void {
    const { packets } = this as unknown as { packets: unknown[] };
    const before = packets.length;
    try {
      super.broadcast(packet, opts);
    } catch (error) {
      packets.length = before;
      throw error;
    }
  }
}
