/** What a scenario takes with `-e`: kinds, checks, and one line that names every mistake. Pure: Node runs it, too. */

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;
const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A whole number within bounds. */
export const int = (min, max) => ({
  shape: `a whole number from ${min} to ${max}`,
  parse(text) {
    const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  },
});

/** A number within bounds. */
export const number = (min, max) => ({
  shape: `a number from ${min} to ${max}`,
  parse(text) {
    const value = /^\d{1,9}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  },
});

/** `500ms`, `30s`, `5m`, `2h`; the value is in milliseconds. */
export const duration = (min, max) => ({
  shape: `a time such as 30s, from ${min} to ${max}`,
  parse(text) {
    const ms = toMs(text);
    return ms >= toMs(min) && ms <= toMs(max) ? ms : undefined;
  },
});

export const oneOf = (...words) => ({
  shape: `one of ${words.join(', ')}`,
  parse: (text) => (words.includes(text) ? text : undefined),
});

export const matching = (pattern, shape) => ({ shape, parse: (text) => (pattern.test(text) ? text : undefined) });

export const text = { shape: 'text', parse: (value) => value };

const ADDRESS = matching(
  /^https?:\/\/(\[[0-9a-fA-F:.]+\]|[^\s/?#:@[\]]+)(:\d{1,5})?\/?$/,
  'an address like http://host:port',
);

/** What every scenario takes. */
export const COMMON = {
  URL: { ...ADDRESS, isRequired: true, about: 'The address under test. There is no default.' },
  SIO_PATH: {
    ...matching(/^\/[^\s?#]*$/, 'a path'),
    whenUnset: '/socket.io',
    about: 'Where Socket.IO is served.',
  },
  TRANSPORT: {
    ...oneOf('upgrade', 'websocket', 'polling'),
    whenUnset: 'upgrade',
    about: 'upgrade begins with polling, as browsers do.',
  },
  TOKEN: { ...text, about: 'Token of all clients, as auth.token.', isSecret: true },
  TOKEN_FILE: { ...matching(/^\//, 'an absolute path'), about: 'File with the token.' },
  INSECURE: { ...oneOf('0', '1'), whenUnset: '0', about: '1 takes certificates that nobody trusts.' },
  RAMP: { ...number(0.1, 10_000), whenUnset: '50', about: 'New clients per second while the crowd gathers.' },
  PER_VU: { ...int(1, 5_000), whenUnset: '50', about: 'Sockets that share a VU, which is one thread of JavaScript.' },
  MAX_LAG_MS: {
    ...int(1, 10_000),
    whenUnset: '100',
    about: 'Event-loop lag of the generator (p99) beyond which a run is invalid.',
  },
  OUT: { ...text, about: 'An existing folder for the reports.' },
};

/**
 * Values by name. Throws one line (text, because k6 prints an Error with its stack) that names everything that is wrong.
 * Unknown names can only be told where the environment of the machine is not mixed in (`--include-system-env-vars=false`).
 */
export function readParams(env, table) {
  const known = { ...COMMON, ...table };
  const problems = [];
  const values = {};
  for (const [name, { parse, shape, whenUnset, isRequired }] of Object.entries(known)) {
    const given = env[name] === undefined || env[name] === '' ? whenUnset : env[name];
    if (given === undefined) {
      if (isRequired) problems.push(`${name} is missing (-e ${name}=...): ${known[name].about}`);
      continue;
    }
    values[name] = parse(given);
    if (values[name] === undefined) problems.push(`${name}=${given} is not ${shape}`);
  }
  if (env.PATH === undefined) {
    const strange = Object.keys(env).filter((name) => !Object.hasOwn(known, name) && !name.startsWith('K6_'));
    if (strange.length > 0)
      problems.push(`unknown: ${strange.join(', ')} (there are ${Object.keys(known).join(', ')})`);
  }
  if (problems.length > 0) throw `loadtest: ${problems.join('; ')}`;
  return { ...values, URL: values.URL.replace(/\/$/, '') };
}

function toMs(value) {
  const match = DURATION.exec(value);
  return match === null ? Number.NaN : Number(match[1]) * UNITS[match[2]];
}
