/** Turns environment variables into a frozen Config, or into the full list of what is wrong with them. */
import { readFileSync } from 'node:fs';
import { type Secret, type Setting, splitSecrets } from './setting-kinds.ts';
import { SETTINGS, type Settings } from './settings.ts';

export type Config = Omit<Settings, 'internalPort'> & { readonly internalPort: number };

type Env = Readonly<Record<string, string | undefined>>;

/** All problems of an environment at once, one line each. Answered with exit code 2. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`configuration is not valid:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

// Kubernetes injects these for a Service of that name: SOCKETFLEET_PORT=tcp://10.0.0.1:80 and so on.
const SERVICE_LINK =
  /^SOCKETFLEET_(?:[A-Z0-9_]+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;

/** Parses and checks the environment. Throws a {@link ConfigError} that names every bad variable. */
export function parseConfig(env: Env): Config {
  const problems: string[] = [];
  const parsed: Record<string, unknown> = {};
  for (const [key, row] of Object.entries(SETTINGS) as [string, Setting<unknown>][]) {
    const result = row.parse.safeParse(rawValue(env, row, problems));
    if (result.success) parsed[key] = withFile(result.data, row, env);
    else problems.push(...result.error.issues.map((issue) => describe(row, env, issue.message)));
  }
  problems.push(...unknownNames(env));
  const settings = parsed as unknown as Settings;
  if (problems.length === 0) problems.push(...contradictions(settings));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze({ ...settings, internalPort: settings.internalPort ?? internalPortBeside(settings.port) });
}

/** The parsed settings as they are, by variable name, with secrets hidden. */
export function printableConfig(config: Config): Record<string, unknown> {
  return Object.fromEntries(
    (Object.entries(SETTINGS) as [keyof Config, Setting<unknown>][]).map(([key, row]) => [
      row.env,
      row.secret ? hidden(config[key] as Secret) : (config[key] ?? ''),
    ]),
  );
}

function hidden(secret: Secret): string {
  const source = secret.file === undefined ? '' : ` from ${secret.file}`;
  return secret.values.length === 0 ? '(none)' : `(${secret.values.length} hidden${source})`;
}

function internalPortBeside(port: number): number {
  return port === 0 ? 0 : port + 6464;
}

function rawValue(env: Env, row: Setting<unknown>, problems: string[]): string {
  const file = row.secret ? env[`${row.env}_FILE`] : undefined;
  const value = env[row.env];
  if (file === undefined || file === '') return value === undefined || value === '' ? row.whenUnset : value;
  if (value) problems.push(`${row.env} and ${row.env}_FILE are both set; keep one`);
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    problems.push(`${row.env}_FILE=${file} cannot be read: ${(cause as Error).message}`);
    return row.whenUnset;
  }
}

function withFile(value: unknown, row: Setting<unknown>, env: Env): unknown {
  const file = row.secret ? env[`${row.env}_FILE`] : undefined;
  return file ? { ...(value as Secret), file } : value;
}

function describe(row: Setting<unknown>, env: Env, message: string): string {
  return row.secret ? `${row.env} ${message}` : `${row.env}=${env[row.env]} ${message}`;
}

function unknownNames(env: Env): string[] {
  const known = new Set(
    Object.values(SETTINGS).flatMap((row) => ('secret' in row ? [row.env, `${row.env}_FILE`] : [row.env])),
  );
  return Object.entries(env)
    .filter(([name]) => name.startsWith('SOCKETFLEET_') && !known.has(name))
    .filter(([name, value]) => !(SERVICE_LINK.test(name) && isServiceLinkValue(name, value)))
    .map(([name]) => `${name} is not a setting${suggestion(name, known)}`);
}

function isServiceLinkValue(name: string, value = ''): boolean {
  return name.includes('_SERVICE_') || /^(?:tcp|udp|sctp):\/\//.test(value) || /_PORT_\d+_/.test(name);
}

function suggestion(name: string, known: ReadonlySet<string>): string {
  const close = [...known]
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return close !== undefined && close.distance <= 4 ? `; did you mean ${close.candidate}?` : '; --help lists them all';
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function contradictions(settings: Settings): string[] {
  const problems: string[] = [];
  const keys =
    [settings.jwtSecret, settings.jwtPublicKey].some((secret) => secret.values.length > 0) ||
    settings.jwksUrl !== undefined;
  if (settings.auth === 'jwt' && !keys) {
    problems.push(
      'SOCKETFLEET_AUTH=jwt needs SOCKETFLEET_JWT_SECRET, SOCKETFLEET_JWT_PUBLIC_KEY or SOCKETFLEET_JWKS_URL',
    );
  }
  if (settings.auth === 'none' && keys) {
    problems.push(
      'keys for tokens are set but SOCKETFLEET_AUTH is none: nobody would be checked. Set SOCKETFLEET_AUTH=jwt, or remove the keys',
    );
  }
  if (settings.jwtSecret.values.some((value) => Buffer.byteLength(value) < 32)) {
    problems.push('SOCKETFLEET_JWT_SECRET has a value of less than 32 bytes, which can be guessed');
  }
  if (settings.apiKey.values.some((value) => value.length < 16)) {
    problems.push('SOCKETFLEET_API_KEY has a key of less than 16 characters, which can be guessed');
  }
  if (settings.slowReaderSoftBytes > settings.slowReaderHardBytes) {
    problems.push('SOCKETFLEET_SLOW_READER_SOFT_BYTES must not be above SOCKETFLEET_SLOW_READER_HARD_BYTES');
  }
  problems.push(...redisContradictions(settings));
  const internalPort = settings.internalPort ?? internalPortBeside(settings.port);
  if (internalPort > 65_535) problems.push('PORT + 6464 is no port; set SOCKETFLEET_INTERNAL_PORT');
  if (settings.port !== 0 && internalPort === settings.port) {
    problems.push('SOCKETFLEET_INTERNAL_PORT must differ from PORT');
  }
  return problems;
}

function redisContradictions(settings: Settings): string[] {
  const problems: string[] = [];
  const urls = settings.redisUrl.values;
  if (urls.length === 0 && settings.redisTopology !== 'standalone') {
    problems.push(`SOCKETFLEET_REDIS_TOPOLOGY=${settings.redisTopology} needs REDIS_URL`);
  }
  if (urls.length > 1 && settings.redisTopology === 'standalone') {
    problems.push('REDIS_URL has several URLs; set SOCKETFLEET_REDIS_TOPOLOGY to sentinel or cluster');
  }
  if ((settings.redisTlsCert === undefined) !== (settings.redisTlsKey === undefined)) {
    problems.push('SOCKETFLEET_REDIS_TLS_CERT and SOCKETFLEET_REDIS_TLS_KEY belong together');
  }
  const isTls = urls.some((url) => url.startsWith('rediss:'));
  if (!isTls && urls.length > 0 && (settings.redisTlsCa ?? settings.redisTlsCert) !== undefined) {
    problems.push('SOCKETFLEET_REDIS_TLS_* is set but REDIS_URL is no rediss:// URL');
  }
  return problems;
}

/** Reads a secret's file again; the values stay as they were when it cannot be read or is empty. */
export function rereadSecret(secret: Secret): Secret {
  if (secret.file === undefined) return secret;
  const values = splitSecrets(readFileSync(secret.file, 'utf8'));
  return values.length === 0 ? secret : { ...secret, values };
}
