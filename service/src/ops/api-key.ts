import { createHash, timingSafeEqual } from 'node:crypto';
import type { SecretValues } from '../contracts.ts';

/**
 * Whether an `Authorization` header carries one of the keys. Every key is compared, as a hash of fixed length:
 * the time tells neither which key was close nor how long one is.
 */
export function isAuthorized(header: string | undefined, keys: SecretValues): boolean {
  const given = digest(/^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? '');
  let isKnown = false;
  for (const key of keys()) {
    const isEqual = timingSafeEqual(given, digest(key));
    isKnown = (isEqual && key !== '') || isKnown;
  }
  return isKnown;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
