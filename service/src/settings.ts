/**
 * The table of settings: name, type, default and one sentence each.
 * `--help`, `--print-config`, the README and the chart are held against it.
 */
import { hostname } from 'node:os';
import { z } from 'zod';
import { flag, int, ms, oneOf, optional, origins, proxies, secrets, setting, url } from './setting-kinds.ts';
import { REDIS_SETTINGS } from './settings-redis.ts';

export const SETTINGS = {
  port: setting({
    env: 'PORT',
    type: 'port',
    whenUnset: '3000',
    about: 'Public port: Socket.IO on /socket.io/. 0 takes a free one.',
    parse: int(0, 65_535),
  }),
  host: setting({
    env: 'HOST',
    type: 'address',
    whenUnset: '::',
    about: 'Address of the public port; :: also takes IPv4 and falls back to 0.0.0.0 where there is no IPv6.',
    parse: z.string().min(1, 'must not be empty'),
  }),
  logLevel: setting({
    env: 'LOG_LEVEL',
    type: 'level',
    whenUnset: 'info',
    about: 'debug, info, warn, error or silent. One line per client is debug.',
    parse: oneOf(['debug', 'info', 'warn', 'error', 'silent']),
  }),
  logFormat: setting({
    env: 'SOCKETFLEET_LOG_FORMAT',
    type: 'auto|json|pretty',
    whenUnset: 'auto',
    about: 'auto is pretty in a terminal and JSON elsewhere.',
    parse: oneOf(['auto', 'json', 'pretty']),
  }),
  pod: setting({
    env: 'SOCKETFLEET_POD',
    type: 'text',
    whenUnset: '(host name)',
    about: 'Name of this pod in logs, acks and the HTTP API.',
    parse: z.string().transform((text) => (text === '(host name)' ? hostname() : text)),
  }),
  internalPort: setting({
    env: 'SOCKETFLEET_INTERNAL_PORT',
    type: 'port',
    whenUnset: '(PORT + 6464)',
    about: 'Port for probes, metrics and the HTTP API; never expose it. 0 takes a free one.',
    parse: z
      .string()
      .transform((text) => (text === '(PORT + 6464)' ? '' : text))
      .pipe(
        z.union([z.literal('').transform(() => undefined), int(0, 65_535)], {
          error: 'must be a whole number from 0 to 65535',
        }),
      ),
  }),
  internalHost: setting({
    env: 'SOCKETFLEET_INTERNAL_HOST',
    type: 'address',
    whenUnset: '127.0.0.1',
    about: 'Address of the internal port. The chart binds it to the address of the pod.',
    parse: z.string().min(1, 'must not be empty'),
  }),
  apiKey: setting({
    env: 'SOCKETFLEET_API_KEY',
    type: 'secrets',
    whenUnset: '',
    about: 'Keys for the HTTP API (Authorization: Bearer). Several are valid side by side. None: the API is off.',
    secret: true,
    parse: secrets,
  }),
  apiMaxBodyBytes: setting({
    env: 'SOCKETFLEET_API_MAX_BODY_BYTES',
    type: 'bytes',
    whenUnset: '1000000',
    about: 'Largest body that the HTTP API takes.',
    parse: int(100, 100_000_000),
  }),
  idempotencyWindowMs: setting({
    env: 'SOCKETFLEET_IDEMPOTENCY_WINDOW_MS',
    type: 'ms',
    whenUnset: '120000',
    about: 'For how long a publish with the same id is recognised and not sent again.',
    parse: ms(),
  }),
  app: setting({
    env: 'SOCKETFLEET_APP',
    type: 'file',
    whenUnset: '',
    about: 'ES module with your handlers: export default (io, services) => {}. Unset: the built-in gateway.',
    parse: optional,
  }),
  demo: setting({
    env: 'SOCKETFLEET_DEMO',
    type: 'on|off',
    whenUnset: 'off',
    about: 'Serves a page at / to try the gateway in a browser. npm start switches it on.',
    parse: flag(),
  }),
  auth: setting({
    env: 'SOCKETFLEET_AUTH',
    type: 'none|jwt',
    whenUnset: 'none',
    about: 'none: everybody may join every room. jwt: a token decides.',
    parse: oneOf(['none', 'jwt']),
  }),
  jwtSecret: setting({
    env: 'SOCKETFLEET_JWT_SECRET',
    type: 'secrets',
    whenUnset: '',
    about: 'Shared secrets for HS256, HS384 and HS512 tokens, 32 bytes or more each.',
    secret: true,
    parse: secrets,
  }),
  jwtPublicKey: setting({
    env: 'SOCKETFLEET_JWT_PUBLIC_KEY',
    type: 'PEM',
    whenUnset: '',
    about: 'Public keys (PEM blocks) for RS, PS, ES and EdDSA tokens.',
    secret: true,
    parse: secrets,
  }),
  jwksUrl: setting({
    env: 'SOCKETFLEET_JWKS_URL',
    type: 'URL',
    whenUnset: '',
    about: 'Where the key set of your identity provider is; an unknown kid fetches it again, at most every 30 s.',
    parse: url(['https:', 'http:']),
  }),
  jwtIssuer: setting({
    env: 'SOCKETFLEET_JWT_ISSUER',
    type: 'text',
    whenUnset: '',
    about: 'Required iss of tokens. Unset: not checked.',
    parse: optional,
  }),
  jwtAudience: setting({
    env: 'SOCKETFLEET_JWT_AUDIENCE',
    type: 'text',
    whenUnset: '',
    about: 'Required aud of tokens. Unset: not checked.',
    parse: optional,
  }),
  origins: setting({
    env: 'SOCKETFLEET_ORIGINS',
    type: 'list',
    whenUnset: '*',
    about:
      'Origins of pages that may connect, for polling and WebSocket. Clients that send no Origin are not browsers and pass.',
    parse: origins,
  }),
  trustedProxies: setting({
    env: 'SOCKETFLEET_TRUSTED_PROXIES',
    type: 'list',
    whenUnset: '',
    about:
      'Addresses or CIDRs of proxies whose X-Forwarded-For is believed, or a number of hops. Unset: the address of the connection counts.',
    parse: proxies,
  }),
  ...REDIS_SETTINGS,
  recovery: setting({
    env: 'SOCKETFLEET_RECOVERY',
    type: 'on|off',
    whenUnset: 'off',
    about: 'Keeps sessions and missed messages for clients that come back. npm start switches it on.',
    parse: flag(),
  }),
  recoveryWindowMs: setting({
    env: 'SOCKETFLEET_RECOVERY_WINDOW_MS',
    type: 'ms',
    whenUnset: '120000',
    about: 'How long a client may be away and still be recovered.',
    parse: int(1_000, 86_400_000),
  }),
  endpointWaitMs: setting({
    env: 'SOCKETFLEET_ENDPOINT_WAIT_MS',
    type: 'ms',
    whenUnset: '10000',
    about: 'After SIGTERM: how long proxies may need to learn about it; everything still works.',
    parse: ms(),
  }),
  drainWindowMs: setting({
    env: 'SOCKETFLEET_DRAIN_WINDOW_MS',
    type: 'ms',
    whenUnset: '30000',
    about: 'Then: the time over which clients are let go, evenly.',
    parse: ms(),
  }),
  drainDeadlineMs: setting({
    env: 'SOCKETFLEET_DRAIN_DEADLINE_MS',
    type: 'ms',
    whenUnset: '5000',
    about: 'Then: how long the rest may take before it is cut.',
    parse: ms(),
  }),
  readyWhileDraining: setting({
    env: 'SOCKETFLEET_READY_WHILE_DRAINING',
    type: 'on|off',
    whenUnset: 'off',
    about: 'Keeps /readyz at 200 after SIGTERM. On in Kubernetes, which takes terminating pods out by itself.',
    parse: flag(),
  }),
  handshakesPerSecond: setting({
    env: 'SOCKETFLEET_HANDSHAKES_PER_SECOND',
    type: 'number',
    whenUnset: '200',
    about: 'New sessions per second of this process; more are told to come back. 0: no brake.',
    parse: int(0, 100_000),
  }),
  maxConnections: setting({
    env: 'SOCKETFLEET_MAX_CONNECTIONS',
    type: 'number',
    whenUnset: '10000',
    about: 'Connections that this process holds at most.',
    parse: int(1, 1_000_000),
  }),
  sessionsPerAddress: setting({
    env: 'SOCKETFLEET_SESSIONS_PER_ADDRESS',
    type: 'number',
    whenUnset: '1000',
    about: 'Connections of one client address that have not joined a namespace yet. 0: no limit.',
    parse: int(0, 1_000_000),
  }),
  connectTimeoutMs: setting({
    env: 'SOCKETFLEET_CONNECT_TIMEOUT_MS',
    type: 'ms',
    whenUnset: '10000',
    about: 'A connection that joins no namespace within this time is closed.',
    parse: int(100, 600_000),
  }),
  pingIntervalMs: setting({
    env: 'SOCKETFLEET_PING_INTERVAL_MS',
    type: 'ms',
    whenUnset: '25000',
    about: 'How often each client is asked for a sign of life.',
    parse: int(100, 600_000),
  }),
  pingTimeoutMs: setting({
    env: 'SOCKETFLEET_PING_TIMEOUT_MS',
    type: 'ms',
    whenUnset: '20000',
    about: 'How long a client may take to answer.',
    parse: int(100, 600_000),
  }),
  maxPayloadBytes: setting({
    env: 'SOCKETFLEET_MAX_PAYLOAD_BYTES',
    type: 'bytes',
    whenUnset: '100000',
    about: 'Largest message or polling body that a client may send.',
    parse: int(1_000, 100_000_000),
  }),
  roomsPerSocket: setting({
    env: 'SOCKETFLEET_ROOMS_PER_SOCKET',
    type: 'number',
    whenUnset: '100',
    about: 'Rooms that one socket may be in.',
    parse: int(1, 1_000_000),
  }),
  namespacesPerConnection: setting({
    env: 'SOCKETFLEET_NAMESPACES_PER_CONNECTION',
    type: 'number',
    whenUnset: '10',
    about: 'Namespaces that one connection may be in, / included.',
    parse: int(1, 1_000_000),
  }),
  messagesPerSecond: setting({
    env: 'SOCKETFLEET_MESSAGES_PER_SECOND',
    type: 'number',
    whenUnset: '50',
    about: 'Messages per second that one connection may send, with a burst of twice that. 0: no limit.',
    parse: int(0, 1_000_000),
  }),
  bytesPerSecond: setting({
    env: 'SOCKETFLEET_BYTES_PER_SECOND',
    type: 'bytes',
    whenUnset: '500000',
    about: 'Bytes per second that one connection may send, with a burst of twice that. 0: no limit.',
    parse: int(0, 1_000_000_000),
  }),
  slowReaderSoftBytes: setting({
    env: 'SOCKETFLEET_SLOW_READER_SOFT_BYTES',
    type: 'bytes',
    whenUnset: '262144',
    about: 'A client with more than this unsent gets no volatile messages.',
    parse: int(1_000, 1_000_000_000),
  }),
  slowReaderHardBytes: setting({
    env: 'SOCKETFLEET_SLOW_READER_HARD_BYTES',
    type: 'bytes',
    whenUnset: '4194304',
    about: 'A client with more than this unsent is closed; it may come back.',
    parse: int(1_000, 1_000_000_000),
  }),
} as const;

/** Every parsed setting by key. */
export type Settings = { readonly [K in keyof typeof SETTINGS]: z.output<(typeof SETTINGS)[K]['parse']> };
