import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { PUBLIC_KEY_ALGORITHMS, parsePublicKey } from '../../../src/identity/public-keys.ts';
import { certificateOf, ecPair, edPair, pemOf, rsaPair } from './fixtures.ts';

test.each([
  ['RSA', () => rsaPair().publicKey, ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
  ['P-256', () => ecPair('P-256').publicKey, ['ES256']],
  ['P-384', () => ecPair('P-384').publicKey, ['ES384']],
  ['P-521', () => ecPair('P-521').publicKey, ['ES512']],
  ['Ed25519', () => edPair().publicKey, ['EdDSA', 'Ed25519']],
])('the type of a key decides its algorithms: %s', (_, make, algorithms) => {
  const key = make();
  expect(parsePublicKey(pemOf(key)).algorithms).toEqual(algorithms);
  expect(parsePublicKey(certificateOf(key)).algorithms).toEqual(algorithms);
});

test('the older PEM form of RSA keys is read too', () => {
  const pem = rsaPair().publicKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  expect(parsePublicKey(pem).algorithms).toContain('RS256');
});

test.each([
  ['of a curve nobody signs tokens with', () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }), /secp256k1/],
  ['for key agreement', () => generateKeyPairSync('x25519'), /x25519/],
  ['of the curve Ed448', () => generateKeyPairSync('ed448'), /ed448/],
  ['of RSA that is too short', () => generateKeyPairSync('rsa', { modulusLength: 1024 }), /1024 bits/],
])('a key is refused %s', (_, make, problem) => {
  expect(() => parsePublicKey(pemOf(make().publicKey))).toThrow(problem);
});

test('no algorithm of shared secrets is among those of public keys', () => {
  expect([...PUBLIC_KEY_ALGORITHMS].filter((algorithm) => /^(HS|none)/i.test(algorithm))).toEqual([]);
});
