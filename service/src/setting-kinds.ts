/** What a setting can be: a port, a list, a secret. The notation of the table in settings.ts. */
import { isIP } from 'node:net';
import { z } from 'zod';

/** A secret's values and, when it came from a file, the file to read again when it changes. */
export interface Secret {
  readonly values: readonly string[];
  readonly file?: string;
  /** One value, whatever characters it has. */
  readonly isSingle?: true;
}

/** One row of the table. `parse` takes the raw text; `whenUnset` is what holds without it, in the same notation. */
export interface Setting<T> {
  readonly env: string;
  readonly type: string;
  readonly whenUnset: string;
  readonly about: string;
  readonly secret?: true;
  readonly parse: z.ZodType<T, string>;
}

const wholeNumber = /^\d{1,15}$/;

export function int(min: number, max: number) {
  const text = `a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(wholeNumber, `must be ${text}`)
    .transform(Number)
    .refine((n) => n >= min && n <= max, `must be ${text}`);
}
export const ms = (max = 86_400_000) => int(0, max);
export const flag = () => z.enum(['on', 'off'], { error: 'must be on or off' }).transform((text) => text === 'on');
export const oneOf = <const V extends readonly [string, ...string[]]>(values: V) =>
  z.enum(values, { error: `must be one of ${values.join(', ')}` });
export const optional = z.string().transform((text) => (text === '' ? undefined : text));
export const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);
export const url = (schemes: readonly string[]) =>
  optional.refine(
    (text) => text === undefined || (URL.canParse(text) && schemes.includes(new URL(text).protocol)),
    `must be a URL that starts with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`,
  );
export const secrets = z.string().transform((text): Secret => ({ values: splitSecrets(text) }));
/** One secret that somebody else has chosen: a comma in it separates nothing. */
export const secret = z.string().transform((text): Secret => ({ values: singleSecret(text), isSingle: true }));

/** Proxies by address or CIDR, or how many there are. */
export const proxies = list.superRefine((entries, context) => {
  if (entries.length === 1 && /^\d{1,2}$/.test(entries[0] ?? '')) return;
  for (const entry of entries) {
    if (!isNetwork(entry)) context.addIssue(`must be addresses, CIDRs or a number of hops; "${entry}" is none`);
  }
});

/** Origins as browsers send them, or `*`. */
export const origins = list.superRefine((entries, context) => {
  for (const entry of entries) {
    if (entry !== '*' && entry !== 'null' && !/^[a-z][a-z\d+.-]*:\/\/[^/?#A-Z]+$/.test(entry)) {
      context.addIssue(`must be like https://app.example.com, lower case and without a path; "${entry}" is not`);
    }
  }
});

function isNetwork(entry: string): boolean {
  const [address = '', bits, ...rest] = entry.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32));
}

/** Several values of one secret: separated by commas or line ends, PEM blocks kept whole. */
export function splitSecrets(text: string): string[] {
  if (text.includes('-----BEGIN')) return text.match(/-----BEGIN [^-]+-----[\s\S]*?-----END [^-]+-----/g) ?? [];
  return text
    .split(/[,\r\n]+/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** The text without the line end that editors put behind it; nothing when it is empty. */
export function singleSecret(text: string): string[] {
  const value = text.replace(/[\r\n]+$/, '');
  return value === '' ? [] : [value];
}

export function setting<T>(row: Setting<T>): Setting<T> {
  return row;
}

/** Redis URLs, separated by commas, all of one scheme. */
export const redisUrls = z.string().transform((text, context): Secret => {
  const values = splitSecrets(text);
  const problem = values.map(redisUrlProblem).find((found) => found !== undefined) ?? mixed(values);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  return { values };
});

/** Says what is wrong without repeating any of it: a URL may hold a password. */
function redisUrlProblem(value: string): string | undefined {
  if (!/^rediss?:\/\//.test(value)) return 'must be URLs that start with redis:// or rediss://';
  if (!URL.canParse(value)) return 'is no URL; check host and port, and percent-encode what is special in the password';
  const { hostname, username, password, pathname, search, hash } = new URL(value);
  if (hostname === '') return 'names no host';
  if (/%(?![\dA-F]{2})/i.test(username + password)) return 'has a % that encodes nothing; write %25';
  if (!/^\/?\d{0,5}$/.test(pathname) || search !== '' || hash !== '') {
    return 'has more behind the port than the number of a database; percent-encode / ? # in the password';
  }
  return undefined;
}

function mixed(values: readonly string[]): string | undefined {
  return new Set(values.map((value) => new URL(value).protocol)).size > 1
    ? 'must not mix redis:// and rediss://'
    : undefined;
}
