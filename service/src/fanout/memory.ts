/** Fanout inside one process: every socket is here, so a broadcast goes nowhere else. */
import { Adapter } from 'socket.io-adapter';
import type { Fanout, Metrics } from '../contracts.ts';
import { countedInstance } from './counted.ts';
import { createPacketLog } from './packet-log.ts';
import { RecoveringAdapter } from './recovering-adapter.ts';

export interface MemoryFanoutOptions {
  /** Whether sessions and packets are kept for the window that Socket.IO is given. */
  readonly recovery: boolean;
  /** A client that has missed more than this starts afresh. */
  readonly mostMissedBytes: number;
}

// Of all packets of a process that are kept for those who come back.
const MOST_KEPT_BYTES = 64_000_000;

export function createMemoryFanout(options: MemoryFanoutOptions, metrics: Pick<Metrics, 'broadcast'>): Fanout {
  const log = createPacketLog({ mostBytes: MOST_KEPT_BYTES });
  const createAdapter = (nsp: never): Adapter =>
    options.recovery ? new RecoveringAdapter(nsp, { ...options, log }) : new Adapter(nsp);
  return {
    kind: 'memory',
    adapter: (nsp) => countedInstance(createAdapter(nsp), metrics),
    checks: [],
    reachesOthers: () => true,
    start: async () => undefined,
    stop: async () => undefined,
  };
}
