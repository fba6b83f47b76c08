/** Keeps the key set of an identity provider (JWKS) fresh, and through the provider's outages. */
import { type CryptoKey, createRemoteJWKSet, customFetch, errors, type JWTHeaderParameters } from 'jose';
import type { Cancel, Check, Startable } from '../contracts.ts';
import { createKeyFetch, type KeyFetchDeps, KeySetFault } from './key-fetch.ts';

/** Public keys of a JWKS URL. */
export interface KeySet extends Startable {
  readonly check: Check;
  /** Keys that may have signed a token with this header. Rejects with a `KeySetFault` or an error of jose. */
  keysFor(header: JWTHeaderParameters): AsyncIterable<CryptoKey>;
}

export interface KeySetOptions {
  readonly url: string;
  readonly timeoutMs?: number;
}

// An unknown kid fetches again, but whoever makes up kids cannot make us flood the provider.
const COOLDOWN_MS = 30_000;
const LOOK_AGAIN_MS = 30_000;
const REFRESH_MS = 600_000;
// A provider that is away locks nobody out; withdrawn keys must still end some day.
const MAX_AGE_MS = 86_400_000;

/** Creates the key set of a URL. `start` makes the first attempt and resolves whatever comes of it. */
export function createKeySet({ url, timeoutMs = 5_000 }: KeySetOptions, deps: KeyFetchDeps): KeySet {
  const { clock, log } = deps;
  const fetching = createKeyFetch({ url, timeoutMs }, deps);
  const resolve = createRemoteJWKSet(new URL(url), {
    cooldownDuration: COOLDOWN_MS,
    cacheMaxAge: MAX_AGE_MS,
    timeoutDuration: timeoutMs,
    [customFetch]: fetching.fetch,
  });
  let cancel: Cancel | undefined;

  async function refresh(): Promise<void> {
    if (fetching.fault() === undefined && fetching.ageMs() < REFRESH_MS) return;
    await resolve.reload().catch((error: unknown) => {
      if (!(error instanceof KeySetFault)) log.error({ err: error }, 'key set could not be refreshed');
    });
  }

  return {
    async *keysFor(header) {
      try {
        yield await resolve(header);
      } catch (error) {
        if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
        yield* error;
      }
    },
    check: {
      name: 'jwks',
      gates: 'nothing',
      async check() {
        const fault = fetching.fault();
        if (!resolve.fresh) throw fault ?? new Error('no key set has been fetched yet');
        const keys = resolve.jwks()?.keys.length ?? 0;
        return { keys, ageMs: Math.round(fetching.ageMs()), ...(fault && { fault: fault.message }) };
      },
    },
    async start() {
      const { username, password } = new URL(url);
      if (username !== '' || password !== '') {
        throw new Error('SOCKETFLEET_JWKS_URL must not carry a user name or password; a key set is public');
      }
      cancel = clock.every(LOOK_AGAIN_MS, () => void refresh());
      await refresh();
    },
    async stop() {
      cancel?.();
      fetching.stop();
    },
  };
}
