/** Says when Redis cannot be used, and when it is there again: one line per outage, then one every 30 s. */
import type { Clock, Log } from '../contracts.ts';
import { remedyFor } from './remedies.ts';

export interface OutageLog {
  /** A connection or a command failed. */
  failed(error: Error): void;
  /** Redis has just become, or still is, out of reach. */
  down(): void;
  /** It has just come (back). */
  up(lagMs: number): void;
  /** Why the latest outage is, as far as anything said so. */
  reason(): string | undefined;
}

const SAY_AGAIN_MS = 30_000;
// While the first connections are being made nothing is wrong yet.
const FIRST_CONTACT_MS = 3_000;
// A Redis that was there for less than this has not really been back, and its going is no news.
const SETTLED_MS = 5_000;
// What failed longer before an outage is not its reason.
const RECENT_MS = 3_000;
/** These follow from something else, which is the better reason. */
const CONSEQUENCES = new Set(['Connection is closed.', 'Command timed out', 'Redis is away', 'Redis does not answer']);

export function createOutageLog({ clock, log }: { readonly clock: Clock; readonly log: Log }): OutageLog {
  const startedAt = clock.now();
  let reason: string | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;
  let saidAt = Number.NEGATIVE_INFINITY;
  let upSince: number | undefined;
  let downSince = startedAt;
  let isNews = true;

  function say(event: string): boolean {
    const now = clock.now();
    if (now - saidAt < SAY_AGAIN_MS) return false;
    saidAt = now;
    const error = reason ?? 'the connection to Redis was closed';
    const downMs = upSince === undefined ? Math.round(now - downSince) : 0;
    log.warn({ error, ...remedyFor(error), downMs }, event);
    return true;
  }

  function sayOutage(): void {
    if (reason === undefined && clock.now() - startedAt < FIRST_CONTACT_MS) return;
    if (say('Redis cannot be used')) isNews = true;
  }

  return {
    reason: () => reason,
    failed(error) {
      const isKnown = reason !== undefined && clock.now() - failedAt < RECENT_MS;
      if (isKnown && CONSEQUENCES.has(error.message)) return;
      reason = error.message.trim();
      failedAt = clock.now();
      if (upSince === undefined) sayOutage();
      else if (error.name === 'ReplyError') say('Redis refuses something');
    },
    down() {
      const now = clock.now();
      if (upSince !== undefined) {
        if (now - upSince >= SETTLED_MS) saidAt = Number.NEGATIVE_INFINITY;
        if (now - failedAt > RECENT_MS) reason = undefined;
        upSince = undefined;
        downSince = now;
      }
      sayOutage();
    },
    up(lagMs) {
      upSince = clock.now();
      reason = undefined;
      if (isNews) log.info({ lagMs: Math.round(lagMs) }, 'Redis is there');
      isNews = false;
    },
  };
}
