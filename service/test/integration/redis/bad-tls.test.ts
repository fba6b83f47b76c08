/** TLS that does not work now keeps a server alive, not ready, with a line that names setting and remedy, and heals by itself. */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectNoFaults } from '../../support/expect-no-faults.ts';
import { startRedis } from '../../support/redis/start-redis.ts';
import { heals, isIll, said } from './ill-node.ts';
import { startNode } from './installation.ts';

describe('TLS that cannot be had now', () => {
  it('no TLS where Redis wants it', async () => {
    expectNoFaults();
    const redis = await startRedis({ tls: true });
    const node = await startNode({ url: `redis://127.0.0.1:${redis.port}` });
    await isIll(node, 'REDIS_URL', /./);
    expect(said(node)[0]?.remedy).toMatch(/rediss:/);
  });

  it('TLS where Redis has none', async () => {
    expectNoFaults();
    const redis = await startRedis();
    const node = await startNode({ url: `rediss://127.0.0.1:${redis.port}` });
    await isIll(node, 'REDIS_URL', /./);
    expect(said(node)[0]?.remedy).toMatch(/rediss:/);
  });

  it('a certificate that is not trusted, until its authority is', async () => {
    expectNoFaults();
    const [redis, other] = await Promise.all([startRedis({ tls: true }), startRedis({ tls: true })]);
    const ca = join(redis.folder, 'ca-as-mounted.pem');
    await copyFile(other.certificates?.caFile ?? '', ca);
    const node = await startNode({ url: redis.url, env: { SOCKETFLEET_REDIS_TLS_CA: ca } });
    await isIll(node, 'SOCKETFLEET_REDIS_TLS_CA', /certificate|issuer|self/);
    await copyFile(redis.certificates?.caFile ?? '', ca);
    await heals(node);
  });

  it('a certificate for another name', async () => {
    expectNoFaults();
    const redis = await startRedis({ tls: { names: ['DNS:redis.example'] } });
    const env = { SOCKETFLEET_REDIS_TLS_CA: redis.certificates?.caFile ?? '' };
    const node = await startNode({ url: redis.url, env });
    await isIll(node, 'SOCKETFLEET_REDIS_TLS_CA', /altnames/);
  });

  it('a client certificate that is missing, or a file that is not there yet', async () => {
    expectNoFaults();
    const redis = await startRedis({ tls: { clientCertificates: 'yes' } });
    const { caFile = '', clientCertFile = '', clientKeyFile = '' } = redis.certificates ?? {};
    const bare = await startNode({ url: redis.url, env: { SOCKETFLEET_REDIS_TLS_CA: caFile } });
    const [cert, key] = [join(redis.folder, 'tls.crt'), join(redis.folder, 'tls.key')];
    const early = await startNode({
      url: redis.url,
      env: {
        SOCKETFLEET_REDIS_TLS_CA: caFile,
        SOCKETFLEET_REDIS_TLS_CERT: cert,
        SOCKETFLEET_REDIS_TLS_KEY: key,
      },
    });
    await isIll(early, 'SOCKETFLEET_REDIS_TLS_CA, _CERT or _KEY', /ENOENT/);
    // Both halves must be there, and belong together.
    await copyFile(clientKeyFile, cert);
    await copyFile(clientKeyFile, key);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await early.ready()).toBe(false);
    await copyFile(clientCertFile, cert);
    await heals(early);
    await isIll(bare, 'SOCKETFLEET_REDIS_TLS_CERT', /./);
  });
});
