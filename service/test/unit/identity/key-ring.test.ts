import { expect, test } from 'vitest';
import { createKeyRing } from '../../../src/identity/key-ring.ts';
import { ecPair, pemOf, recordingLog, rsaPair, SECRET } from './fixtures.ts';

test('each algorithm gets keys of its own kind only', () => {
  const [rsa, ec] = [rsaPair().publicKey, ecPair('P-256').publicKey];
  const values = { secrets: () => [SECRET], publicKeys: () => [pemOf(rsa), pemOf(ec)] };
  const ring = createKeyRing(values, recordingLog().log);
  const kinds = (algorithm: string) => ring.keysFor(algorithm).map((key) => key.asymmetricKeyType ?? key.type);
  for (const algorithm of ['HS256', 'HS384', 'HS512']) expect(kinds(algorithm)).toEqual(['secret']);
  for (const algorithm of ['RS256', 'RS512', 'PS256', 'PS512']) expect(kinds(algorithm)).toEqual(['rsa']);
  expect(kinds('ES256')).toEqual(['ec']);
  for (const algorithm of ['ES384', 'ES256K', 'EdDSA', 'none', 'hs256', '']) expect(kinds(algorithm)).toEqual([]);
});

test('keys are parsed when their text changes, not for every token', () => {
  const values = { secrets: () => [SECRET], publicKeys: () => [] };
  const ring = createKeyRing(values, recordingLog().log);
  expect(ring.keysFor('HS256')[0]).toBe(ring.keysFor('HS256')[0]);
});
