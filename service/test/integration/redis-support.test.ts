/** The fixtures that other tests trust: a real Redis that can be stopped, paused, secured and made to refuse. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis, type RedisOptions } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { borrowRedis } from '../support/redis/borrow-redis.ts';
import { makeCertificates } from '../support/redis/make-certificates.ts';
import type { StartedRedis } from '../support/redis/run-redis.ts';
import { startProxy } from '../support/redis/start-proxy.ts';
import { startRedis } from '../support/redis/start-redis.ts';

/** A stock client that fails fast; it ends with its test. */
async function clientOf(url: string, options: RedisOptions = {}): Promise<Redis> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0, ...options });
  let problem: Error | undefined;
  client.on('error', (error: Error) => {
    problem = error;
  });
  onTestFinished(() => client.disconnect());
  await client.connect().catch((error: unknown) => {
    throw problem ?? error;
  });
  return client;
}

/** Different for each run of a server. */
const runOf = async (redis: StartedRedis) => /run_id:(\w+)/.exec(String(await redis.cli('INFO', 'server')))?.[1];

describe('startRedis', () => {
  it('starts servers of their own that share nothing', async () => {
    const [one, other] = await Promise.all([startRedis(), startRedis()]);
    await one.cli('SET', 'key', 'value');
    expect(await one.cli('GET', 'key')).toBe('value');
    expect(await other.cli('GET', 'key')).toBeNull();
    expect(one.port).not.toBe(other.port);
  });

  it('tells who is connected, without itself', async () => {
    const redis = await startRedis();
    expect(await redis.clients()).toEqual([]);
    const client = await clientOf(redis.url, { connectionName: 'me' });
    await client.subscribe('a', 'b');
    expect(await redis.clients()).toMatchObject([{ name: 'me', sub: '2' }]);
  });

  it('leaves commands unanswered while it is paused, and answers them when it goes on', async () => {
    const redis = await startRedis();
    const client = await clientOf(redis.url);
    await redis.pause();
    const answer = client.ping();
    await expect(clientOf(redis.url, { commandTimeout: 100, disconnectTimeout: 100 })).rejects.toThrow(
      'Command timed out',
    );
    await redis.resume();
    expect(await answer).toBe('PONG');
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'keeps its data and its port over a restart by %s when asked to',
    async (signal) => {
      const redis = await startRedis({ appendOnly: true });
      await redis.cli('SET', 'key', 'value');
      const before = await runOf(redis);
      await redis.restart(signal);
      expect(await runOf(redis)).not.toBe(before);
      expect(await redis.cli('GET', 'key')).toBe('value');
      expect(redis.url).toBe(`redis://127.0.0.1:${redis.port}`);
    },
  );

  it('refuses connections in an outage and comes back empty unless asked otherwise', async () => {
    const redis = await startRedis();
    await redis.cli('SET', 'key', 'value');
    await redis.down('SIGKILL');
    await expect(redis.cli('PING')).rejects.toThrow('ECONNREFUSED');
    await redis.up();
    expect(await redis.cli('GET', 'key')).toBeNull();
  });

  it('ends also when it is paused, and leaves no process and no file', async () => {
    const redis = await startRedis({ appendOnly: true });
    expect(existsSync(redis.folder)).toBe(true);
    await redis.pause();
    await redis.stop('SIGTERM');
    await redis.stop();
    expect(redis.isRunning()).toBe(false);
    await expect(redis.cli('PING')).rejects.toThrow('ECONNREFUSED');
    expect(existsSync(redis.folder)).toBe(false);
  });

  it('works in a folder of the caller, which stays', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'socketfleet-support-'));
    onTestFinished(() => rm(dir, { recursive: true }));
    const first = await startRedis({ dir, appendOnly: true });
    await first.cli('SET', 'key', 'value');
    await first.stop();
    const second = await startRedis({ dir, appendOnly: true });
    expect(await second.cli('GET', 'key')).toBe('value');
  });

  it('says what Redis printed when it cannot start', async () => {
    await expect(startRedis({ config: ['no-such-directive yes'] })).rejects.toThrow('no-such-directive');
  });

  it('answers READONLY to writes while it follows a master that is not there', async () => {
    const redis = await startRedis();
    await redis.readOnly(true);
    await expect(redis.cli('SET', 'key', 'value')).rejects.toThrow('READONLY');
    await redis.readOnly(false);
    expect(await redis.cli('SET', 'key', 'value')).toBe('OK');
  });

  it('answers LOADING after a slow start, and then has its data', async () => {
    const redis = await startRedis({ appendOnly: true });
    await redis.cli('SET', 'key', 'value');
    await redis.restartLoading(500);
    await expect(redis.cli('GET', 'key')).rejects.toThrow('LOADING');
    expect(await eventually(() => redis.cli('GET', 'key'), 'the data')).toBe('value');
  });

  it('cuts off a subscriber that reads too slowly', async () => {
    const redis = await startRedis({ args: ['--client-output-buffer-limit', 'pubsub 64kb 32kb 1'] });
    const proxy = await startProxy(redis.port);
    const client = await clientOf(proxy.url);
    await client.subscribe('busy');
    proxy.hang();
    await eventually(async () => {
      await redis.cli('PUBLISH', 'busy', 'x'.repeat(1_000_000));
      return (await redis.clients()).length === 0;
    }, 'the end of the slow subscriber');
    expect(redis.output()).toContain('output buffer limits');
  });
});

