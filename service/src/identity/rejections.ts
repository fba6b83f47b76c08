/** Translates what went wrong with a token into the refusal that its bearer sees. */
import { errors } from 'jose';
import { Refused } from '../refusals.ts';
import { KeySetFault } from './key-fetch.ts';

/** The refusal for an error of jose or of the key set; undefined for anything else, which is a fault of ours. Never quotes the token. */
export function rejectionOf(error: unknown): Refused | undefined {
  if (error instanceof Refused) return error;
  if (error instanceof KeySetFault) return new Refused('unavailable', 'the keys that check tokens cannot be fetched');
  if (error instanceof errors.JWTExpired) return new Refused('token_expired');
  if (error instanceof errors.JOSEError) return new Refused('unauthorized', detailOf(error));
  return undefined;
}

function detailOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTClaimValidationFailed) return claimDetail(error);
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSInvalid)
    return 'no key is known for its kid and algorithm';
  if (error instanceof errors.JOSENotSupported) return 'it uses a feature that is not supported';
  return 'token is not a JWT';
}

function claimDetail({ claim, reason }: errors.JWTClaimValidationFailed): string {
  if (claim === 'aud') return 'audience does not match';
  if (claim === 'iss') return 'issuer does not match';
  if (claim === 'nbf' && reason === 'check_failed') return 'token is not valid yet';
  return `claim ${claim} must be a number`;
}
