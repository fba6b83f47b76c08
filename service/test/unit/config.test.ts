import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConfigError, parseConfig, printableConfig, rereadSecret } from '../../src/config.ts';
import { SETTINGS } from '../../src/settings.ts';

type Env = Record<string, string>;

const LONG_SECRET = 'a-secret-of-at-least-thirty-two-bytes';
const PEM = (body: string) => `-----BEGIN PUBLIC KEY-----\n${body}\n-----END PUBLIC KEY-----`;

function problemsOf(env: Env): readonly string[] {
  try {
    parseConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

function fileWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'socketfleet-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'secret');
  writeFileSync(file, text);
  return file;
}

describe('without any variable', () => {
  it('has a value for every setting, and the internal port beside the public one', () => {
    const config = parseConfig({});
    expect(Object.keys(config).sort()).toEqual(Object.keys(SETTINGS).sort());
    expect(config).toMatchObject({
      port: 3000,
      host: '::',
      internalPort: 9464,
      internalHost: '127.0.0.1',
      auth: 'none',
      recovery: false,
      endpointWaitMs: 10_000,
      drainWindowMs: 30_000,
      drainDeadlineMs: 5_000,
      handshakesPerSecond: 200,
      origins: ['*'],
      trustedProxies: [],
      app: undefined,
      apiKey: { values: [] },
    });
    expect(config.pod).not.toBe('');
  });

  it('cannot be changed afterwards', () => {
    const config = parseConfig({});
    expect(Object.isFrozen(config)).toBe(true);
    expect(() => Object.assign(config, { port: 1 })).toThrow(TypeError);
  });

  it('takes an empty variable for one that is not set', () => {
    const empty = Object.fromEntries(
      Object.values(SETTINGS).flatMap((row) => [[row.env, ''], ...('secret' in row ? [[`${row.env}_FILE`, '']] : [])]),
    );
    expect(parseConfig(empty)).toEqual(parseConfig({}));
  });

  it('ignores variables of other programs', () => {
    expect(problemsOf({ PATH: '/bin', REDIS_PORT: 'tcp://10.0.0.1:6379', socketfleet_port: '1' })).toEqual([]);
  });
});

describe('a port', () => {
  it('of 0 makes the internal port a free one too', () => {
    expect(parseConfig({ PORT: '0' })).toMatchObject({ port: 0, internalPort: 0 });
  });

  it('moves the internal port along', () => {
    expect(parseConfig({ PORT: '8080' }).internalPort).toBe(14_544);
    expect(parseConfig({ PORT: '8080', SOCKETFLEET_INTERNAL_PORT: '9000' }).internalPort).toBe(9000);
  });
});

describe('bad values', () => {
  it('are all reported at once, by name and value, beside unknown names and contradictions', () => {
    const problems = problemsOf({
      PORT: 'abc',
      LOG_LEVEL: 'loud',
      SOCKETFLEET_INTERNAL_PORT: '70000',
      SOCKETFLEET_DEMO: 'true',
      SOCKETFLEET_AUTH: 'jwt',
      SOCKETFLEET_JWKS_URL: 'ftp://keys',
      SOCKETFLEET_API_KEY: 'short',
      SOCKETFLEET_DRAIN_WINDOW_MS: '-1',
      SOCKETFLEET_MAX_CONECTIONS: '7',
    });
    expect(problems).toEqual([
      'PORT=abc must be a whole number from 0 to 65535',
      'LOG_LEVEL=loud must be one of debug, info, warn, error, silent',
      'SOCKETFLEET_INTERNAL_PORT=70000 must be a whole number from 0 to 65535',
      'SOCKETFLEET_DEMO=true must be on or off',
      'SOCKETFLEET_JWKS_URL=ftp://keys must be a URL that starts with https:// or http://',
      'SOCKETFLEET_DRAIN_WINDOW_MS=-1 must be a whole number from 0 to 86400000',
      'SOCKETFLEET_API_KEY has a key of less than 16 characters, which can be guessed',
      'SOCKETFLEET_MAX_CONECTIONS is not a setting; did you mean SOCKETFLEET_MAX_CONNECTIONS?',
    ]);
  });

  it('stand one a line in the message', () => {
    const error = new ConfigError(['first', 'second']);
    expect(error.message).toBe('configuration is not valid:\n  - first\n  - second');
  });

  const rejected: Record<string, readonly string[]> = {
    port: ['-1', '65536', '1.5', '1e3', ' 3000', '0x10', '3000;', 'http://10.0.0.1:3000', '9'.repeat(20)],
    'on|off': ['true', 'ON', '1', 'yes'],
    ms: ['-1', '1s', '86400001', 'Infinity'],
    bytes: ['1k', '-5', '99999999999'],
    number: ['-1', 'many', '10000000'],
    level: ['trace', 'INFO'],
    'auto|json|pretty': ['text'],
    'none|jwt': ['basic', 'JWT'],
    URL: ['keys.example/jwks', 'file:///etc/passwd', 'javascript:1'],
  };
  const cases = Object.values(SETTINGS).flatMap((row) =>
    (rejected[row.type] ?? []).map((value) => [row.env, value] as const),
  );
  it.each(cases)('%s does not take %j', (name, value) => {
    expect(problemsOf({ [name]: value })).toEqual([expect.stringMatching(new RegExp(`^${name}=.* must be `))]);
  });

  it.each([
    ['SOCKETFLEET_TRUSTED_PROXIES', 'banana'],
    ['SOCKETFLEET_TRUSTED_PROXIES', '10.0.0.0/'],
    ['SOCKETFLEET_TRUSTED_PROXIES', '10.0.0.0/8/8'],
    ['SOCKETFLEET_TRUSTED_PROXIES', '10.0.0.0/33'],
    ['SOCKETFLEET_TRUSTED_PROXIES', '::1/129'],
    ['SOCKETFLEET_TRUSTED_PROXIES', '[::1]'],
    ['SOCKETFLEET_TRUSTED_PROXIES', '10.0.0.0/8,2'],
    ['SOCKETFLEET_TRUSTED_PROXIES', '-1'],
    ['SOCKETFLEET_ORIGINS', 'app.example.com'],
    ['SOCKETFLEET_ORIGINS', 'https://app.example.com/'],
    ['SOCKETFLEET_ORIGINS', 'https://App.example.com'],
  ])('%s does not take %j, which could never match', (name, value) => {
    expect(problemsOf({ [name]: value })).toEqual([expect.stringContaining(`${name}=${value} must be `)]);
  });

  it.each([
    ['SOCKETFLEET_TRUSTED_PROXIES', '2', ['2']],
    ['SOCKETFLEET_TRUSTED_PROXIES', ' 10.0.0.0/8 , fd00::/8,192.168.1.1', ['10.0.0.0/8', 'fd00::/8', '192.168.1.1']],
    ['SOCKETFLEET_ORIGINS', 'https://a.example,http://localhost:8080', ['https://a.example', 'http://localhost:8080']],
    ['SOCKETFLEET_ORIGINS', 'capacitor://localhost,null,*', ['capacitor://localhost', 'null', '*']],
  ])('%s takes %j', (name, value, expected) => {
    const config = parseConfig({ [name]: value });
    expect(name.endsWith('ORIGINS') ? config.origins : config.trustedProxies).toEqual(expected);
  });
});

describe('unknown names', () => {
  it.each([
    ['SOCKETFLEET_RECOVERY_WINDOW', 'did you mean SOCKETFLEET_RECOVERY_WINDOW_MS?'],
    ['SOCKETFLEET_HANDSHAKE_PER_SECOND', 'did you mean SOCKETFLEET_HANDSHAKES_PER_SECOND?'],
    ['SOCKETFLEET_API_KEYS', 'did you mean SOCKETFLEET_API_KEY?'],
    ['SOCKETFLEET_PORT', 'it is called PORT'],
    ['SOCKETFLEET_LOG_LEVEL', 'it is called LOG_LEVEL'],
    ['SOCKETFLEET_REDIS_URL', 'it is called REDIS_URL'],
    ['SOCKETFLEET_SOMETHING_ELSE_ALTOGETHER', '--help lists them all'],
    ['SOCKETFLEET_APP_FILE', 'is not a setting'],
    ['SOCKETFLEET_', 'is not a setting'],
  ])('%s is refused: %s', (name, text) => {
    expect(problemsOf({ [name]: '3000' })).toEqual([expect.stringMatching(`^${name} is not a setting`)]);
    expect(problemsOf({ [name]: '3000' })[0]).toContain(text);
  });
});

describe('service links of Kubernetes', () => {
  /** What a kubelet injects for a Service with one named port. */
  const linksOf = (service: string, port: number): Env => ({
    [`${service}_SERVICE_HOST`]: '10.96.0.7',
    [`${service}_SERVICE_PORT`]: String(port),
    [`${service}_SERVICE_PORT_HTTP`]: String(port),
    [`${service}_SERVICE_PORT_HTTP_METRICS`]: '9464',
    [`${service}_PORT`]: `tcp://10.96.0.7:${port}`,
    [`${service}_PORT_${port}_TCP`]: `tcp://10.96.0.7:${port}`,
    [`${service}_PORT_${port}_TCP_PROTO`]: 'tcp',
    [`${service}_PORT_${port}_TCP_PORT`]: String(port),
    [`${service}_PORT_${port}_TCP_ADDR`]: '10.96.0.7',
    [`${service}_PORT_53_UDP`]: 'udp://10.96.0.7:53',
    [`${service}_PORT_53_UDP_ADDR`]: '10.96.0.7',
    [`${service}_PORT_9_SCTP`]: 'sctp://10.96.0.7:9',
  });

  it.each(['SOCKETFLEET', 'SOCKETFLEET_REDIS', 'SOCKETFLEET_REDIS_HEADLESS', 'SOCKETFLEET_INTERNAL', 'SOCKETFLEET_2'])(
    'of a Service %s change nothing',
    (service) => {
      expect(parseConfig(linksOf(service, 3000))).toEqual(parseConfig({}));
    },
  );

  it('of IPv6 clusters change nothing', () => {
    const env = { SOCKETFLEET_PORT: 'tcp://[fd00::7]:80', SOCKETFLEET_PORT_80_TCP_ADDR: 'fd00::7' };
    expect(parseConfig(env)).toEqual(parseConfig({}));
  });

  it('do not hide a mistake of the same name', () => {
    expect(problemsOf({ SOCKETFLEET_PORT: '3000' })).toHaveLength(1);
    expect(problemsOf({ SOCKETFLEET_INTERNAL_PORT: 'http://10.0.0.1:9464' })).toHaveLength(1);
  });
});

describe('secrets', () => {
  it.each([
    ['one', ['one']],
    ['one,two', ['one', 'two']],
    [' one , two ,', ['one', 'two']],
    ['one\ntwo\r\nthree\n', ['one', 'two', 'three']],
  ])('%j are %j', (text, expected) => {
    const padded = text.replace(/\w+/g, (word) => word.padEnd(16, '-'));
    const values = expected.map((word) => word.padEnd(16, '-'));
    expect(parseConfig({ SOCKETFLEET_API_KEY: padded }).apiKey.values).toEqual(values);
    expect(parseConfig({ SOCKETFLEET_API_KEY_FILE: fileWith(padded) }).apiKey.values).toEqual(values);
  });

  it('in a file without any are a mistake, not the same as none', () => {
    expect(parseConfig({ SOCKETFLEET_API_KEY: ',\n,' }).apiKey.values).toEqual([]);
    expect(problemsOf({ SOCKETFLEET_API_KEY_FILE: fileWith(',\n') })).toEqual([
      expect.stringMatching(/^SOCKETFLEET_API_KEY_FILE=.* is empty$/),
    ]);
  });

  it('keep PEM blocks whole, whatever stands between them', () => {
    const text = `# first\n${PEM('AAAA\nBBBB+/==')}\n# second, newer\n${PEM('CCCC')}\n`;
    const config = parseConfig({ SOCKETFLEET_AUTH: 'jwt', SOCKETFLEET_JWT_PUBLIC_KEY: text });
    expect(config.jwtPublicKey.values).toEqual([PEM('AAAA\nBBBB+/=='), PEM('CCCC')]);
  });

  it('of others are taken as they are: a comma in a password separates nothing', () => {
    const env = { REDIS_URL: 'redis://r', SOCKETFLEET_REDIS_PASSWORD: 'p,a s\ns' };
    expect(parseConfig(env).redisPassword.values).toEqual(['p,a s\ns']);
    const file = fileWith('p,w\n');
    const { redisPassword } = parseConfig({ REDIS_URL: 'redis://r', SOCKETFLEET_REDIS_PASSWORD_FILE: file });
    expect(redisPassword).toMatchObject({ values: ['p,w'], file });
    writeFileSync(file, 'q,w\r\n');
    expect(rereadSecret('redisPassword', redisPassword).values).toEqual(['q,w']);
  });

  it('come from a file when its variable is set', () => {
    const file = fileWith(`${LONG_SECRET}\n`);
    const config = parseConfig({ SOCKETFLEET_AUTH: 'jwt', SOCKETFLEET_JWT_SECRET_FILE: file });
    expect(config.jwtSecret).toEqual({ values: [LONG_SECRET], file });
  });

  it('may not come from both', () => {
    const env = { SOCKETFLEET_API_KEY: 'k'.repeat(16), SOCKETFLEET_API_KEY_FILE: fileWith('f'.repeat(16)) };
    expect(problemsOf(env)).toEqual(['SOCKETFLEET_API_KEY and SOCKETFLEET_API_KEY_FILE are both set; keep one']);
  });

  it('in a file that cannot be read are one problem, and no second one follows from it', () => {
    const problems = problemsOf({ SOCKETFLEET_AUTH: 'jwt', SOCKETFLEET_JWT_SECRET_FILE: '/nowhere/secret' });
    expect(problems).toEqual([
      expect.stringMatching(/^SOCKETFLEET_JWT_SECRET_FILE=\/nowhere\/secret cannot be read: ENOENT/),
    ]);
  });

  it('exist for secret settings only: other names with _FILE are unknown', () => {
    expect(problemsOf({ PORT_FILE: '/x', SOCKETFLEET_AUTH_FILE: '/x' })).toHaveLength(1);
  });

  it('are read again; an empty file is a mistake, and the caller keeps what it has', () => {
    const file = fileWith('a'.repeat(16));
    const { apiKey } = parseConfig({ SOCKETFLEET_API_KEY_FILE: file });
    writeFileSync(file, `${'a'.repeat(16)}\n${'b'.repeat(16)}`);
    const rotated = rereadSecret('apiKey', apiKey);
    expect(rotated).toEqual({ values: ['a'.repeat(16), 'b'.repeat(16)], file });
    writeFileSync(file, '\n');
    expect(() => rereadSecret('apiKey', rotated)).toThrow(/is empty/);
    writeFileSync(file, 'guessable');
    expect(() => rereadSecret('apiKey', rotated)).toThrow(/less than 16 characters/);
    rmSync(file);
    expect(() => rereadSecret('apiKey', rotated)).toThrow(/ENOENT/);
  });

  it('that are no file are not read again', () => {
    const { apiKey } = parseConfig({ SOCKETFLEET_API_KEY: 'k'.repeat(16) });
    expect(rereadSecret('apiKey', apiKey)).toBe(apiKey);
  });

  it('never show in a problem', () => {
    const env = {
      SOCKETFLEET_AUTH: 'jwt',
      SOCKETFLEET_JWT_SECRET: 'hunter2',
      SOCKETFLEET_API_KEY: 'hunter2',
      REDIS_URL: 'http://:hunter2@redis',
    };
    expect(problemsOf(env)).toHaveLength(3);
    expect(problemsOf(env).join()).not.toContain('hunter2');
  });
});

describe('contradictions', () => {
  it.each<[string, Env, string]>([
    ['jwt without a key', { SOCKETFLEET_AUTH: 'jwt' }, 'SOCKETFLEET_AUTH=jwt needs'],
    ['a secret that nobody checks', { SOCKETFLEET_JWT_SECRET: LONG_SECRET }, 'SOCKETFLEET_AUTH is none'],
    ['a key set that nobody checks', { SOCKETFLEET_JWKS_URL: 'https://id.example/jwks' }, 'SOCKETFLEET_AUTH is none'],
    [
      'one short secret among long ones',
      { SOCKETFLEET_AUTH: 'jwt', SOCKETFLEET_JWT_SECRET: `${LONG_SECRET},${'x'.repeat(31)}` },
      'SOCKETFLEET_JWT_SECRET has a value of less than 32 bytes',
    ],
    ['a short key', { SOCKETFLEET_API_KEY: 'fifteen-letters' }, 'SOCKETFLEET_API_KEY has a key of less than 16'],
    [
      'a soft limit above the hard one',
      { SOCKETFLEET_SLOW_READER_SOFT_BYTES: '500000', SOCKETFLEET_SLOW_READER_HARD_BYTES: '499999' },
      'SOCKETFLEET_SLOW_READER_SOFT_BYTES',
    ],
    [
      'messages larger than a sender may send',
      { SOCKETFLEET_MAX_PAYLOAD_BYTES: '2001', SOCKETFLEET_BYTES_PER_SECOND: '1000' },
      'above twice SOCKETFLEET_BYTES_PER_SECOND',
    ],
    [
      'messages larger than a receiver may leave unread',
      { SOCKETFLEET_MAX_PAYLOAD_BYTES: '5000000', SOCKETFLEET_BYTES_PER_SECOND: '0' },
      'above SOCKETFLEET_SLOW_READER_HARD_BYTES',
    ],
    ['a port whose neighbour is none', { PORT: '60000' }, 'set SOCKETFLEET_INTERNAL_PORT'],
    ['two servers on one port', { PORT: '80', SOCKETFLEET_INTERNAL_PORT: '80' }, 'must differ from PORT'],
    ['sentinels that are nowhere', { SOCKETFLEET_REDIS_TOPOLOGY: 'sentinel' }, 'needs REDIS_URL'],
    ['two standalone Redis', { REDIS_URL: 'redis://a,redis://b' }, 'REDIS_URL has several URLs'],
    [
      'a certificate without its key',
      { REDIS_URL: 'rediss://a', SOCKETFLEET_REDIS_TLS_CERT: '/c' },
      'SOCKETFLEET_REDIS_TLS_KEY',
    ],
    ['a CA without TLS', { REDIS_URL: 'redis://a', SOCKETFLEET_REDIS_TLS_CA: '/ca' }, 'REDIS_URL is no rediss:// URL'],
  ])('%s: is refused', (_what, env, text) => {
    expect(problemsOf(env)).toEqual([expect.stringContaining(text)]);
  });

  it.each<[string, Env]>([
    ['free ports', { PORT: '0', SOCKETFLEET_INTERNAL_PORT: '0' }],
    ['the last port with an internal one', { PORT: '65535', SOCKETFLEET_INTERNAL_PORT: '9464' }],
    ['the last port that has a neighbour', { PORT: '59071' }],
    ['jwt with a key set', { SOCKETFLEET_AUTH: 'jwt', SOCKETFLEET_JWKS_URL: 'https://id.example/jwks' }],
    ['jwt with a public key', { SOCKETFLEET_AUTH: 'jwt', SOCKETFLEET_JWT_PUBLIC_KEY: PEM('AAAA') }],
    ['a secret of 32 bytes', { SOCKETFLEET_AUTH: 'jwt', SOCKETFLEET_JWT_SECRET: 'é'.repeat(16) }],
    ['TLS with a CA', { REDIS_URL: 'rediss://a', SOCKETFLEET_REDIS_TLS_CA: '/ca' }],
    [
      'equal slow reader limits',
      { SOCKETFLEET_SLOW_READER_SOFT_BYTES: '500000', SOCKETFLEET_SLOW_READER_HARD_BYTES: '500000' },
    ],
  ])('%s: are none', (_what, env) => {
    expect(problemsOf(env)).toEqual([]);
  });
});

describe('the printed configuration', () => {
  it('names every setting, and hides secrets behind their number and file', () => {
    const file = fileWith(`${LONG_SECRET}\n${LONG_SECRET}2`);
    const printed = printableConfig(
      parseConfig({
        SOCKETFLEET_AUTH: 'jwt',
        SOCKETFLEET_JWT_SECRET_FILE: file,
        SOCKETFLEET_API_KEY: 'visible-to-nobody',
        REDIS_URL: 'redis://:visible-to-nobody@redis',
      }),
    );
    expect(Object.keys(printed)).toEqual(Object.values(SETTINGS).map((row) => row.env));
    expect(JSON.stringify(printed)).not.toMatch(/visible-to-nobody|a-secret-of/);
    expect(printed).toMatchObject({
      SOCKETFLEET_JWT_SECRET: `(2 hidden from ${file})`,
      SOCKETFLEET_API_KEY: '(1 hidden)',
      SOCKETFLEET_JWT_PUBLIC_KEY: '(none)',
    });
  });

  it('can be set again and gives the same configuration', () => {
    const config = parseConfig({
      PORT: '8080',
      SOCKETFLEET_DEMO: 'on',
      SOCKETFLEET_ORIGINS: 'https://a.example,https://b.example',
      SOCKETFLEET_TRUSTED_PROXIES: '10.0.0.0/8',
      SOCKETFLEET_APP: './app.mjs',
    });
    const secrets = new Set<string>(Object.values(SETTINGS).flatMap((row) => ('secret' in row ? [row.env] : [])));
    const again = Object.entries(printableConfig(config)).filter(([name]) => !secrets.has(name));
    expect(parseConfig(Object.fromEntries(again))).toEqual(config);
  });
});

describe('slips', () => {
  it('of the prefix are mistakes: a setting that nobody reads would leave a server open', () => {
    const problems = problemsOf({ SOCKETFLET_AUTH: 'jwt', SOCKETFLEET_REDIS_USERNAME: 'me' });
    expect(problems).toEqual([
      expect.stringContaining('credentials are set but REDIS_URL is not'),
      expect.stringMatching(/^SOCKETFLET_AUTH is not a setting; did you mean SOCKETFLEET_AUTH/),
    ]);
  });

  it.each(['SOCKET_FILE', 'SOCKETS_MAX', 'REDIS_HOST', 'NODE_ENV'])('are not seen in %s', (name) => {
    expect(problemsOf({ [name]: 'x' })).toEqual([]);
  });

  it.each([
    ['redis://:p@ss/word@localhost:6379', 'percent-encode'],
    ['redis://localhost:notaport', 'is no URL'],
    ['redis://:geheim#x@localhost', 'is no URL'],
  ])('in a Redis URL are told without the URL: %s', (url, text) => {
    const [problem = ''] = problemsOf({ REDIS_URL: url });
    expect(problem).toContain(text);
    expect(problem).not.toMatch(/p@ss|word@|notaport|geheim/);
  });

  it.each(['foo', 'bar:', 'a b:1', 'http://a:1'])('in peers are refused: %s', (peers) => {
    expect(problemsOf({ SOCKETFLEET_PEERS: peers })[0]).toContain('must be host:port');
  });
});
