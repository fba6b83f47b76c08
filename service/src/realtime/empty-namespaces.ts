/** Namespaces that clients named do not stay for ever: those that have been empty for a while are closed. */
import type { Namespace, Server } from 'socket.io';
import type { Cancel, Clock, Log } from '../contracts.ts';
import { callGuarded } from './guarded-calls.ts';
import { childrenOf, closeChild } from './upstream.ts';

export interface EmptyNamespacesOptions {
  /** For how long nobody must have been in one. */
  readonly keepMs: number;
}

export interface EmptyNamespacesDeps {
  readonly clock: Clock;
  readonly log: Pick<Log, 'error'>;
}

const SWEEP_MS = 10_000;

/** Begins to look; the result ends it. */
export function closeEmptyNamespaces(io: Server, options: EmptyNamespacesOptions, deps: EmptyNamespacesDeps): Cancel {
  const { clock, log } = deps;
  const onFault = (err: unknown) => log.error({ err }, 'namespace not closed');
  const emptySince = new WeakMap<Namespace, number>();
  return clock.every(SWEEP_MS, () => {
    const now = clock.now();
    for (const { child, parent, isEmpty } of childrenOf(io)) {
      const since = emptySince.get(child);
      if (!isEmpty) emptySince.delete(child);
      else if (since === undefined) emptySince.set(child, now);
      else if (now - since >= options.keepMs) callGuarded(() => closeChild(io, { child, parent }), onFault);
    }
  });
}
