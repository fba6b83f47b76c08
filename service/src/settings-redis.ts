/** Rows of the table of settings that concern Redis, readiness and the other servers. */
import { z } from 'zod';
import { int, list, ms, oneOf, optional, redisUrls, secret, setting } from './setting-kinds.ts';

export const REDIS_SETTINGS = {
  redisUrl: setting({
    env: 'REDIS_URL',
    type: 'URLs',
    whenUnset: '',
    about:
      'redis:// or rediss:// (TLS) of the Redis through which servers talk; several for Sentinel or Cluster. Unset: this process is alone.',
    secret: true,
    parse: redisUrls,
  }),
  redisTopology: setting({
    env: 'SOCKETFLEET_REDIS_TOPOLOGY',
    type: 'standalone|sentinel|cluster',
    whenUnset: 'standalone',
    about: 'What REDIS_URL points to: one Redis, sentinels, or nodes of a Redis Cluster.',
    parse: oneOf(['standalone', 'sentinel', 'cluster']),
  }),
  redisSentinelName: setting({
    env: 'SOCKETFLEET_REDIS_SENTINEL_NAME',
    type: 'text',
    whenUnset: 'mymaster',
    about: 'Name of the master that the sentinels watch.',
    parse: z.string().min(1, 'must not be empty'),
  }),
  redisSentinelPassword: setting({
    env: 'SOCKETFLEET_REDIS_SENTINEL_PASSWORD',
    type: 'secret',
    whenUnset: '',
    about: 'Password of the sentinels themselves.',
    secret: true,
    parse: secret,
  }),
  redisUsername: setting({
    env: 'SOCKETFLEET_REDIS_USERNAME',
    type: 'text',
    whenUnset: '',
    about: 'ACL user; what stands in REDIS_URL holds otherwise.',
    parse: optional,
  }),
  redisPassword: setting({
    env: 'SOCKETFLEET_REDIS_PASSWORD',
    type: 'secret',
    whenUnset: '',
    about:
      'Password of Redis; what stands in REDIS_URL holds otherwise. A changed file is used at the next connection.',
    secret: true,
    parse: secret,
  }),
  redisTlsCa: setting({
    env: 'SOCKETFLEET_REDIS_TLS_CA',
    type: 'file',
    whenUnset: '',
    about: 'Certificate authority (PEM file) that signed the certificate of Redis.',
    parse: optional,
  }),
  redisTlsCert: setting({
    env: 'SOCKETFLEET_REDIS_TLS_CERT',
    type: 'file',
    whenUnset: '',
    about: 'Client certificate (PEM file), with SOCKETFLEET_REDIS_TLS_KEY.',
    parse: optional,
  }),
  redisTlsKey: setting({
    env: 'SOCKETFLEET_REDIS_TLS_KEY',
    type: 'file',
    whenUnset: '',
    about: 'Key of the client certificate (PEM file).',
    parse: optional,
  }),
  redisMode: setting({
    env: 'SOCKETFLEET_REDIS_MODE',
    type: 'sharded|classic',
    whenUnset: 'sharded',
    about:
      'sharded (Redis 7 or newer): a message reaches only servers with members. classic: wire-compatible with other Socket.IO servers and emitters.',
    parse: oneOf(['sharded', 'classic']),
  }),
  redisPrefix: setting({
    env: 'SOCKETFLEET_REDIS_PREFIX',
    type: 'text',
    whenUnset: 'socketfleet',
    about:
      'Begins every key and channel; one per installation on a shared Redis. Stock Socket.IO servers use socket.io.',
    parse: z.string().regex(/^[A-Za-z0-9._:-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 . _ : -'),
  }),
  readiness: setting({
    env: 'SOCKETFLEET_READINESS',
    type: 'off|startup|grace|strict',
    whenUnset: 'grace',
    about:
      'What Redis means for /readyz. off: nothing. startup: it must have been seen once. grace: not ready when cut off while a peer is not. strict: not ready without it.',
    parse: oneOf(['off', 'startup', 'grace', 'strict']),
  }),
  readinessGraceMs: setting({
    env: 'SOCKETFLEET_READINESS_GRACE_MS',
    type: 'ms',
    whenUnset: '10000',
    about: 'grace: how long Redis may be out of reach before peers are asked.',
    parse: ms(),
  }),
  readinessRecoverMs: setting({
    env: 'SOCKETFLEET_READINESS_RECOVER_MS',
    type: 'ms',
    whenUnset: '5000',
    about: 'How long Redis must be well again before a server that left comes back.',
    parse: ms(),
  }),
  peers: setting({
    env: 'SOCKETFLEET_PEERS',
    type: 'list',
    whenUnset: '',
    about:
      'Internal addresses host:port of other servers, to ask whether they see Redis; a name stands for all its addresses. Servers known from Redis are asked in any case.',
    parse: list.refine(
      (entries) => entries.every((entry) => /^(?:[^\s:/]+|\[[0-9a-fA-F:.]+\]):\d{1,5}$/.test(entry)),
      'must be host:port, separated by commas',
    ),
  }),
  leaseMs: setting({
    env: 'SOCKETFLEET_LEASE_MS',
    type: 'ms',
    whenUnset: '15000',
    about: 'A server that is silent for this long is gone for the others, and its members with it.',
    parse: int(500, 600_000),
  }),
} as const;
