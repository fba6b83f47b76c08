import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Clock, Log } from '../../../src/contracts.ts';
import { createIdentities, type IdentitiesOptions } from '../../../src/identity/identities.ts';
import type { Refused } from '../../../src/refusals.ts';

export const SECRET = 'a-secret-of-thirty-two-bytes-or-more';
export const OTHER_SECRET = 'another-secret-of-thirty-two-bytes-or-more';

/** A clock that stands still until told otherwise; its wall shows the second 1,800,000,000. */
export function fakeClock() {
  let elapsed = 0;
  const repeated = new Set<{ due: number; ms: number; call: () => void }>();
  const clock: Clock = {
    now: () => elapsed,
    wall: () => 1_800_000_000_000 + elapsed,
    after: () => () => undefined,
    every(ms, call) {
      const timer = { due: elapsed + ms, ms, call };
      repeated.add(timer);
      return () => repeated.delete(timer);
    },
  };
  return {
    clock,
    seconds: () => Math.floor(clock.wall() / 1000),
    timers: () => repeated.size,
    pass(ms: number) {
      const end = elapsed + ms;
      for (const timer of repeated) {
        while (timer.due <= end) {
          elapsed = timer.due;
          timer.due += timer.ms;
          timer.call();
        }
      }
      elapsed = end;
    },
  };
}

/** A log that keeps its lines. */
export function recordingLog() {
  const lines: { level: string; event: string; fields: object }[] = [];
  const write = (level: string) => (fields: object, event: string) => void lines.push({ level, event, fields });
  const log: Log = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    fatal: write('fatal'),
    child: () => log,
  };
  return { log, lines, text: () => JSON.stringify(lines) };
}

/** Identities with a fake clock, and everything they said. */
export function setUp(options: Partial<IdentitiesOptions> & { secrets?: string[]; publicKeys?: string[] } = {}) {
  const time = fakeClock();
  const { log, lines, text } = recordingLog();
  const counted: string[] = [];
  const values = { secrets: options.secrets ?? [], publicKeys: options.publicKeys ?? [] };
  const identities = createIdentities(
    { auth: 'jwt', ...options },
    {
      secrets: () => values.secrets,
      publicKeys: () => values.publicKeys,
      clock: time.clock,
      log,
      metrics: {
        tokenVerified: (outcome) => void counted.push(outcome),
        keysFetched: (outcome) => void counted.push(`keys ${outcome}`),
      },
    },
  );
  return { identities, values, time, lines, text, counted };
}

/** A signed token that is valid for an hour of the fake clock, for `ann` unless the claims say otherwise. */
export function mint(
  claims: Record<string, unknown> = {},
  key: string | KeyObject = SECRET,
  header: { alg: string; kid?: string } = { alg: 'HS256' },
): Promise<string> {
  return new SignJWT({ sub: 'ann', exp: 1_800_003_600, ...claims })
    .setProtectedHeader(header)
    .sign(typeof key === 'string' ? Buffer.from(key) : key);
}

/** A token out of parts that need not fit together. */
export function forge(header: object | string, payload: object | string, signature = ''): string {
  const encode = (part: object | string) =>
    Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
  return `${encode(header)}.${encode(payload)}.${signature}`;
}

/** What `verify` rejects with. */
export async function refusalOf(verified: Promise<unknown>): Promise<Refused> {
  return verified.then(
    () => {
      throw new Error('the token was accepted');
    },
    (error: Refused) => error,
  );
}

/** One of four RSA pairs in turn, because making one takes up to a second: any four calls in a row differ. */
export function rsaPair() {
  const place = rsaCalls++ % 4;
  rsaPairs[place] ??= generateRsaPair();
  return rsaPairs[place];
}
const generateRsaPair = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
let rsaCalls = 0;
const rsaPairs: ReturnType<typeof generateRsaPair>[] = [];
export const ecPair = (namedCurve: 'P-256' | 'P-384' | 'P-521') => generateKeyPairSync('ec', { namedCurve });
export const edPair = () => generateKeyPairSync('ed25519');
export const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();

/** An X.509 certificate for a public key, signed by nobody in particular. */
export function certificateOf(publicKey: KeyObject): string {
  const ed25519 = der(0x30, Buffer.from('06032b6570', 'hex'));
  const name = der(0x30);
  const validity = der(0x30, utcTime('200101000000Z'), utcTime('491231235959Z'));
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const body = der(0x30, der(0x02, Buffer.from([1])), ed25519, name, validity, name, spki);
  const signature = sign(null, body, edPair().privateKey);
  const certificate = der(0x30, body, ed25519, der(0x03, Buffer.from([0]), signature));
  return `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64')}\n-----END CERTIFICATE-----\n`;
}

function utcTime(text: string): Buffer {
  return der(0x17, Buffer.from(text));
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length = body.length < 0x80 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}
