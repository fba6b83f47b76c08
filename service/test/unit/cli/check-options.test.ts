import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runCheck } from '../../../src/cli/check.ts';
import { parseCheckArgs, secretFrom } from '../../../src/cli/check-options.ts';

const folder = mkdtempSync(join(tmpdir(), 'socketfleet-check-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function run(argv: string[], env: NodeJS.ProcessEnv = {}) {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await runCheck(argv, { out: (text) => void out.push(text), err: (text) => void err.push(text), env });
  return { code, out: out.join(''), err: err.join('') };
}

test('all stands for every check, in the order of the help', () => {
  expect(parseCheckArgs(['all'])).toEqual({
    names: ['affinity', 'broadcast', 'redis', 'readiness', 'publish'],
    url: 'http://localhost:3000',
    api: 'http://localhost:9464',
    servers: 'localhost',
    port: 3000,
    internalPort: 9464,
  });
});

test('checks can be chosen, and a slash behind a URL changes nothing', () => {
  const options = parseCheckArgs(['redis', 'publish', '--url', 'https://chat.example.com/', '--port=81']);
  expect(options).toMatchObject({ names: ['redis', 'publish'], url: 'https://chat.example.com', port: 81 });
});

test('--help lists every check and every option', async () => {
  const { code, out } = await run(['--help']);
  expect(code).toBe(0);
  for (const word of ['affinity', 'broadcast', 'redis', 'readiness', 'publish', '--internal-port', 'Exit code']) {
    expect(out).toContain(word);
  }
});

test.each([
  [[], 'check what? affinity, broadcast, redis, readiness, publish or all'],
  [['affinty'], 'there is no check affinty; there are affinity, broadcast, redis, readiness, publish'],
  [['all', '--url', 'chat.example.com'], '--url=chat.example.com must be a URL that starts with http:// or https://'],
  [['all', '--port', '0'], '--port=0 must be a port'],
  [['all', '--internal-port', 'x'], '--internal-port=x must be a port'],
  [['all', '--hot'], "Unknown option '--hot'"],
])('the command line %j ends with exit code 2 and one line', async (argv, problem) => {
  const { code, out, err } = await run(argv);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain(`socketfleet check: ${problem}`);
});

test('a secret that is too short to sign with is a problem of the command line', async () => {
  const { code, err } = await run(['all'], { SOCKETFLEET_JWT_SECRET: 'short' });
  expect(code).toBe(2);
  expect(err).toContain('less than 32 bytes');
});

test('of several values in a file the first is taken, and the variable wins over the file', () => {
  const file = join(folder, 'api-key');
  writeFileSync(file, 'new-key\nold-key\n');
  expect(secretFrom({ SOCKETFLEET_API_KEY_FILE: file }, 'SOCKETFLEET_API_KEY')).toBe('new-key');
  expect(secretFrom({ SOCKETFLEET_API_KEY: 'mine', SOCKETFLEET_API_KEY_FILE: file }, 'SOCKETFLEET_API_KEY')).toBe(
    'mine',
  );
  expect(secretFrom({}, 'SOCKETFLEET_API_KEY')).toBeUndefined();
});

test('a file that cannot be read is named with its variable', async () => {
  const { code, err } = await run(['all'], { SOCKETFLEET_API_KEY_FILE: '/nowhere/key' });
  expect(code).toBe(2);
  expect(err).toContain('SOCKETFLEET_API_KEY_FILE=/nowhere/key cannot be read');
});
