/** One line per 10 s on what happened to clients, at info; at warn when some were turned away. Single clients are debug. */
import type { Cancel, Clock, Log, Metrics, Startable } from '../contracts.ts';
import type { RefusalCode } from '../refusals.ts';

type Counted = Pick<
  Metrics,
  'handshake' | 'connectionOpened' | 'connectionClosed' | 'refused' | 'handlerFault' | 'received'
>;

export interface Summary extends Startable {
  /** The same metrics, listened to. */
  readonly metrics: Metrics;
}

const PERIOD_MS = 10_000;

export function createSummary(inner: Metrics, deps: { clock: Clock; log: Log }): Summary {
  const counts = { opened: 0, closed: 0, received: 0, faults: 0 };
  const refused = new Map<RefusalCode, number>();
  let connections = 0;
  let cancel: Cancel | undefined;

  const refusedOnce = (code: RefusalCode) => void refused.set(code, (refused.get(code) ?? 0) + 1);
  const listening: Counted = {
    handshake(outcome) {
      inner.handshake(outcome);
      if (outcome !== 'accepted') refusedOnce(outcome);
    },
    connectionOpened(transport) {
      inner.connectionOpened(transport);
      counts.opened++;
      connections++;
    },
    connectionClosed(transport, reason) {
      inner.connectionClosed(transport, reason);
      counts.closed++;
      connections--;
    },
    refused(code) {
      inner.refused(code);
      refusedOnce(code);
    },
    handlerFault(nsp) {
      inner.handlerFault(nsp);
      counts.faults++;
    },
    received(bytes) {
      inner.received(bytes);
      counts.received++;
    },
  };

  function say(): void {
    const isQuiet = counts.opened + counts.closed + counts.faults + refused.size === 0;
    const line = { connections, ...counts, ...(refused.size === 0 ? {} : { refused: Object.fromEntries(refused) }) };
    Object.assign(counts, { opened: 0, closed: 0, received: 0, faults: 0 });
    const wasRefused = refused.size > 0;
    refused.clear();
    // Idle servers say nothing, and messages alone are what metrics are for.
    if (isQuiet) return;
    if (wasRefused || line.faults > 0) deps.log.warn(line, 'last 10 s: some were refused, or handlers failed');
    else deps.log.info(line, 'last 10 s');
  }

  return {
    metrics: { ...inner, ...listening },
    async start() {
      cancel ??= deps.clock.every(PERIOD_MS, say);
    },
    async stop() {
      cancel?.();
      cancel = undefined;
    },
  };
}
