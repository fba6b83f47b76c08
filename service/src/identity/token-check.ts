/** Checks a token's signature and dates against every key that may have made it. */
import type { KeyObject } from 'node:crypto';
import {
  type CryptoKey,
  decodeProtectedHeader,
  errors,
  type JWTHeaderParameters,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import type { Clock, Log } from '../contracts.ts';
import { Refused } from '../refusals.ts';
import { TOLERANCE_SECONDS } from './claims.ts';
import { KeySetFault } from './key-fetch.ts';
import type { KeyRing } from './key-ring.ts';
import type { KeySet } from './key-set.ts';
import { PUBLIC_KEY_ALGORITHMS } from './public-keys.ts';

export interface TokenCheckOptions {
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
}

export interface TokenCheckDeps {
  readonly ring: KeyRing;
  readonly keySet: KeySet | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const MAX_TOKEN_CHARACTERS = 8192;
const COMPLAIN_MS = 30_000;

/** Creates a function that resolves with a token's claims, or rejects with a `Refused`, an error of jose or a fault of the key set. */
export function createTokenCheck(
  { issuer, audience }: TokenCheckOptions,
  { ring, keySet, clock, log }: TokenCheckDeps,
): (token: string) => Promise<JWTPayload> {
  let complainedAt = Number.NEGATIVE_INFINITY;

  async function* keysFor(header: JWTHeaderParameters): AsyncGenerator<KeyObject | CryptoKey> {
    yield* ring.keysFor(header.alg);
    if (keySet === undefined || !PUBLIC_KEY_ALGORITHMS.has(header.alg)) return;
    try {
      yield* keySet.keysFor(header);
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof KeySetFault) throw error;
      unusable(error);
    }
  }

  /** Undefined when this is not the key that signed it; rejects when it is and the token is still not good. */
  async function claimsBy(key: KeyObject | CryptoKey, token: string, header: JWTHeaderParameters) {
    const options: JWTVerifyOptions = {
      algorithms: [header.alg],
      clockTolerance: TOLERANCE_SECONDS,
      currentDate: new Date(clock.wall()),
      ...(issuer === undefined ? {} : { issuer }),
      ...(audience === undefined ? {} : { audience }),
    };
    try {
      return (await jwtVerify(token, key, options)).payload;
    } catch (error) {
      if (error instanceof errors.JOSEError && !(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
      if (!(error instanceof errors.JOSEError)) unusable(error);
      return undefined;
    }
  }

  /** A key set may list keys that are broken or too short; clients choose the kid and must not fill the log with it. */
  function unusable(error: unknown): void {
    if (clock.now() - complainedAt < COMPLAIN_MS) return;
    complainedAt = clock.now();
    log.warn({ reason: String(error) }, 'a key for tokens cannot be used');
  }

  return async (token) => {
    const header = headerOf(token);
    let tried = false;
    for await (const key of keysFor(header)) {
      const claims = await claimsBy(key, token, header);
      if (claims !== undefined) return claims;
      tried = true;
    }
    throw new Refused('unauthorized', tried ? 'signature is not valid' : 'no key is set for its algorithm');
  };
}

function headerOf(token: string): JWTHeaderParameters {
  if (token.length > MAX_TOKEN_CHARACTERS) {
    throw new Refused('unauthorized', `token has more than ${MAX_TOKEN_CHARACTERS} characters`);
  }
  try {
    const header = decodeProtectedHeader(token);
    if (typeof header.alg === 'string') return { ...header, alg: header.alg };
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
  }
  throw new Refused('unauthorized', 'token is not a JWT');
}
