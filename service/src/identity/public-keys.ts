/** Reads PEM public keys and decides which algorithms each of them may check. */
import { createPublicKey, type KeyObject } from 'node:crypto';

/** A public key and the only algorithms that it may be used for. */
export interface PublicKey {
  readonly key: KeyObject;
  readonly algorithms: readonly string[];
}

const RSA = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
const EDWARDS = ['EdDSA', 'Ed25519'];
const CURVES: Readonly<Record<string, readonly string[]>> = {
  prime256v1: ['ES256'],
  secp384r1: ['ES384'],
  secp521r1: ['ES512'],
};
const MIN_RSA_BITS = 2048;

/** Every algorithm that a public key may check; disjoint from those of shared secrets. */
export const PUBLIC_KEY_ALGORITHMS: ReadonlySet<string> = new Set([
  ...RSA,
  ...Object.values(CURVES).flat(),
  ...EDWARDS,
]);

/** Parses one PEM block: a public key or an X.509 certificate. Throws an Error without the block's text. */
export function parsePublicKey(pem: string): PublicKey {
  // Node would derive the public half silently, and the private one would lie about on every pod.
  if (/PRIVATE KEY-----/.test(pem)) throw new Error('is a private key; only its public half belongs here');
  const key = readKey(pem);
  return { key, algorithms: algorithmsOf(key) };
}

function readKey(pem: string): KeyObject {
  try {
    // Environment files often carry a PEM block on one line, with \n spelled out.
    return createPublicKey(pem.replaceAll('\\n', '\n'));
  } catch (cause) {
    throw new Error('is not a public key or certificate in PEM form', { cause });
  }
}

function algorithmsOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): readonly string[] {
  if (type === 'rsa') {
    const bits = details?.modulusLength ?? 0;
    if (bits < MIN_RSA_BITS) throw new Error(`is an RSA key of ${bits} bits; ${MIN_RSA_BITS} are the least`);
    return RSA;
  }
  if (type === 'ed25519') return EDWARDS;
  const curve = type === 'ec' ? CURVES[details?.namedCurve ?? ''] : undefined;
  if (curve !== undefined) return curve;
  throw new Error(
    `is a key of type ${details?.namedCurve ?? type}; RSA, P-256, P-384, P-521 and Ed25519 are supported`,
  );
}
