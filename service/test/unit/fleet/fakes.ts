import type { Bus, RedisCommands } from '../../../src/contracts.ts';
import type { Leases } from '../../../src/fleet/leases.ts';

/** A bus inside one process that remembers what was said. */
export function createFakeBus(): Bus & { sent: [topic: string, payload: string][]; topics(): string[] } {
  const listeners = new Map<string, Set<(payload: string) => void>>();
  const sent: [string, string][] = [];
  return {
    sent,
    topics: () => [...listeners.keys()].sort(),
    publish(topic, payload) {
      sent.push([topic, payload]);
      for (const listener of listeners.get(topic) ?? []) queueMicrotask(() => listener(payload));
    },
    subscribe(topic, listener) {
      const all = listeners.get(topic) ?? new Set();
      listeners.set(topic, all.add(listener));
      return () => {
        all.delete(listener);
        if (all.size === 0) listeners.delete(topic);
      };
    },
  };
}

/** Redis whose scripts answer what the test says, or reject. */
export function createFakeRedis(script: (args: readonly string[]) => unknown): RedisCommands & { calls: string[][] } {
  const calls: string[][] = [];
  return {
    prefix: 'sf',
    calls,
    call: async () => null,
    async script(_source, _keys, args) {
      calls.push(args.map(String));
      return script(args.map(String));
    },
    onUp: () => undefined,
  };
}

/** The leases of one server among others, as the test sets them. */
export function createFakeLeases(
  tag: string,
  others: string[],
): Leases & { lose(newTag: string): void; isFreshNow: boolean } {
  const listeners: Parameters<Leases['onTagLost']>[0][] = [];
  let own = tag;
  const lease = (of: string) => ({
    tag: of,
    generation: `gen-${of}--`,
    pod: of,
    address: '',
    connections: 0,
    maxConnections: 0,
    mode: 'sharded',
  });
  return {
    isFreshNow: true,
    start: async () => undefined,
    stop: async () => undefined,
    own: () => lease(own),
    table: () => [...others, own].map(lease),
    isFresh() {
      return this.isFreshNow;
    },
    renew: async () => undefined,
    refresh: async () => undefined,
    onTagLost: (listener) => void listeners.push(listener),
    onRenewed: () => undefined,
    lose(newTag) {
      own = newTag;
      for (const listener of listeners) listener(lease(own));
    },
  };
}