describe('startRedis with locks', () => {
  it('asks for the password, which stands in its URL', async () => {
    const redis = await startRedis({ password: 'p@ss' });
    const client = await clientOf(redis.url);
    expect(await client.set('key', 'value')).toBe('OK');
    const stranger = await clientOf(`redis://127.0.0.1:${redis.port}`, { enableReadyCheck: false });
    await expect(stranger.get('key')).rejects.toThrow('NOAUTH');
    await expect(clientOf(`redis://:wrong@127.0.0.1:${redis.port}`)).rejects.toThrow('WRONGPASS');
  });

  it('lets ACL users do what they may', async () => {
    const redis = await startRedis({ acl: ['default off', 'app on >secret ~app:* &app:* +@all -@dangerous +info'] });
    const app = await clientOf(redis.url, { username: 'app', password: 'secret' });
    expect(await app.set('app:key', 'value')).toBe('OK');
    await expect(app.set('key', 'value')).rejects.toThrow('NOPERM');
    await expect(app.publish('channel', 'x')).rejects.toThrow('NOPERM');
    expect(await redis.cli('GET', 'app:key')).toBe('value');
    const names = (await redis.clients()).map(({ user }) => user);
    expect(names).toEqual(['app']);
  });

  it('talks TLS under a certificate authority of its own', async () => {
    const redis = await startRedis({ tls: true });
    expect(redis.url).toBe(`rediss://127.0.0.1:${redis.port}`);
    const client = await clientOf(redis.url, { tls: { ca: redis.certificates?.ca } });
    expect(await client.ping()).toBe('PONG');
    await expect(clientOf(redis.url)).rejects.toThrow(/certificate/);
    const other = await makeCertificates(join(redis.folder, 'other'));
    await expect(clientOf(redis.url, { tls: { ca: other.ca } })).rejects.toThrow(/certificate/);
  });

  it('can demand a certificate of clients', async () => {
    const strict = await startRedis({ tls: { clientCertificates: 'yes' } });
    const { ca = '', clientCertFile = '', clientKeyFile = '' } = strict.certificates ?? {};
    const own = { cert: readFileSync(clientCertFile), key: readFileSync(clientKeyFile) };
    expect(await (await clientOf(strict.url, { tls: { ca, ...own } })).ping()).toBe('PONG');
    await expect(clientOf(strict.url, { tls: { ca } })).rejects.toThrow();
  });

  it('can show a certificate with another name', async () => {
    const redis = await startRedis({ tls: { names: ['DNS:redis.test'] } });
    const ca = redis.certificates?.ca;
    await expect(clientOf(redis.url, { tls: { ca } })).rejects.toThrow('does not match');
    expect(await (await clientOf(redis.url, { tls: { ca, servername: 'redis.test' } })).ping()).toBe('PONG');
  });
});

describe('a Redis for a whole file', () => {
  let redis: StartedRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(async () => {
    await redis.stop();
    expect([redis.isRunning(), existsSync(redis.folder)]).toEqual([false, false]);
  });

  it.each(['first', 'second'])('is still there in the %s test', async () => {
    expect(await redis.cli('PING')).toBe('PONG');
  });

  it('is lent by REDIS_URL, with a prefix under which nothing stays', async () => {
    const before = process.env.REDIS_URL;
    onTestFinished(() => {
      if (before === undefined) delete process.env.REDIS_URL;
      else process.env.REDIS_URL = before;
    });
    process.env.REDIS_URL = redis.url;
    const [mine, yours] = await Promise.all([borrowRedis(), borrowRedis()]);
    expect(mine.url).toBe(redis.url);
    expect(mine.prefix).not.toBe(yours.prefix);
    await redis.cli('MSET', `${mine.prefix}:a`, 1, `{${mine.prefix}}:b`, 1, 'foreign', 1);
    await mine.stop();
    expect(await redis.cli('KEYS', '*')).toEqual(['foreign']);
    await redis.cli('DEL', 'foreign');
  });

  it('is an own one when there is no REDIS_URL', async () => {
    const before = process.env.REDIS_URL;
    onTestFinished(() => {
      if (before !== undefined) process.env.REDIS_URL = before;
    });
    delete process.env.REDIS_URL;
    const { url } = await borrowRedis();
    expect(url).not.toBe(redis.url);
    expect(await (await clientOf(url)).ping()).toBe('PONG');
  });
});
