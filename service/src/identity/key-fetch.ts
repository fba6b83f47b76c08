/** Fetches a key set over HTTP: braked while the provider is away, counted, and logged without noise. */
import { createLocalJWKSet, errors, type FetchImplementation, type JSONWebKeySet } from 'jose';
import type { Clock, Log, Metrics } from '../contracts.ts';

/** The key set could not be fetched, so nothing can be said about a token. */
export class KeySetFault extends Error {}

export interface KeyFetchOptions {
  readonly url: string;
  readonly timeoutMs: number;
}

export interface KeyFetchDeps {
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, 'keysFetched'>;
  readonly log: Log;
}

/** What jose calls to fetch, and what became of it. */
export interface KeyFetch {
  /** Rejects with a {@link KeySetFault}: at once if the last attempt failed less than a second ago. */
  readonly fetch: FetchImplementation;
  /** Why the last attempt failed; undefined when it did not. */
  fault(): KeySetFault | undefined;
  /** Milliseconds since the last success; infinite before the first. */
  ageMs(): number;
  /** Ends a fetch that is under way. Safe to call twice. */
  stop(): void;
}

const RETRY_MS = 1_000;
const COMPLAIN_MS = 30_000;
const REMEDY = 'see that this URL is right, answers with a JWKS and can be reached from here (DNS, egress, TLS)';

/** Creates the fetch of one URL; its query string, which may carry a key, stays out of logs. */
export function createKeyFetch({ url, timeoutMs }: KeyFetchOptions, { clock, metrics, log }: KeyFetchDeps): KeyFetch {
  const { origin, pathname } = new URL(url);
  const stopping = new AbortController();
  let fault: KeySetFault | undefined;
  let faultAt = Number.NEGATIVE_INFINITY;
  let complainedAt = Number.NEGATIVE_INFINITY;
  let fetchedAt = Number.NEGATIVE_INFINITY;

  function succeeded(): void {
    if (fault !== undefined) log.info({ setting: 'SOCKETFLEET_JWKS_URL' }, 'key set fetched again');
    fault = undefined;
    fetchedAt = clock.now();
    metrics.keysFetched('ok');
  }

  function failed(cause: unknown): KeySetFault {
    const reason = `SOCKETFLEET_JWKS_URL (${origin}${pathname}) cannot be fetched: ${reasonOf(cause, timeoutMs)}`;
    const now = new KeySetFault(reason, { cause });
    if (stopping.signal.aborted) return now;
    [fault, faultAt] = [now, clock.now()];
    metrics.keysFetched('error');
    if (faultAt - complainedAt >= COMPLAIN_MS) {
      complainedAt = faultAt;
      log.warn({ setting: 'SOCKETFLEET_JWKS_URL', reason, remedy: REMEDY }, 'key set cannot be fetched');
    }
    return now;
  }

  return {
    async fetch(href, init) {
      // jose's cooldown counts from the last success; this one brakes while there is none.
      if (fault !== undefined && clock.now() - faultAt < RETRY_MS) throw fault;
      try {
        const keys = await load(href, { ...init, signal: AbortSignal.any([init.signal, stopping.signal]) });
        succeeded();
        return Response.json(keys);
      } catch (cause) {
        throw failed(cause);
      }
    },
    fault: () => fault,
    ageMs: () => clock.now() - fetchedAt,
    stop: () => stopping.abort(),
  };
}

async function load(href: string, init: RequestInit): Promise<JSONWebKeySet> {
  const response = await fetch(href, init);
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`it answered with status ${response.status}`);
  }
  const keys = (await response.json()) as JSONWebKeySet;
  // Only to see whether jose would take it, so that the attempt is counted for what it was.
  createLocalJWKSet(keys);
  return keys;
}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `it did not answer within ${timeoutMs} ms`;
  if (error instanceof SyntaxError || error instanceof errors.JWKSInvalid) return 'its answer is not a JWKS';
  // fetch() says only "fetch failed"; the cause knows more.
  return error.cause instanceof Error ? error.cause.message || error.cause.name : error.message;
}
