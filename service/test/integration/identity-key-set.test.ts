import type { KeyObject } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createKeySet } from '../../src/identity/key-set.ts';
import {
  ecPair,
  edPair,
  fakeClock,
  mint,
  pemOf,
  recordingLog,
  refusalOf,
  rsaPair,
  SECRET,
  setUp,
} from '../unit/identity/fixtures.ts';

const cleanUps: (() => unknown)[] = [];

beforeEach(() => {
  // jose's cooldown goes by Date; everything else stays real.
  vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_000 });
});

afterEach(async () => {
  vi.useRealTimers();
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** An identity provider on loopback that counts how often it is asked. */
async function startProvider() {
  const provider = {
    keys: [] as object[],
    asked: 0,
    status: 200,
    body: undefined as string | undefined,
    url: '',
    port: 0,
  };
  const answer: RequestListener = (_request, response) => {
    provider.asked += 1;
    response.writeHead(provider.status, { 'content-type': 'application/json', location: '/elsewhere' });
    response.end(provider.body ?? JSON.stringify({ keys: provider.keys }));
  };
  let server = createServer(answer);
  const listen = async (port: number) => {
    server = createServer(answer).listen(port, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    provider.port = (server.address() as AddressInfo).port;
    provider.url = `http://127.0.0.1:${provider.port}/jwks?key=not-for-logs`;
  };
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  await listen(0);
  cleanUps.push(stop);
  return Object.assign(provider, { stop, restart: () => listen(provider.port) });
}

function jwk(key: KeyObject, members: object = {}): object {
  return { ...key.export({ format: 'jwk' }), use: 'sig', ...members };
}

async function start(options: Parameters<typeof setUp>[0]) {
  const all = setUp(options);
  cleanUps.push(() => all.identities.stop());
  await all.identities.start();
  const pass = (ms: number) => {
    vi.setSystemTime(Date.now() + ms);
    all.time.pass(ms);
  };
  const [check] = all.identities.checks;
  return { ...all, pass, check: () => check?.check() };
}

test('tokens are checked with the keys of the set, fetched once at the start', async () => {
  const provider = await startProvider();
  const pairs = [rsaPair(), ecPair('P-256'), edPair()];
  provider.keys = pairs.map(({ publicKey }, i) => jwk(publicKey, { kid: `k${i}` }));
  const { identities, counted, check } = await start({ jwksUrl: provider.url });
  for (const [i, alg] of ['RS256', 'ES256', 'EdDSA'].entries()) {
    const token = await mint({ rooms: 'lobby' }, pairs[i]?.privateKey, { alg, kid: `k${i}` });
    expect((await identities.verify(token)).sub).toBe('ann');
  }
  expect(provider.asked).toBe(1);
  expect(counted).toEqual(['keys ok', 'ok', 'ok', 'ok']);
  expect(await check()).toMatchObject({ keys: 3 });
});

test('a token without kid is checked with every key that fits', async () => {
  const provider = await startProvider();
  const pairs = [rsaPair(), rsaPair()];
  provider.keys = pairs.map(({ publicKey }, i) => jwk(publicKey, { kid: `k${i}` }));
  const { identities } = await start({ jwksUrl: provider.url });
  for (const { privateKey } of pairs) {
    expect((await identities.verify(await mint({}, privateKey, { alg: 'RS256' }))).sub).toBe('ann');
  }
  const stranger = await mint({}, rsaPair().privateKey, { alg: 'RS256' });
  await expect(identities.verify(stranger)).rejects.toThrow('signature is not valid');
});

test('a key with the right kid that made another signature does not let the token in', async () => {
  const provider = await startProvider();
  provider.keys = [jwk(rsaPair().publicKey, { kid: 'k' })];
  const { identities } = await start({ jwksUrl: provider.url });
  const forged = await mint({}, rsaPair().privateKey, { alg: 'RS256', kid: 'k' });
  await expect(identities.verify(forged)).rejects.toThrow('signature is not valid');
});

test('a shared secret in a key set is never used, and shared secrets never ask for the set', async () => {
  const provider = await startProvider();
  provider.keys = [{ kty: 'oct', kid: 'k', alg: 'HS256', k: Buffer.from(SECRET).toString('base64url') }];
  const { identities } = await start({ jwksUrl: provider.url });
  const refused = await refusalOf(identities.verify(await mint({}, SECRET, { alg: 'HS256', kid: 'k' })));
  expect(refused.message).toContain('no key is set for its algorithm');
  expect(provider.asked).toBe(1);
});

test('a key of the set that is too short is skipped, and said once', async () => {
  const provider = await startProvider();
  const { generateKeyPairSync } = await import('node:crypto');
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  provider.keys = [jwk(publicKey, { kid: 'k' })];
  const { identities, lines } = await start({ jwksUrl: provider.url });
  const token = await mint({}, rsaPair().privateKey, { alg: 'RS256', kid: 'k' });
  for (let i = 0; i < 3; i++) await expect(identities.verify(token)).rejects.toThrow('signature is not valid');
  expect(lines).toHaveLength(1);
});

test('a broken key in a set spoils neither the others nor the log', async () => {
  const provider = await startProvider();
  const { publicKey, privateKey } = ecPair('P-256');
  provider.keys = [jwk(publicKey, { kid: 'broken', x: 'AAAA' }), jwk(publicKey, { kid: 'good' })];
  const { identities, lines } = await start({ jwksUrl: provider.url });
  for (let i = 0; i < 3; i++) {
    const refused = await refusalOf(identities.verify(await mint({}, privateKey, { alg: 'ES256', kid: 'broken' })));
    expect(refused.refusal).toBe('unauthorized');
  }
  expect((await identities.verify(await mint({}, privateKey, { alg: 'ES256', kid: 'good' }))).sub).toBe('ann');
  expect((await identities.verify(await mint({}, privateKey, { alg: 'ES256' }))).sub).toBe('ann');
  expect(lines).toHaveLength(1);
});

test('secrets, public keys and a key set are valid side by side', async () => {
  const provider = await startProvider();
  const [configured, fetched] = [rsaPair(), rsaPair()];
  provider.keys = [jwk(fetched.publicKey, { kid: 'k' })];
  const { identities } = await start({
    jwksUrl: provider.url,
    secrets: [SECRET],
    publicKeys: [pemOf(configured.publicKey)],
  });
  await identities.verify(await mint());
  await identities.verify(await mint({}, configured.privateKey, { alg: 'RS256' }));
  await identities.verify(await mint({}, fetched.privateKey, { alg: 'RS256', kid: 'k' }));
});

test('an unknown kid fetches the set once, and tokens of the new key are accepted', async () => {
  const provider = await startProvider();
  const [old, fresh] = [ecPair('P-256'), ecPair('P-256')];
  provider.keys = [jwk(old.publicKey, { kid: 'old' })];
  const { identities, pass } = await start({ jwksUrl: provider.url });
  pass(30_001);
  provider.keys.push(jwk(fresh.publicKey, { kid: 'fresh' }));
  const tokens = await Promise.all(
    Array.from({ length: 20 }, () => mint({}, fresh.privateKey, { alg: 'ES256', kid: 'fresh' })),
  );
  const verified = await Promise.all(tokens.map((token) => identities.verify(token)));
  expect(verified.every(({ sub }) => sub === 'ann')).toBe(true);
  expect(provider.asked).toBe(2);
});

test('a withdrawn key is not accepted once the set was fetched again', async () => {
  const provider = await startProvider();
  const { publicKey, privateKey } = ecPair('P-256');
  provider.keys = [jwk(publicKey, { kid: 'k' })];
  const { identities, pass } = await start({ jwksUrl: provider.url });
  const token = await mint({}, privateKey, { alg: 'ES256', kid: 'k' });
  await identities.verify(token);
  provider.keys = [];
  pass(600_000);
  await vi.waitFor(() => expect(provider.asked).toBe(2));
  await vi.waitFor(() => expect(identities.verify(token)).rejects.toThrow('no key is known for its kid'));
});

test('a flood of unknown kids fetches at most once per 30 seconds', async () => {
  const provider = await startProvider();
  const { privateKey, publicKey } = ecPair('P-256');
  provider.keys = [jwk(publicKey, { kid: 'k' })];
  const { identities, pass } = await start({ jwksUrl: provider.url });
  for (let second = 0; second < 60; second++) {
    pass(1_000);
    const flood = Array.from({ length: 5 }, async (_, i) =>
      refusalOf(identities.verify(await mint({}, privateKey, { alg: 'ES256', kid: `${second}-${i}` }))),
    );
    for (const refused of await Promise.all(flood)) expect(refused.refusal).toBe('unauthorized');
  }
  expect(provider.asked).toBe(3);
});

test('a provider that is down makes tokens unavailable, says so every 30 seconds, and heals', async () => {
  const provider = await startProvider();
  const { privateKey, publicKey } = ecPair('P-256');
  provider.keys = [jwk(publicKey, { kid: 'k' })];
  await provider.stop();
  const { identities, pass, counted, lines, text, check } = await start({ jwksUrl: provider.url });
  const token = await mint({}, privateKey, { alg: 'ES256', kid: 'k' });

  const refused = await refusalOf(identities.verify(token));
  expect(refused.data).toMatchObject({ code: 'unavailable', retry: true });
  expect(refused.message).not.toContain('127.0.0.1');
  await expect(check()).rejects.toThrow('SOCKETFLEET_JWKS_URL');
  expect(lines).toHaveLength(1);
  expect(lines[0]?.level).toBe('warn');
  expect(JSON.stringify(lines[0])).toMatch(/SOCKETFLEET_JWKS_URL.*ECONNREFUSED.*see that this URL is right/);
  expect(text()).not.toContain('not-for-logs');

  for (let i = 0; i < 29; i++) {
    pass(1_000);
    await refusalOf(identities.verify(token));
  }
  expect(lines).toHaveLength(1);
  pass(1_000);
  await vi.waitFor(() => expect(lines).toHaveLength(2));
  expect(counted.filter((outcome) => outcome === 'keys ok')).toHaveLength(0);

  await provider.restart();
  pass(1_000);
  expect((await identities.verify(token)).sub).toBe('ann');
  expect(await check()).toMatchObject({ keys: 1 });
  expect(lines.at(-1)).toMatchObject({ level: 'info', event: 'key set fetched again' });
});

test('a provider that is down is asked at most once per second, however many tokens come', async () => {
  const provider = await startProvider();
  const { privateKey } = ecPair('P-256');
  provider.status = 503;
  const { identities, pass, counted } = await start({ jwksUrl: provider.url });
  const token = await mint({}, privateKey, { alg: 'ES256', kid: 'k' });
  for (let second = 0; second < 5; second++) {
    for (let i = 0; i < 20; i++) expect((await refusalOf(identities.verify(token))).refusal).toBe('unavailable');
    pass(1_000);
  }
  expect(provider.asked).toBe(5);
  expect(counted).toEqual(Array.from({ length: 5 }, () => 'keys error'));
});

test('a provider that is away again locks nobody out for a day, and heals without a token', async () => {
  const provider = await startProvider();
  const { privateKey, publicKey } = ecPair('P-256');
  provider.keys = [jwk(publicKey, { kid: 'k' })];
  const { identities, pass, check } = await start({ jwksUrl: provider.url });
  const token = await mint({ exp: 1_900_000_000 }, privateKey, { alg: 'ES256', kid: 'k' });
  provider.status = 500;
  pass(600_000);
  await vi.waitFor(async () => expect(await check()).toMatchObject({ fault: expect.stringContaining('status 500') }));
  expect((await identities.verify(token)).sub).toBe('ann');

  pass(86_400_000);
  expect((await refusalOf(identities.verify(token))).refusal).toBe('unavailable');

  provider.status = 200;
  pass(30_000);
  await vi.waitFor(async () => expect(await check()).not.toHaveProperty('fault'));
  expect((await identities.verify(token)).sub).toBe('ann');
});

test.each([
  ['a page', 200, '<html>', 'is not a JWKS'],
  ['JSON of another shape', 200, '{"keys":{}}', 'is not a JWKS'],
  ['a redirect', 302, '', 'status 302'],
  ['an error', 404, '{}', 'status 404'],
])('an answer that is %s counts as not fetched', async (_, status, body, reason) => {
  const provider = await startProvider();
  Object.assign(provider, { status, body });
  const { lines, check } = await start({ jwksUrl: provider.url });
  expect(JSON.stringify(lines)).toContain(reason);
  await expect(check()).rejects.toThrow(reason);
});

test('a provider that accepts and says nothing times out', async () => {
  const mute = createTcpServer(() => undefined).listen(0, '127.0.0.1');
  await new Promise((resolve) => mute.once('listening', resolve));
  cleanUps.push(() => mute.close());
  const { log, lines } = recordingLog();
  const counted: string[] = [];
  const url = `http://127.0.0.1:${(mute.address() as AddressInfo).port}/`;
  const keySet = createKeySet(
    { url, timeoutMs: 50 },
    { clock: fakeClock().clock, log, metrics: { keysFetched: (outcome) => void counted.push(outcome) } },
  );
  await keySet.start();
  await keySet.stop();
  expect(counted).toEqual(['error']);
  expect(JSON.stringify(lines)).toContain('it did not answer within 50 ms');
});

test('stop ends the timer and a fetch that is under way, without a word', async () => {
  const mute = createTcpServer(() => undefined).listen(0, '127.0.0.1');
  await new Promise((resolve) => mute.once('listening', resolve));
  cleanUps.push(() => mute.close());
  const { identities, lines, counted, time } = setUp({
    jwksUrl: `http://127.0.0.1:${(mute.address() as AddressInfo).port}/`,
  });
  const accepted = new Promise((resolve) => mute.once('connection', resolve));
  const starting = identities.start();
  await accepted;
  await identities.stop();
  await identities.stop();
  await starting;
  expect({ lines, counted, timers: time.timers() }).toEqual({ lines: [], counted: [], timers: 0 });
});

test('creating fetches nothing, and a URL with a password stops the start', async () => {
  const provider = await startProvider();
  setUp({ jwksUrl: provider.url });
  const { identities, text } = setUp({ jwksUrl: provider.url.replace('//', '//user:hidden@') });
  const failed = await identities.start().catch((error: Error) => error.message);
  expect(failed).toContain('SOCKETFLEET_JWKS_URL');
  expect(`${failed}${text()}`).not.toContain('hidden');
  expect(provider.asked).toBe(0);
});
