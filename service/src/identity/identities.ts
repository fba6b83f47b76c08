/** Decides who a client is, and which rooms it may use, by the token that it brings. */
import type { Clock, Identities, Identity, Log, Metrics, SecretValues } from '../contracts.ts';
import { Refused } from '../refusals.ts';
import { identityOf } from './claims.ts';
import { createKeyRing } from './key-ring.ts';
import { createKeySet } from './key-set.ts';
import { rejectionOf } from './rejections.ts';
import { createTokenCheck } from './token-check.ts';

/** How tokens are checked. */
export interface IdentitiesOptions {
  readonly auth: 'none' | 'jwt';
  /** Required `iss`; unset: not checked. */
  readonly issuer?: string | undefined;
  /** Required `aud`; unset: not checked. */
  readonly audience?: string | undefined;
  readonly jwksUrl?: string | undefined;
}

export interface IdentitiesDeps {
  /** Shared secrets for HS256, HS384 and HS512. */
  readonly secrets: SecretValues;
  /** PEM blocks: public keys or X.509 certificates. */
  readonly publicKeys: SecretValues;
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, 'tokenVerified' | 'keysFetched'>;
  readonly log: Log;
}

/** Creates the judge of tokens. Its `start` rejects on a key that can never work; a key set that is away is retried. */
export function createIdentities(options: IdentitiesOptions, deps: IdentitiesDeps): Identities {
  return options.auth === 'none' ? anybody() : judge(options, deps);
}

function anybody(): Identities {
  const identity: Identity = Object.freeze({ rooms: Object.freeze(['*']), allows: () => true });
  return { checks: [], start: async () => undefined, stop: async () => undefined, verify: async () => identity };
}

function judge({ issuer, audience, jwksUrl }: IdentitiesOptions, deps: IdentitiesDeps): Identities {
  const { clock, metrics, log } = deps;
  const ring = createKeyRing(deps, log);
  const keySet = jwksUrl === undefined ? undefined : createKeySet({ url: jwksUrl }, deps);
  const claimsOf = createTokenCheck({ issuer, audience }, { ring, keySet, clock, log });

  function refusal(error: unknown): Refused {
    const refused = rejectionOf(error);
    if (refused === undefined) log.error({ err: error }, 'a token could not be checked');
    else if (refused.refusal === 'token_expired') metrics.tokenVerified('expired');
    else if (refused.refusal === 'unauthorized') metrics.tokenVerified('invalid');
    return refused ?? new Refused('internal');
  }

  return {
    checks: keySet === undefined ? [] : [keySet.check],
    async start() {
      ring.load();
      await keySet?.start();
    },
    async stop() {
      await keySet?.stop();
    },
    async verify(token) {
      if (!token) {
        metrics.tokenVerified('missing');
        throw new Refused('unauthorized', 'token is missing');
      }
      try {
        const identity = identityOf(await claimsOf(token), clock.wall());
        metrics.tokenVerified('ok');
        return identity;
      } catch (error) {
        throw refusal(error);
      }
    },
  };
}
