/** Turns environment variables into a frozen Config, or into the full list of what is wrong with them. */
import { readFileSync } from 'node:fs';
import { contradictions, internalPortBeside } from './contradictions.ts';
import { type Secret, type Setting, splitSecrets } from './setting-kinds.ts';
import { SETTINGS, type Settings } from './settings.ts';

export type Config = Omit<Settings, 'internalPort'> & { readonly internalPort: number };

const PREFIX = 'SOCKETFLEET_';

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
    const raw = rawValue(env, row, problems);
    if (raw === undefined) continue;
    const result = row.parse.safeParse(raw);
    if (result.success) parsed[key] = withFile(result.data, row, env);
    else problems.push(...result.error.issues.map((issue) => describe(row, env, issue.message)));
  }
  problems.push(...contradictions(parsed as Partial<Settings>), ...unknownNames(env));
  if (problems.length > 0) throw new ConfigError(problems);
  const settings = parsed as unknown as Settings;
  return Object.freeze({ ...settings, internalPort: settings.internalPort ?? internalPortBeside(settings.port) });
}

/** The parsed settings by variable name, in the notation in which they are set, with secrets hidden. */
export function printableConfig(config: Config): Record<string, string> {
  return Object.fromEntries(
    (Object.entries(SETTINGS) as [keyof Config, Setting<unknown>][]).map(([key, row]) => [
      row.env,
      row.secret ? hidden(config[key] as Secret) : printable(config[key]),
    ]),
  );
}

function printable(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return String(value ?? '');
}

function hidden(secret: Secret): string {
  const source = secret.file === undefined ? '' : ` from ${secret.file}`;
  return secret.values.length === 0 ? '(none)' : `(${secret.values.length} hidden${source})`;
}

/** The text of a setting; undefined when it is in a file that cannot be read. */
function rawValue(env: Env, row: Setting<unknown>, problems: string[]): string | undefined {
  const file = row.secret ? env[`${row.env}_FILE`] : undefined;
  const value = isServiceLink(row.env, env[row.env]) ? undefined : env[row.env];
  if (!file) return value || row.whenUnset;
  if (value) problems.push(`${row.env} and ${row.env}_FILE are both set; keep one`);
  try {
    const text = readFileSync(file, 'utf8');
    if (splitSecrets(text).length === 0) problems.push(`${row.env}_FILE=${file} is empty`);
    return text;
  } catch (cause) {
    problems.push(`${row.env}_FILE=${file} cannot be read: ${(cause as Error).message}`);
    return undefined;
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
    .filter(([name]) => isMeantForUs(name) && !known.has(name))
    .filter(([name, value]) => !isServiceLink(name, value))
    .map(([name]) => `${name} is not a setting${suggestion(name, known)}`);
}

/** Our prefix, or a slip of it: SOCKETFLET_AUTH=jwt that nobody reads would leave a server open. */
function isMeantForUs(name: string): boolean {
  const prefix = name.slice(0, name.indexOf('_') + 1);
  return prefix === PREFIX || (Math.abs(prefix.length - PREFIX.length) <= 2 && editDistance(prefix, PREFIX) <= 2);
}

/** True of SOCKETFLEET_INTERNAL_PORT=tcp://... as well: that is a Service named socketfleet-internal, not our setting. */
function isServiceLink(name: string, value = ''): boolean {
  if (!SERVICE_LINK.test(name)) return false;
  return name.includes('_SERVICE_') || /_PORT_\d+_/.test(name) || /^(?:tcp|udp|sctp):\/\//.test(value);
}

function suggestion(name: string, known: ReadonlySet<string>): string {
  const bare = name.slice(PREFIX.length);
  if (known.has(bare)) return `; it is called ${bare}`;
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

/**
 * Reads a secret's file again. Throws an Error that says why it cannot be used: unreadable, empty, or refused by the
 * same checks as at the start; the values in use had better stay then.
 */
export function rereadSecret(key: keyof Settings, secret: Secret): Secret {
  if (secret.file === undefined) return secret;
  const row = SETTINGS[key] as Setting<unknown>;
  const result = row.parse.safeParse(readFileSync(secret.file, 'utf8'));
  const problems = result.success
    ? contradictions({ [key]: result.data } as Partial<Settings>)
    : result.error.issues.map(({ message }) => `${row.env} ${message}`);
  const [problem] = problems;
  if (problem !== undefined) throw new Error(problem);
  const next = { ...(result.data as Secret), file: secret.file };
  if (next.values.length === 0) throw new Error(`${row.env}_FILE=${secret.file} is empty`);
  return next;
}
