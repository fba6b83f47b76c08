import { describe, expect, it } from 'vitest';
import { remedyFor } from '../../../src/fanout/remedies.ts';

describe('the remedy', () => {
  it.each([
    ['WRONGPASS invalid username-password pair or user is disabled.', 'SOCKETFLEET_REDIS_PASSWORD'],
    ['NOAUTH Authentication required.', 'SOCKETFLEET_REDIS_PASSWORD'],
    [
      'failed to connect to sentinel 10.0.0.1:26379 because NOAUTH Authentication required.',
      'SOCKETFLEET_REDIS_SENTINEL_PASSWORD',
    ],
    ['NOPERM this user has no permissions to access one of the channels', 'SOCKETFLEET_REDIS_USERNAME'],
    ['ERR unknown command `ssubscribe`, with args beginning with: `x`', 'SOCKETFLEET_REDIS_MODE'],
    ["ERR unknown command 'spublish', with args beginning with: ", 'SOCKETFLEET_REDIS_MODE'],
    ["ENOENT: no such file or directory, open '/tls/tls.crt'", 'SOCKETFLEET_REDIS_TLS_CA, _CERT or _KEY'],
    ['error:0480006C:PEM routines::no start line', 'SOCKETFLEET_REDIS_TLS_CA, _CERT or _KEY'],
    ['error:05800074:x509 certificate routines::key values mismatch', 'SOCKETFLEET_REDIS_TLS_CA, _CERT or _KEY'],
    ['ssl3_read_bytes:tlsv13 alert certificate required', 'SOCKETFLEET_REDIS_TLS_CERT'],
    ['self-signed certificate in certificate chain', 'SOCKETFLEET_REDIS_TLS_CA'],
    ["Hostname/IP does not match certificate's altnames: IP: 127.0.0.1", 'SOCKETFLEET_REDIS_TLS_CA'],
    ['SSL routines:ssl3_get_record:wrong version number', 'REDIS_URL'],
    ['Protocol error, got "H" as reply type byte. Please report this.', 'REDIS_URL'],
    [
      'connected to sentinel 127.0.0.1:26379 successfully, but got an invalid reply: null',
      'SOCKETFLEET_REDIS_SENTINEL_NAME',
    ],
    ['ERR This instance has cluster support disabled', 'SOCKETFLEET_REDIS_TOPOLOGY'],
    ['CLUSTERDOWN The cluster is down', 'SOCKETFLEET_REDIS_TOPOLOGY'],
    ["READONLY You can't write against a read only replica.", 'REDIS_URL'],
    ['LOADING Redis is loading the dataset in memory', 'REDIS_URL'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'REDIS_URL'],
    ['getaddrinfo ENOTFOUND redis', 'REDIS_URL'],
    ['connect ECONNREFUSED 127.0.0.1:6379', 'REDIS_URL'],
    ['read ECONNRESET', 'REDIS_URL'],
    ['the connection to Redis was closed', 'REDIS_URL'],
    ['Command timed out', 'REDIS_URL'],
    ['something that nobody has seen before', 'REDIS_URL'],
  ])('for %s is in %s', (problem, setting) => {
    expect(remedyFor(problem)).toMatchObject({ setting, remedy: expect.stringMatching(/\w{3}/) });
  });

  it('says different things about different problems', () => {
    const problems = ['connect ECONNREFUSED', 'read ECONNRESET', 'ENOTFOUND', 'LOADING', 'OOM', 'Command timed out'];
    expect(new Set(problems.map((problem) => remedyFor(problem).remedy)).size).toBe(problems.length);
  });
});
