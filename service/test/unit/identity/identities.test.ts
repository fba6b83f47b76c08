import { describe, expect, test } from 'vitest';
import {
  certificateOf,
  ecPair,
  edPair,
  forge,
  mint,
  OTHER_SECRET,
  pemOf,
  refusalOf,
  rsaPair,
  SECRET,
  setUp,
} from './fixtures.ts';

describe('without authentication', () => {
  test('everybody may use every room, whatever token they bring', async () => {
    const { identities, counted } = setUp({ auth: 'none' });
    await identities.start();
    const identity = await identities.verify('not even a token');
    expect(identity.sub).toBeUndefined();
    expect(identity.exp).toBeUndefined();
    expect(identity.rooms).toEqual(['*']);
    expect(identity.allows('anything at all')).toBe(true);
    expect(await identities.verify(undefined)).toBe(identity);
    expect(identities.checks).toEqual([]);
    expect(counted).toEqual([]);
    await identities.stop();
    await identities.stop();
  });
});

describe('an accepted token', () => {
  test('says who the client is, until when, and which rooms it may use', async () => {
    const { identities, counted } = setUp({ secrets: [SECRET] });
    const identity = await identities.verify(await mint({ rooms: ['lobby', 'team-*'] }));
    expect(identity).toMatchObject({ sub: 'ann', exp: 1_800_003_600, rooms: ['lobby', 'team-*'] });
    expect(['lobby', 'team-7', 'attic', 'lobby2'].map((room) => identity.allows(room))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(counted).toEqual(['ok']);
  });

  test('without the claim rooms allows none', async () => {
    const { identities } = setUp({ secrets: [SECRET] });
    const identity = await identities.verify(await mint());
    expect(identity.rooms).toEqual([]);
    expect(identity.allows('lobby')).toBe(false);
  });

  test('may name one pattern as a plain string', async () => {
    const { identities } = setUp({ secrets: [SECRET] });
    const identity = await identities.verify(await mint({ rooms: '*' }));
    expect(identity.rooms).toEqual(['*']);
    expect(identity.allows('lobby')).toBe(true);
  });

  test('without exp never ends', async () => {
    const { identities } = setUp({ secrets: [SECRET] });
    expect(await identities.verify(await mint({ exp: undefined }))).not.toHaveProperty('exp');
  });

  test.each(['HS256', 'HS384', 'HS512'])('may be signed with %s by any of the shared secrets', async (alg) => {
    const { identities } = setUp({ secrets: [SECRET, OTHER_SECRET] });
    for (const secret of [SECRET, OTHER_SECRET]) {
      expect((await identities.verify(await mint({}, secret, { alg }))).sub).toBe('ann');
    }
  });

  test('may be signed by any of several public keys of every kind', async () => {
    const pairs = {
      rsa: [rsaPair(), rsaPair()],
      'P-256': [ecPair('P-256'), ecPair('P-256')],
      'P-384': [ecPair('P-384'), ecPair('P-384')],
      'P-521': [ecPair('P-521'), ecPair('P-521')],
      ed25519: [edPair(), edPair()],
    };
    const algorithms: Record<keyof typeof pairs, string[]> = {
      rsa: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
      'P-256': ['ES256'],
      'P-384': ['ES384'],
      'P-521': ['ES512'],
      ed25519: ['EdDSA'],
    };
    const all = Object.values(pairs).flat();
    const { identities } = setUp({ publicKeys: all.map(({ publicKey }) => pemOf(publicKey)) });
    await identities.start();
    for (const [kind, algs] of Object.entries(algorithms) as [keyof typeof pairs, string[]][]) {
      for (const { privateKey } of pairs[kind]) {
        for (const alg of algs) {
          expect((await identities.verify(await mint({}, privateKey, { alg }))).sub, alg).toBe('ann');
        }
      }
    }
  });

  test('may be signed by the key of an X.509 certificate, or of a PEM block with \\n spelled out', async () => {
    const [first, second] = [rsaPair(), ecPair('P-256')];
    const { identities } = setUp({
      publicKeys: [certificateOf(first.publicKey), pemOf(second.publicKey).replaceAll('\n', '\\n')],
    });
    await identities.start();
    expect((await identities.verify(await mint({}, first.privateKey, { alg: 'RS256' }))).sub).toBe('ann');
    expect((await identities.verify(await mint({}, second.privateKey, { alg: 'ES256' }))).sub).toBe('ann');
  });

  test('may carry an audience among others', async () => {
    const { identities } = setUp({ secrets: [SECRET], issuer: 'https://id.example', audience: 'chat' });
    const claims = { iss: 'https://id.example', aud: ['mail', 'chat'] };
    expect((await identities.verify(await mint(claims))).sub).toBe('ann');
  });
});

describe('a token is refused', () => {
  const strict = () => setUp({ secrets: [SECRET], issuer: 'https://id.example', audience: 'chat' });
  const good = { iss: 'https://id.example', aud: 'chat' };

  test.each([
    ['from another issuer', { iss: 'https://evil.example' }, 'issuer does not match'],
    ['without an issuer', { iss: undefined }, 'issuer does not match'],
    ['for another audience', { aud: 'mail' }, 'audience does not match'],
    ['without an audience', { aud: undefined }, 'audience does not match'],
    ['that is not valid yet', { nbf: 1_800_000_031 }, 'token is not valid yet'],
    ['with a start that is no number', { nbf: 'soon' }, 'claim nbf must be a number'],
    ['with an end that is no number', { exp: 'never' }, 'claim exp must be a number'],
    ['without a sub', { sub: undefined }, 'claim sub is missing'],
    ['with an empty sub', { sub: '' }, 'claim sub must be'],
    ['with a sub that is no string', { sub: 7 }, 'claim sub must be'],
    ['with a sub that is too long', { sub: 'x'.repeat(257) }, 'claim sub must be'],
    ['with control characters in its sub', { sub: 'ann\nbob' }, 'claim sub must be'],
    ['with half a character in its sub', { sub: 'ann\ud800' }, 'claim sub must be'],
    ['with an object for rooms', { rooms: { lobby: true } }, 'claim rooms must be a list of strings'],
    ['with null for rooms', { rooms: null }, 'claim rooms must be a list of strings'],
    ['with a number among its rooms', { rooms: ['lobby', 7] }, 'claim rooms must be a list of strings'],
    ['with too many rooms', { rooms: Array.from({ length: 257 }, () => 'a') }, 'claim rooms has more than 256'],
    ['with a pattern that is too long', { rooms: ['a'.repeat(257)] }, 'claim rooms has a pattern of more'],
  ])('%s', async (_, claims, detail) => {
    const { identities, counted } = strict();
    const token = await mint({ ...good, ...claims });
    const refused = await refusalOf(identities.verify(token));
    expect(refused.refusal).toBe('unauthorized');
    expect(refused.message).toContain(detail);
    expect(counted).toEqual(['invalid']);
  });

  test('when it has expired, with a code of its own that asks for a fresh one', async () => {
    const { identities, counted } = strict();
    const refused = await refusalOf(identities.verify(await mint({ ...good, exp: 1_799_999_970 })));
    expect(refused.data).toMatchObject({ code: 'token_expired', retry: true });
    expect(counted).toEqual(['expired']);
  });

  test('when it is missing', async () => {
    const { identities, counted } = strict();
    for (const token of [undefined, '']) {
      expect((await refusalOf(identities.verify(token))).message).toContain('token is missing');
    }
    expect(counted).toEqual(['missing', 'missing']);
  });

  test('when its signature was made with another secret, cut off or changed', async () => {
    const { identities } = strict();
    const token = await mint(good);
    const [header, , signature] = token.split('.');
    const claims = Buffer.from(JSON.stringify({ ...good, sub: 'admin' })).toString('base64url');
    for (const forged of [
      await mint(good, OTHER_SECRET),
      token.slice(0, token.lastIndexOf('.') + 1),
      `${header}.${claims}.${signature}`,
    ]) {
      expect((await refusalOf(identities.verify(forged))).message).toContain('signature is not valid');
    }
  });

  test('when it expired and its signature is not valid, for its signature', async () => {
    const { identities } = strict();
    const refused = await refusalOf(identities.verify(await mint({ ...good, exp: 1 }, OTHER_SECRET)));
    expect(refused.refusal).toBe('unauthorized');
  });

  test('when it is longer than 8 KB, before anything looks at it', async () => {
    const { identities } = strict();
    const token = await mint({ ...good, padding: 'x'.repeat(8192) });
    expect((await refusalOf(identities.verify(token))).message).toContain('more than 8192 characters');
  });

  test.each([
    ['a word', 'garbage'],
    ['three words', 'a.b.c'],
    ['dots', '..'],
    ['many dots', '.'.repeat(8000)],
    ['no JSON', forge('{', '{}')],
    ['a list for a header', forge('[]', '{}')],
    ['null for a header', forge('null', '{}')],
    ['a header without alg', forge({}, {})],
    ['an alg that is no string', forge({ alg: ['HS256'] }, {})],
    ['a NUL', '\0'],
    ['an encrypted token', 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..aa.aa.aa'],
  ])('when it is %s', async (_, token) => {
    const { identities } = strict();
    expect((await refusalOf(identities.verify(token))).refusal).toBe('unauthorized');
  });

  test('when a client sends something else than a string', async () => {
    const { identities } = strict();
    for (const token of [{}, [], 7, true, { length: 3, split: 'x' }]) {
      expect((await refusalOf(identities.verify(token as unknown as string))).refusal).toBe('unauthorized');
    }
  });

  test('when its header demands an extension that is not understood', async () => {
    const { identities } = strict();
    const refused = await refusalOf(identities.verify(forge({ alg: 'HS256', crit: ['x'], x: 1 }, good, 'aaaa')));
    expect(refused.message).toContain('a feature that is not supported');
  });

  test('when its claims are no JSON object although the signature is valid', async () => {
    const { CompactSign } = await import('jose');
    const { identities } = strict();
    for (const payload of ['[]', 'null', '"ann"', '{', '']) {
      const signer = new CompactSign(Buffer.from(payload)).setProtectedHeader({ alg: 'HS256' });
      const refused = await refusalOf(identities.verify(await signer.sign(Buffer.from(SECRET))));
      expect(refused.message).toContain('token is not a JWT');
    }
  });

  test('when its end is beyond every number', async () => {
    const { CompactSign } = await import('jose');
    const { identities } = setUp({ secrets: [SECRET] });
    const signer = new CompactSign(Buffer.from('{"sub":"ann","exp":1e999}')).setProtectedHeader({ alg: 'HS256' });
    const refused = await refusalOf(identities.verify(await signer.sign(Buffer.from(SECRET))));
    expect(refused.message).toContain('claim exp must be a number');
  });

  test('without its text ever being quoted or logged', async () => {
    const { identities, text } = strict();
    const secretClaims = { ...good, sub: 'x'.repeat(300), marker: 'marker-of-this-token' };
    const tokens = [
      await mint(secretClaims),
      await mint({ ...good, iss: 'marker-of-this-token' }),
      await mint({ ...good, rooms: ['marker-of-this-token', 1] }),
      forge({ alg: 'marker-of-this-token' }, good),
      'marker-of-this-token',
    ];
    for (const token of tokens) {
      const refused = await refusalOf(identities.verify(token));
      for (const part of ['marker-of-this-token', ...token.split('.').filter(Boolean)]) {
        expect(`${JSON.stringify(refused.data)} ${refused.message} ${text()}`).not.toContain(part);
      }
    }
  });
});

describe('algorithms', () => {
  test('alg none is refused in every spelling', async () => {
    const { publicKey } = rsaPair();
    const { identities } = setUp({ secrets: [SECRET], publicKeys: [pemOf(publicKey)] });
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', 'constructor', '__proto__']) {
      for (const signature of ['', 'AAAA']) {
        const refused = await refusalOf(identities.verify(forge({ alg }, { sub: 'admin' }, signature)));
        expect(refused.refusal, alg).toBe('unauthorized');
      }
    }
  });

  test('a public key cannot be used as a shared secret', async () => {
    const { publicKey } = rsaPair();
    const pem = pemOf(publicKey);
    for (const secrets of [[], [SECRET]]) {
      const { identities } = setUp({ secrets, publicKeys: [pem] });
      for (const key of [pem, pem.trim(), publicKey.export({ type: 'spki', format: 'der' }).toString('latin1')]) {
        for (const alg of ['HS256', 'HS384', 'HS512']) {
          const refused = await refusalOf(identities.verify(await mint({}, key, { alg })));
          expect(refused.refusal).toBe('unauthorized');
        }
      }
    }
  });

  test('a public key that was configured as a shared secret stops the start', async () => {
    const { identities } = setUp({ secrets: [pemOf(rsaPair().publicKey)] });
    await expect(identities.start()).rejects.toThrow(/SOCKETFLEET_JWT_SECRET.*belong in SOCKETFLEET_JWT_PUBLIC_KEY/);
  });

  test('a key of one kind does not check tokens of another', async () => {
    const { identities } = setUp({ publicKeys: [pemOf(ecPair('P-256').publicKey)] });
    for (const [alg, key] of [
      ['RS256', rsaPair().privateKey],
      ['ES384', ecPair('P-384').privateKey],
      ['EdDSA', edPair().privateKey],
    ] as const) {
      const refused = await refusalOf(identities.verify(await mint({}, key, { alg })));
      expect(refused.message).toContain('no key is set for its algorithm');
    }
  });

  test('another key of the same kind is a signature that is not valid', async () => {
    const { identities } = setUp({ publicKeys: [pemOf(rsaPair().publicKey), pemOf(rsaPair().publicKey)] });
    const refused = await refusalOf(identities.verify(await mint({}, rsaPair().privateKey, { alg: 'RS256' })));
    expect(refused.message).toContain('signature is not valid');
  });

  test('keys that a token brings along are not believed', async () => {
    const { publicKey, privateKey } = rsaPair();
    const { identities } = setUp({ publicKeys: [pemOf(rsaPair().publicKey)] });
    const header = { alg: 'RS256', jwk: publicKey.export({ format: 'jwk' }), x5u: 'http://127.0.0.1:1/' };
    const refused = await refusalOf(identities.verify(await mint({}, privateKey, header)));
    expect(refused.message).toContain('signature is not valid');
  });
});

describe('clocks may differ by 30 seconds', () => {
  test('a token is accepted up to 30 seconds after its end, and its session gets the rest of them', async () => {
    const { identities, time } = setUp({ secrets: [SECRET] });
    const exp = time.seconds();
    const token = await mint({ exp });
    expect((await identities.verify(token)).exp).toBe(exp + 30);
    time.pass(29_000);
    expect((await identities.verify(token)).exp).toBe(exp + 30);
    time.pass(1_000);
    expect((await refusalOf(identities.verify(token))).refusal).toBe('token_expired');
  });

  test('a token is accepted from 30 seconds before its start', async () => {
    const { identities, time } = setUp({ secrets: [SECRET] });
    const token = await mint({ nbf: time.seconds() + 31 });
    expect((await refusalOf(identities.verify(token))).message).toContain('not valid yet');
    time.pass(1_000);
    expect((await identities.verify(token)).sub).toBe('ann');
  });
});

describe('keys change while the process runs', () => {
  test('a new secret counts at once, an old one until it is removed', async () => {
    const { identities, values } = setUp({ secrets: [SECRET] });
    await identities.start();
    const [before, after] = [await mint({}, SECRET), await mint({}, OTHER_SECRET)];
    await identities.verify(before);
    await expect(identities.verify(after)).rejects.toThrow('signature is not valid');
    values.secrets = [OTHER_SECRET, SECRET];
    await identities.verify(before);
    await identities.verify(after);
    values.secrets = [OTHER_SECRET];
    await identities.verify(after);
    await expect(identities.verify(before)).rejects.toThrow('signature is not valid');
    values.secrets = [];
    await expect(identities.verify(after)).rejects.toThrow('no key is set for its algorithm');
  });

  test('so do public keys', async () => {
    const [old, fresh] = [ecPair('P-256'), edPair()];
    const { identities, values } = setUp({ publicKeys: [pemOf(old.publicKey)] });
    await identities.start();
    const before = await mint({}, old.privateKey, { alg: 'ES256' });
    const after = await mint({}, fresh.privateKey, { alg: 'EdDSA' });
    await identities.verify(before);
    values.publicKeys = [pemOf(old.publicKey), pemOf(fresh.publicKey)];
    await identities.verify(before);
    await identities.verify(after);
    values.publicKeys = [pemOf(fresh.publicKey)];
    await expect(identities.verify(before)).rejects.toThrow('no key is set for its algorithm');
  });

  test('a broken key leaves the previous ones in place and is logged once', async () => {
    const { publicKey, privateKey } = ecPair('P-256');
    const { identities, values, lines } = setUp({ publicKeys: [pemOf(publicKey)] });
    await identities.start();
    const token = await mint({}, privateKey, { alg: 'ES256' });
    values.publicKeys = ['-----BEGIN PUBLIC KEY-----\nhalf'];
    await identities.verify(token);
    await identities.verify(token);
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines[0])).toContain('SOCKETFLEET_JWT_PUBLIC_KEY');
  });
});

describe('start reports a public key that cannot work', () => {
  test.each([
    ['garbage', () => 'garbage', 'is not a public key or certificate in PEM form'],
    [
      'a PEM block with nonsense in it',
      () => '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----',
      'is not a public key or certificate in PEM form',
    ],
    [
      'a private key',
      () => rsaPair().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      'is a private key; only its public half belongs here',
    ],
  ])('%s', async (_, pem, problem) => {
    const { identities } = setUp({ publicKeys: [pemOf(edPair().publicKey), pem()] });
    const message = `SOCKETFLEET_JWT_PUBLIC_KEY: value 2 of 2 ${problem}`;
    await expect(identities.start()).rejects.toThrow(message);
    await expect(identities.start()).rejects.toThrow(message);
  });
});
