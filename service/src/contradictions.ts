/** Settings that are valid alone and wrong together. */
import type { Settings } from './settings.ts';

interface Rule {
  readonly needs: readonly (keyof Settings)[];
  /** The problem, when there is one. */
  problem(settings: Settings): string | undefined;
}

/** Type-checked to read nothing but what it needs, so that a setting that could not be parsed only silences its own rules. */
function rule<K extends keyof Settings>(
  needs: readonly K[],
  problem: (settings: Pick<Settings, K>) => string | false,
): Rule {
  return { needs, problem: (settings) => problem(settings) || undefined };
}

const RULES: readonly Rule[] = [
  rule(
    ['auth', 'jwtSecret', 'jwtPublicKey', 'jwksUrl'],
    (settings) =>
      settings.auth === 'jwt' &&
      !hasKeys(settings) &&
      'SOCKETFLEET_AUTH=jwt needs SOCKETFLEET_JWT_SECRET, SOCKETFLEET_JWT_PUBLIC_KEY or SOCKETFLEET_JWKS_URL',
  ),
  rule(
    ['auth', 'jwtSecret', 'jwtPublicKey', 'jwksUrl'],
    (settings) =>
      settings.auth === 'none' &&
      hasKeys(settings) &&
      'keys for tokens are set but SOCKETFLEET_AUTH is none: nobody would be checked. Set SOCKETFLEET_AUTH=jwt, or remove the keys',
  ),
  rule(
    ['jwtSecret'],
    ({ jwtSecret }) =>
      jwtSecret.values.some((value) => Buffer.byteLength(value) < 32) &&
      'SOCKETFLEET_JWT_SECRET has a value of less than 32 bytes, which can be guessed',
  ),
  rule(
    ['apiKey'],
    ({ apiKey }) =>
      apiKey.values.some((value) => value.length < 16) &&
      'SOCKETFLEET_API_KEY has a key of less than 16 characters, which can be guessed',
  ),
  rule(
    ['slowReaderSoftBytes', 'slowReaderHardBytes'],
    (settings) =>
      settings.slowReaderSoftBytes > settings.slowReaderHardBytes &&
      'SOCKETFLEET_SLOW_READER_SOFT_BYTES must not be above SOCKETFLEET_SLOW_READER_HARD_BYTES',
  ),
  rule(
    ['maxPayloadBytes', 'bytesPerSecond'],
    ({ maxPayloadBytes, bytesPerSecond }) =>
      bytesPerSecond > 0 &&
      maxPayloadBytes > 2 * bytesPerSecond &&
      'SOCKETFLEET_MAX_PAYLOAD_BYTES must not be above twice SOCKETFLEET_BYTES_PER_SECOND: one allowed message would close its sender',
  ),
  rule(
    ['maxPayloadBytes', 'slowReaderHardBytes'],
    ({ maxPayloadBytes, slowReaderHardBytes }) =>
      maxPayloadBytes > slowReaderHardBytes &&
      'SOCKETFLEET_MAX_PAYLOAD_BYTES must not be above SOCKETFLEET_SLOW_READER_HARD_BYTES: one allowed message would close its receivers',
  ),
  rule(
    ['redisUrl', 'redisTopology'],
    ({ redisUrl, redisTopology }) =>
      redisUrl.values.length === 0 &&
      redisTopology !== 'standalone' &&
      `SOCKETFLEET_REDIS_TOPOLOGY=${redisTopology} needs REDIS_URL`,
  ),
  rule(
    ['redisUrl', 'redisTopology'],
    ({ redisUrl, redisTopology }) =>
      redisUrl.values.length > 1 &&
      redisTopology === 'standalone' &&
      'REDIS_URL has several URLs; set SOCKETFLEET_REDIS_TOPOLOGY to sentinel or cluster',
  ),
  rule(
    ['redisUrl', 'redisTopology'],
    ({ redisUrl, redisTopology }) =>
      redisTopology === 'cluster' &&
      redisUrl.values.some((url) => /[1-9]/.test(new URL(url).pathname)) &&
      'REDIS_URL names a database, and a Redis Cluster has only 0',
  ),
  rule(
    ['redisUrl', 'redisPassword', 'redisUsername', 'redisSentinelPassword'],
    ({ redisUrl, redisPassword, redisUsername, redisSentinelPassword }) =>
      redisUrl.values.length === 0 &&
      (redisPassword.values.length > 0 || redisSentinelPassword.values.length > 0 || redisUsername !== undefined) &&
      'SOCKETFLEET_REDIS_* credentials are set but REDIS_URL is not: everything would stay in memory',
  ),
  rule(
    ['redisTlsCert', 'redisTlsKey'],
    ({ redisTlsCert, redisTlsKey }) =>
      (redisTlsCert === undefined) !== (redisTlsKey === undefined) &&
      'SOCKETFLEET_REDIS_TLS_CERT and SOCKETFLEET_REDIS_TLS_KEY belong together',
  ),
  rule(
    ['redisUrl', 'redisTlsCa', 'redisTlsCert'],
    ({ redisUrl, redisTlsCa, redisTlsCert }) =>
      redisUrl.values.length > 0 &&
      !redisUrl.values.some((url) => url.startsWith('rediss:')) &&
      (redisTlsCa ?? redisTlsCert) !== undefined &&
      'SOCKETFLEET_REDIS_TLS_* is set but REDIS_URL is no rediss:// URL',
  ),
  rule(
    ['port', 'internalPort'],
    ({ port, internalPort }) =>
      (internalPort ?? internalPortBeside(port)) > 65_535 && 'PORT + 6464 is no port; set SOCKETFLEET_INTERNAL_PORT',
  ),
  rule(
    ['port', 'internalPort'],
    ({ port, internalPort }) =>
      port !== 0 && internalPort === port && 'SOCKETFLEET_INTERNAL_PORT must differ from PORT',
  ),
];

function hasKeys(settings: Pick<Settings, 'jwtSecret' | 'jwtPublicKey' | 'jwksUrl'>): boolean {
  const { jwtSecret, jwtPublicKey, jwksUrl } = settings;
  return jwtSecret.values.length > 0 || jwtPublicKey.values.length > 0 || jwksUrl !== undefined;
}

/** The internal port when none is set. */
export function internalPortBeside(port: number): number {
  return port === 0 ? 0 : port + 6464;
}

/** What is wrong with settings as a whole; `parsed` may lack those that could not be parsed. */
export function contradictions(parsed: Partial<Settings>): string[] {
  return RULES.filter(({ needs }) => needs.every((key) => key in parsed)).flatMap(
    ({ problem }) => problem(parsed as Settings) ?? [],
  );
}
