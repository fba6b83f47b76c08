/** Lets the clients of a stopping server go, one after the other, spread evenly over a window. */
import type { Cancel, Clock, Log, Metrics } from '../contracts.ts';

/** A connection as the drain sees it. */
export interface Leaver {
  isOpen(): boolean;
  /** True while something is on its way to the client; it is asked later then. */
  hasUnsent(): boolean;
  /** Closes the transport so that a stock client comes back by itself, to another server. */
  letGo(): void;
  /** Ends the connection at once. */
  cut(): void;
}

export interface DrainOptions {
  /** How long proxies may need to learn; everything still works. */
  readonly endpointWaitMs: number;
  /** The time over which clients are let go. */
  readonly windowMs: number;
  /** How long what is left may take before it is cut. */
  readonly deadlineMs: number;
}

export interface DrainDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'drainRemaining' | 'drainClosed'>;
  /** All open connections, in any order. */
  connections(): Leaver[];
  /** How many there are. */
  count(): number;
}

/** Why a server drains: it was told to by a signal or over the API, or it cannot go on. */
export type DrainCause = 'signal' | 'api' | 'fault';

export interface Drain {
  /** Runs once, however often it is called; resolves when no connection is left. Never rejects. */
  run(cause: DrainCause): Promise<void>;
  /** Skips all waits, now and later: the rest of the drain takes the deadline at most. */
  hurry(): void;
  /** True from the moment new sessions must be refused. */
  refusesSessions(): boolean;
}

const TICK_MS = 50;
const SAY_MS = 10_000;

/** How many of `total` connections have been let go `elapsedMs` into a window. */
export function letGoBy(total: number, elapsedMs: number, windowMs: number): number {
  if (elapsedMs >= windowMs) return total;
  return Math.min(total, Math.floor((total * elapsedMs) / windowMs));
}

/** Fisher and Yates' shuffle: neighbours in the list came together and should not leave together. */
export function shuffled<T>(items: readonly T[], random: () => number = Math.random): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const [a, b] = [result[i], result[j]];
    if (a !== undefined && b !== undefined) [result[i], result[j]] = [b, a];
  }
  return result;
}

export function createDrain(options: DrainOptions, deps: DrainDeps): Drain {
  const { clock, log, metrics } = deps;
  let running: Promise<void> | undefined;
  let refuses = false;
  let isHurried = false;
  let closed = 0;

  /** Resolves after `ms` or as soon as `until` holds, which is asked every tick. */
  function wait(ms: number, until: (elapsedMs: number) => boolean): Promise<void> {
    const start = clock.now();
    return new Promise((resolve) => {
      let cancel: Cancel | undefined;
      const tick = () => {
        const elapsedMs = clock.now() - start;
        if (!until(elapsedMs) && elapsedMs < ms) return false;
        cancel?.();
        resolve();
        return true;
      };
      if (!tick()) cancel = clock.every(TICK_MS, tick);
    });
  }

  async function letAllGo(): Promise<void> {
    let queue = shuffled(deps.connections());
    const total = queue.length;
    let letGo = 0;
    let saidAtMs = 0;
    const mayGo = (leaver: Leaver, elapsedMs: number) =>
      isHurried || elapsedMs >= options.windowMs || !leaver.isOpen() || !leaver.hasUnsent();
    /** Lets go who is due and tells how many remain. */
    const step = (elapsedMs: number): number => {
      const due = isHurried ? total : letGoBy(total, elapsedMs, options.windowMs);
      const waiting: Leaver[] = [];
      for (const leaver of queue) {
        if (letGo >= due || !mayGo(leaver, elapsedMs)) waiting.push(leaver);
        else {
          letGo++;
          if (!leaver.isOpen()) continue;
          leaver.letGo();
          closed++;
          metrics.drainClosed();
        }
      }
      queue = waiting;
      const remaining = deps.count();
      if (elapsedMs - saidAtMs >= SAY_MS) {
        saidAtMs = elapsedMs;
        log.info({ asked: closed, remaining }, 'draining');
      }
      metrics.drainRemaining(remaining);
      return remaining;
    };
    await wait(options.windowMs, (elapsedMs) => step(elapsedMs) === 0 || isHurried);
    // A hurry may have come after the last step.
    step(options.windowMs);
  }

  async function drain(cause: DrainCause): Promise<void> {
    log.info({ cause, connections: deps.count(), ...(isHurried ? { hurried: true } : options) }, 'drain started');
    await wait(options.endpointWaitMs, () => isHurried);
    refuses = true;
    await letAllGo();
    await wait(options.deadlineMs, () => deps.count() === 0);
    const rest = deps.connections();
    for (const leaver of rest) leaver.cut();
    metrics.drainRemaining(0);
    if (rest.length > 0)
      log.warn({ asked: closed, cut: rest.length }, 'drain finished, but some did not leave in time');
    else log.info({ asked: closed, cut: 0 }, 'drain finished');
  }

  return {
    run(cause) {
      running ??= drain(cause);
      return running;
    },
    hurry() {
      // The wait for the deadline is not skipped: it is what lets close frames leave.
      isHurried = true;
    },
    refusesSessions: () => refuses,
  };
}
