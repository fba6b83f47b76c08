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

/** What became of namespaces, and the look for those that can go. */
export interface EmptyNamespaces {
  /** A client has brought it into being. */
  brought(nsp: Namespace): void;
  /** The app may have kept it, with listeners of its own: it stays. */
  handedOut(nsp: Namespace): void;
  /** Begins to look; the result ends it. */
  watch(): Cancel;
}

const SWEEP_MS = 10_000;

export function createEmptyNamespaces(
  io: Server,
  options: EmptyNamespacesOptions,
  { clock, log }: EmptyNamespacesDeps,
): EmptyNamespaces {
  const ofClients = new WeakSet<Namespace>();
  const ofApp = new WeakSet<Namespace>();
  const emptySince = new WeakMap<Namespace, number>();
  const onFault = (err: unknown) => log.error({ err }, 'namespace not closed');

  function sweep(): void {
    const now = clock.now();
    for (const { child, parent, isEmpty } of childrenOf(io)) {
      const since = emptySince.get(child);
      if (!isEmpty || ofApp.has(child) || !ofClients.has(child)) emptySince.delete(child);
      else if (since === undefined) emptySince.set(child, now);
      else if (now - since >= options.keepMs) callGuarded(() => closeChild(io, { child, parent }), onFault);
    }
  }

  return {
    brought: (nsp) => void ofClients.add(nsp),
    handedOut: (nsp) => void ofApp.add(nsp),
    watch: () => clock.every(SWEEP_MS, sweep),
  };
}
