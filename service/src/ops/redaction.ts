/** What must never reach a log or a probe's answer: secrets by field name, and secrets inside text. */

const HIDDEN = '[hidden]';

const SECRET_FIELDS = [
  'token',
  'auth',
  'authorization',
  'cookie',
  'set-cookie',
  'sid',
  'query',
  'password',
  'secret',
  'apiKey',
];

// Shown without their secrets: an address is what an operator looks for.
const URL_FIELDS = ['url', 'href'];

// pino's wildcard stands for exactly one level, so every depth is named.
const DEPTH = 4;

/** pino's `redact` option: the secret fields at any of the first four levels of a line. */
export const REDACT = {
  censor: (value: unknown, path: readonly string[]): unknown =>
    typeof value === 'string' && URL_FIELDS.includes(path.at(-1) ?? '') ? scrub(value) : HIDDEN,
  paths: [...SECRET_FIELDS, ...URL_FIELDS].flatMap((field) => {
    const last = /^\w+$/.test(field) ? field : `["${field}"]`;
    return Array.from({ length: DEPTH }, (_, depth) => {
      const path = Array.from({ length: depth }, () => '*').join('.');
      return path === '' ? last : last.startsWith('[') ? path + last : `${path}.${last}`;
    });
  }),
};

const LONGEST_TEXT = 8_000;

/** Hides passwords in URLs, query strings, JWTs and bearer keys inside a text, and cuts it to 8000 characters. */
export function scrub(text: string): string {
  return text
    .slice(0, LONGEST_TEXT)
    .replace(/:\/\/[^/\s@]{1,1000}@/g, `://${HIDDEN}@`)
    .replace(/(?<=[\w/.-])\?[^\s'"`)]+/g, `?${HIDDEN}`)
    .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, HIDDEN)
    .replace(/\bBearer\s+\S+/gi, `Bearer ${HIDDEN}`);
}

/** An error as it is logged. */
export interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string | number;
  readonly stack?: string;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

const DEEPEST_CAUSE = 5;

/**
 * pino serializer for errors, causes included. Takes named fields only: libraries hang whole commands and
 * requests on their errors.
 */
export function loggedError(value: unknown): unknown {
  return describe(value, 0);
}

function describe(value: unknown, depth: number): unknown {
  if (!(value instanceof Error)) return typeof value === 'string' ? scrub(value) : value;
  const { code } = value as { code?: unknown };
  const more: { -readonly [K in keyof LoggedError]?: LoggedError[K] } = {};
  if (typeof code === 'string' || typeof code === 'number') more.code = code;
  if (value.stack !== undefined) more.stack = scrub(value.stack);
  if (depth < DEEPEST_CAUSE) {
    if (value.cause !== undefined) more.cause = describe(value.cause, depth + 1);
    if (value instanceof AggregateError) more.errors = value.errors.map((one: unknown) => describe(one, depth + 1));
  }
  return { type: value.name, message: scrub(value.message), ...more } satisfies LoggedError;
}
