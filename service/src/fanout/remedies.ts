/** Turns what Redis or the network says into the setting to look at and what to do. Pure. */

const REMEDIES: readonly (readonly [RegExp, string, string])[] = [
  [
    /sentinel.*(?:WRONGPASS|NOAUTH|invalid password|Authentication required)/i,
    'SOCKETFLEET_REDIS_SENTINEL_PASSWORD',
    'the sentinels want another password than they were given',
  ],
  [
    /WRONGPASS|invalid username-password|invalid password/i,
    'SOCKETFLEET_REDIS_PASSWORD',
    'the user name or password is not accepted; check it, and SOCKETFLEET_REDIS_USERNAME',
  ],
  [/NOAUTH|Authentication required/i, 'SOCKETFLEET_REDIS_PASSWORD', 'Redis wants a password; set one'],
  [
    /NOPERM/i,
    'SOCKETFLEET_REDIS_USERNAME',
    'this user lacks rights; allow the channels and keys that begin with SOCKETFLEET_REDIS_PREFIX',
  ],
  [
    /unknown command.*s(?:subscribe|publish)|SHARDNUMSUB/i,
    'SOCKETFLEET_REDIS_MODE',
    'sharded needs Redis 7 or newer; upgrade, or set SOCKETFLEET_REDIS_MODE=classic',
  ],
  [
    /(?:ENOENT|EACCES|EISDIR).*(?:open|read)|PEM|key values mismatch/i,
    'SOCKETFLEET_REDIS_TLS_CA, _CERT or _KEY',
    'a file cannot be read, or is no PEM, or certificate and key do not belong together',
  ],
  [
    /alert (?:certificate|bad certificate|unknown ca|handshake failure)/i,
    'SOCKETFLEET_REDIS_TLS_CERT',
    'Redis wants a client certificate that it trusts',
  ],
  [
    /certificate|self.signed|unable to verify|ERR_TLS|altname|issuer/i,
    'SOCKETFLEET_REDIS_TLS_CA',
    'the certificate of Redis is not trusted, or its name differs from the host in REDIS_URL',
  ],
  [
    /wrong version number|packet length too long|SSL routines|EPROTO|ECONNRESET.*TLS|before secure TLS/i,
    'REDIS_URL',
    'one side speaks TLS and the other does not; use rediss:// exactly when Redis does',
  ],
  [
    /Protocol error|Unexpected reply|reply type byte/i,
    'REDIS_URL',
    'what answers there is no Redis, or it speaks TLS; check host, port and rediss://',
  ],
  [
    /sentinel/i,
    'SOCKETFLEET_REDIS_SENTINEL_NAME',
    'no sentinel answered for this name; check the name and the addresses in REDIS_URL',
  ],
  [
    /MOVED|CLUSTERDOWN|slots cache|cluster support disabled/i,
    'SOCKETFLEET_REDIS_TOPOLOGY',
    'check whether REDIS_URL names a Redis Cluster, and its health',
  ],
  [/READONLY/i, 'REDIS_URL', 'this is a replica; name the master, or use sentinels'],
  [/LOADING/i, 'REDIS_URL', 'Redis is loading its data; wait'],
  [/OOM/i, 'REDIS_URL', 'Redis has no memory left; raise maxmemory'],
  [/ENOTFOUND|EAI_AGAIN/i, 'REDIS_URL', 'the host name does not resolve (yet)'],
  [
    /ECONNRESET|EPIPE|closed/i,
    'REDIS_URL',
    'Redis ended the connection; it restarts, or it speaks TLS and this server does not, or the other way round: rediss:// is for TLS',
  ],
  [
    /ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|connect/i,
    'REDIS_URL',
    'nothing answers there; is Redis up, and may this server reach it?',
  ],
  [/timed? ?out/i, 'REDIS_URL', 'Redis takes too long to answer; is it paused or overloaded?'],
];

/** What to say about a problem: the setting that is most likely wrong, and the remedy. */
export function remedyFor(problem: string): { setting: string; remedy: string } {
  const found = REMEDIES.find(([pattern]) => pattern.test(problem));
  return found === undefined
    ? { setting: 'REDIS_URL', remedy: 'see the error of Redis' }
    : { setting: found[1], remedy: found[2] };
}
