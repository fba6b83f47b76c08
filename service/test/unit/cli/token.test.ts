import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jwtVerify } from 'jose';
import { afterAll, expect, test } from 'vitest';
import { runToken } from '../../../src/cli/token.ts';

const SECRET = randomBytes(32).toString('hex');
const OTHER_SECRET = randomBytes(32).toString('hex');
const folder = mkdtempSync(join(tmpdir(), 'socketfleet-token-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(text: string): string {
  const file = join(folder, randomBytes(4).toString('hex'));
  writeFileSync(file, text);
  return file;
}

async function run(argv: string[], env: Record<string, string | undefined> = { SOCKETFLEET_JWT_SECRET: SECRET }) {
  const [out, err]: [string[], string[]] = [[], []];
  const io = { out: (text: string) => void out.push(text), err: (text: string) => void err.push(text), env };
  return { code: await runToken(argv, io), out: out.join(''), err: err.join('') };
}

async function claimsOf(token: string, secret = SECRET) {
  return (await jwtVerify(token.trim(), Buffer.from(secret), { algorithms: ['HS256'] })).payload;
}

test('prints a token, and nothing else, on stdout', async () => {
  const { code, out, err } = await run(['--sub', 'me', '--rooms', 'lobby,team-*']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  const claims = await claimsOf(out);
  expect(claims).toMatchObject({ sub: 'me', rooms: ['lobby', 'team-*'] });
  expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(3600);
});

test.each([
  ['90s', 90],
  ['15m', 900],
  ['2h', 7200],
  ['7d', 604_800],
  ['45', 45],
])('--ttl %s is valid for %i seconds', async (ttl, seconds) => {
  const claims = await claimsOf((await run(['--sub', 'me', '--rooms', '*', '--ttl', ttl])).out);
  expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(seconds);
});

test('rooms may be given several times, with blanks around the commas', async () => {
  const { out } = await run(['--sub', 'me', '--rooms', 'a, b,', '--rooms', 'c']);
  expect((await claimsOf(out)).rooms).toEqual(['a', 'b', 'c']);
});

test('without rooms it says on stderr that the token allows none', async () => {
  const { code, out, err } = await run(['--sub', 'me']);
  expect(code).toBe(0);
  expect(err).toContain('--rooms');
  expect((await claimsOf(out)).rooms).toEqual([]);
});

test('issuer and audience come from options, else from the settings of the server', async () => {
  const env = { SOCKETFLEET_JWT_SECRET: SECRET, SOCKETFLEET_JWT_ISSUER: 'i1', SOCKETFLEET_JWT_AUDIENCE: 'a1' };
  const argv = ['--sub', 'me', '--rooms', '*'];
  expect(await claimsOf((await run(argv, env)).out)).toMatchObject({ iss: 'i1', aud: 'a1' });
  const given = await run([...argv, '--iss', 'i2', '--aud', 'a2'], env);
  expect(await claimsOf(given.out)).toMatchObject({ iss: 'i2', aud: 'a2' });
  const claims = await claimsOf((await run(argv)).out);
  expect(claims.iss ?? claims.aud).toBeUndefined();
});

test('the secret comes from an option, a file or the settings of the server, and the first of several signs', async () => {
  const argv = ['--sub', 'me', '--rooms', '*'];
  const file = fileWith(`${SECRET}\n${OTHER_SECRET}\n`);
  const env = { SOCKETFLEET_JWT_SECRET: OTHER_SECRET };
  await claimsOf((await run([...argv, '--secret', SECRET], env)).out);
  await claimsOf((await run([...argv, '--secret-file', file], env)).out);
  await claimsOf((await run(argv, { SOCKETFLEET_JWT_SECRET: `${SECRET},${OTHER_SECRET}` })).out);
  await claimsOf((await run(argv, { SOCKETFLEET_JWT_SECRET_FILE: file })).out);
});

test.each([
  ['an unknown option', ['--subject', 'me'], "Unknown option '--subject'"],
  ['a stray word', ['--sub', 'me', 'lobby'], "Unexpected argument 'lobby'"],
  ['an option without its value', ['--sub'], "Option '--sub <value>' argument missing"],
  ['an option where a value should be', ['--sub', '--rooms'], "Option '--sub' argument is ambiguous"],
  ['no sub', ['--rooms', '*'], '--sub is missing'],
  ['an empty sub', ['--sub', ''], '--sub is missing'],
  ['a time without sense', ['--sub', 'me', '--ttl', 'soon'], '--ttl=soon must be a time such as'],
  ['no time at all', ['--sub', 'me', '--ttl', '0'], '--ttl=0 must be a time such as'],
  ['two secrets', ['--sub', 'me', '--secret', SECRET, '--secret-file', 'x'], 'keep one'],
  ['a weak secret', ['--sub', 'me', '--secret', 'short'], 'less than 32 bytes'],
  ['a file that is not there', ['--sub', 'me', '--secret-file', join(folder, 'nowhere')], 'cannot be read'],
  ['a PEM block', ['--sub', 'me', '--secret=-----BEGIN X-----\nAA\n-----END X-----'], 'PEM block'],
])('%s is one line on stderr and exit code 2', async (_, argv, problem) => {
  const { code, out, err } = await run(argv);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain(problem);
  expect(err.trimEnd().split('\n')).toHaveLength(1);
});

test('without any secret it tells how to make one', async () => {
  for (const env of [{}, { SOCKETFLEET_JWT_SECRET: '' }, { SOCKETFLEET_JWT_SECRET_FILE: fileWith('\n') }]) {
    const { code, out, err } = await run(['--sub', 'me'], env);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('openssl rand -hex 32');
    expect(err).toContain('node -p');
  }
});

test('--help lists the options and needs nothing', async () => {
  for (const flag of ['--help', '-h']) {
    const { code, out, err } = await run([flag], {});
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const option of ['--sub', '--rooms', '--ttl', '--iss', '--aud', '--secret', '--secret-file']) {
      expect(out).toContain(option);
    }
  }
});
