import { generateKeyPairSync } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { REFUSALS } from '../../../src/refusals.ts';
import { ask, client, connect, next } from '../../support/connect.ts';
import { eventually } from '../../support/eventually.ts';
import { openEngine, openSocket } from '../../support/raw.ts';
import { startTown } from './town.ts';

const SECRET = 'a secret of at least thirty-two bytes';
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PEM = publicKey.export({ type: 'spki', format: 'pem' }) as string;

interface Claims {
  readonly sub?: string;
  readonly rooms?: readonly string[];
  /** Seconds from now. */
  readonly expiresIn?: number;
}

function sign(
  { sub = 'eve', rooms = ['*'], expiresIn = 3_600 }: Claims,
  key: Parameters<SignJWT['sign']>[0],
  alg = 'HS256',
) {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ rooms })
    .setProtectedHeader({ alg })
    .setSubject(sub)
    .setExpirationTime(now + expiresIn)
    .sign(key);
}

const good = (claims: Claims = {}) => sign(claims, Buffer.from(SECRET));

/** Both kinds of keys are set, so that one could be taken for the other. */
async function startGuarded(env: Record<string, string> = {}) {
  return startTown({
    SOCKETFLEET_AUTH: 'jwt',
    SOCKETFLEET_JWT_SECRET: SECRET,
    SOCKETFLEET_JWT_PUBLIC_KEY: PEM,
    BYSTANDER_TOKEN: await good({ sub: 'bob' }),
    ...env,
  });
}

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('tokens', () => {
  const forged: [string, () => unknown, string][] = [
    ['no token', () => undefined, 'unauthorized'],
    ['a token that is no text', () => ({ alg: 'none' }), 'unauthorized'],
    ['text that is no token', () => 'letmein', 'unauthorized'],
    ['an empty token', () => '..', 'unauthorized'],
    ['a token beyond any reasonable length', () => `${'x'.repeat(50_000)}.y.z`, 'unauthorized'],
    [
      'an unsigned token (alg none)',
      () => new UnsecuredJWT({ rooms: ['*'] }).setSubject('eve').encode(),
      'unauthorized',
    ],
    [
      'alg none in other letters',
      () => `${part({ alg: 'nOnE' })}.${part({ sub: 'eve', rooms: ['*'] })}.`,
      'unauthorized',
    ],
    ['no algorithm', () => `${part({})}.${part({ sub: 'eve' })}.x`, 'unauthorized'],
    ['a header that is no object', () => `${part(null)}.${part({ sub: 'eve' })}.x`, 'unauthorized'],
    ['the wrong secret', () => sign({}, Buffer.from('another secret of more than 32 bytes!')), 'unauthorized'],
    ['the public key used as a shared secret', () => sign({}, Buffer.from(PEM)), 'unauthorized'],
    [
      'the right key under the name of another algorithm',
      () => sign({}, privateKey, 'RS512').then(withAlgorithm('PS512')),
      'unauthorized',
    ],
    [
      'a shared-secret algorithm over an RSA signature',
      () => sign({}, privateKey, 'RS256').then(withAlgorithm('HS256')),
      'unauthorized',
    ],
    [
      'claims that were changed',
      () => good({ rooms: ['lobby'] }).then(withClaims({ sub: 'root', rooms: ['*'] })),
      'unauthorized',
    ],
    ['a token that has expired', () => good({ expiresIn: -3_600 }), 'token_expired'],
  ];
  it.each(forged)('lets nobody in with %s', async (_what, make, code) => {
    const town = await startGuarded();
    const token = await make();
    const refused = client(town.url, { auth: token === undefined ? {} : { token } });
    const [error] = (await next(refused, 'connect_error')) as [Error & { data: unknown }];
    expect(error.data).toEqual({ ok: false, code, message: expect.any(String), retry: code === 'token_expired' });
    if (typeof token === 'string' && token.length > 5) expect(JSON.stringify(town.lines)).not.toContain(token);
    expect(refused.active).toBe(false);
    await town.expectPeace();
  });

  it('takes both kinds of keys when they are right', async () => {
    const town = await startGuarded();
    for (const token of [await good(), await sign({}, privateKey, 'RS256')]) {
      const socket = await connect(town.url, { auth: { token } });
      expect(await ask(socket, 'whoami')).toMatchObject({ sub: 'eve' });
    }
    expect(await town.metric('socketfleet_token_verifications_total{outcome="ok"}')).toBe(3);
    await town.expectPeace();
  });

  it('lets nobody do anything before CONNECT was accepted', async () => {
    const town = await startGuarded({ SOCKETFLEET_CONNECT_TIMEOUT_MS: '500' });
    const early = await openEngine(town.url);
    early.send('42["publish","town","evil"]');
    await early.closed;
    const refused = await openSocket(town.url, { auth: { token: 'letmein' } });
    expect(refused.answer).toMatch(/^44\{"message":".*"data":\{"ok":false,"code":"unauthorized"/);
    refused.send('42["publish","town","evil"]');
    await refused.closed;
    const idle = await openSocket(town.url, { auth: { token: 'letmein' } });
    await idle.closed;
    await town.expectPeace();
  });

  it('holds a client to its rooms, whatever it calls them', async () => {
    const town = await startGuarded();
    const eve = await connect(town.url, { auth: { token: await good({ rooms: ['mine-*'] }) } });
    expect(await ask(eve, 'join', 'mine-1')).toMatchObject({ ok: true });
    for (const room of ['town', 'xmine-1', 'mine', 'MINE-1', 'r:mine-1', '*']) {
      for (const event of ['join', 'publish', 'presence']) {
        expect([room, await ask(eve, event, room, {})]).toEqual([
          room,
          expect.objectContaining({ ok: false, code: 'forbidden' }),
        ]);
      }
    }
    expect(await ask(eve, 'join', ['mine-2', 'town'])).toMatchObject({ code: 'forbidden' });
    expect(((await ask(eve, 'whoami')) as unknown as { rooms: string[] }).rooms).toEqual(['mine-1']);
    await town.expectPeace();
  });

  it('shows nothing of a session that is to be recovered before the token of its user was accepted', async () => {
    const town = await startGuarded({ SOCKETFLEET_RECOVERY: 'on' });
    const ada = await openSocket(town.url, { auth: { token: await good({ sub: 'ada' }) } });
    const { pid } = JSON.parse(ada.answer.slice(2)) as { pid: string };
    ada.send('421["join","town"]');
    while (!String(await ada.packet()).startsWith('431'));
    await town.api('POST', '/api/v1/publish', { room: 'town', data: 'heard' });
    const event = String(await ada.packet());
    const offset = (JSON.parse(event.slice(2)) as unknown[]).at(-1);
    ada.ws.close();
    await eventually(async () => (await town.metric('socketfleet_sockets{nsp="/"}')) === 1);
    await town.api('POST', '/api/v1/publish', { room: 'town', data: 'secret' });
    for (const token of ['letmein', await good({ sub: 'ada', expiresIn: -3_600 }), await good({ sub: 'eve' })]) {
      const thief = await openSocket(town.url, { auth: { token, pid, offset } });
      expect(thief.answer).toMatch(/^44\{/);
    }
    const back = await openSocket(town.url, { auth: { token: await good({ sub: 'ada' }), pid, offset } });
    expect(back.answer).toMatch(/^42\["message","secret"/);
    expect(await back.packet()).toContain(`"pid":"${pid}"`);
    await town.expectPeace();
  });

  it('ends a session when its token does, with a code that says so, and takes a fresh token of the same user only', async () => {
    const town = await startGuarded();
    // Whole seconds, and one that has passed before CONNECT is read would be forgiven for half a minute.
    const token = await good({ expiresIn: 3 });
    const [brief, longer] = [
      await openSocket(town.url, { auth: { token } }),
      await openSocket(town.url, { auth: { token } }),
    ];
    longer.send(`421["refresh","${await good({ sub: 'root' })}"]`);
    expect(await longer.packet()).toMatch(/^431\[\{"ok":false,"code":"unauthorized"/);
    longer.send(`422["refresh","${await good()}"]`);
    expect(await longer.packet()).toMatch(/^432\[\{"ok":true/);
    expect(await brief.closed).toEqual({
      code: REFUSALS.token_expired.close,
      reason: expect.stringContaining('expired'),
    });
    longer.send('423["whoami"]');
    expect(await longer.packet()).toMatch(/^433\[\{"ok":true/);
    await eventually(
      async () => (await town.metric('socketfleet_closes_total{transport="websocket",reason="token_expired"}')) === 1,
    );
    await town.expectPeace();
  });

  it('counts every outcome', async () => {
    const town = await startGuarded();
    for (const token of [undefined, 'letmein', await good({ expiresIn: -3_600 })]) {
      await openSocket(town.url, { auth: token === undefined ? {} : { token } });
    }
    const verifications = (outcome: string) =>
      town.metric(`socketfleet_token_verifications_total{outcome="${outcome}"}`);
    expect(await Promise.all(['ok', 'missing', 'invalid', 'expired'].map(verifications))).toEqual([1, 1, 1, 1]);
    await town.expectPeace();
  });
});

function withAlgorithm(alg: string) {
  return (token: string) => [part({ alg }), ...token.split('.').slice(1)].join('.');
}

function withClaims(claims: object) {
  return (token: string) => {
    const [header, , signature] = token.split('.');
    return [header, part({ ...claims, exp: 4_000_000_000 }), signature].join('.');
  };
}
