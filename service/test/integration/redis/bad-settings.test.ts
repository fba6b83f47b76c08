/**
 * Settings that can never work end the process at its start. Those that do not work now keep it alive, not ready, with a
 * line that names the setting and the remedy; and it heals by itself once the cause is mended.
 */
import dns from 'node:dns';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { parseConfig } from '../../../src/config.ts';
import { eventually } from '../../support/eventually.ts';
import { expectNoFaults } from '../../support/expect-no-faults.ts';
import { RedisError } from '../../support/redis/resp.ts';
import { startFakeRedis } from '../../support/redis/start-fake-redis.ts';
import { startRedis } from '../../support/redis/start-redis.ts';
import { startSentinel } from '../../support/redis/start-sentinel.ts';
import { heals, isIll } from './ill-node.ts';
import { startNode } from './installation.ts';

describe('settings that can never work', () => {
  it.each([
    ['no host', { REDIS_URL: 'redis://' }, 'REDIS_URL names no host'],
    ['a database without a number', { REDIS_URL: 'redis://h/main' }, 'REDIS_URL has more behind the port'],
    ['a password with a stray %', { REDIS_URL: 'redis://:100%@h' }, 'REDIS_URL has a % that encodes nothing'],
    ['a port beyond all ports', { REDIS_URL: 'redis://h:70000' }, 'REDIS_URL is no URL'],
    ['two Redis', { REDIS_URL: 'redis://a,redis://b' }, 'REDIS_URL has several URLs'],
    ['TLS here and none there', { REDIS_URL: 'redis://a,rediss://b' }, 'must not mix'],
    [
      'a database of a Cluster',
      { REDIS_URL: 'redis://h/5', SOCKETFLEET_REDIS_TOPOLOGY: 'cluster' },
      'REDIS_URL names a database',
    ],
    ['an unknown mode', { REDIS_URL: 'redis://h', SOCKETFLEET_REDIS_MODE: 'streams' }, 'SOCKETFLEET_REDIS_MODE'],
    ['a prefix with a pattern', { REDIS_URL: 'redis://h', SOCKETFLEET_REDIS_PREFIX: 'a*' }, 'SOCKETFLEET_REDIS_PREFIX'],
    ['a topology without a Redis', { SOCKETFLEET_REDIS_TOPOLOGY: 'sentinel' }, 'needs REDIS_URL'],
    ['a certificate without its key', { REDIS_URL: 'rediss://h', SOCKETFLEET_REDIS_TLS_CERT: '/c' }, 'belong together'],
  ])('%s', (_name, env, problem) => {
    expect(() => parseConfig(env as Record<string, string>)).toThrow(problem);
  });
});

describe('a Redis that cannot be used now', () => {
  it('a name that is not there yet', async () => {
    expectNoFaults();
    const redis = await startRedis();
    const node = await startNode({ url: `redis://redis.not-there-yet.invalid:${redis.port}` });
    await isIll(node, 'REDIS_URL', /ENOTFOUND|EAI_AGAIN/);
    const { lookup } = dns;
    const there = vi.spyOn(dns, 'lookup');
    onTestFinished(() => there.mockRestore());
    there.mockImplementation(((name: string, ...rest: unknown[]) =>
      (lookup as (...args: unknown[]) => void)(name.endsWith('.invalid') ? '127.0.0.1' : name, ...rest)) as never);
    await heals(node);
  });

  it('a password that is not accepted', async () => {
    expectNoFaults();
    const redis = await startRedis({ acl: ['app on >right ~* &* +@all'] });
    const env = { SOCKETFLEET_REDIS_USERNAME: 'app', SOCKETFLEET_REDIS_PASSWORD: 'wrong' };
    const node = await startNode({ url: redis.url, env });
    await isIll(node, 'SOCKETFLEET_REDIS_PASSWORD', /WRONGPASS/);
    await redis.cli('ACL', 'SETUSER', 'app', '>wrong');
    await heals(node);
  });

  it('a password that is missing', async () => {
    expectNoFaults();
    const redis = await startRedis({ password: 'secret' });
    const node = await startNode({ url: `redis://127.0.0.1:${redis.port}` });
    await isIll(node, 'SOCKETFLEET_REDIS_PASSWORD', /NOAUTH/);
    await redis.cli('CONFIG', 'SET', 'requirepass', '');
    await heals(node);
  });

  it('a password in a file that changes', { timeout: 30_000 }, async () => {
    expectNoFaults();
    const folder = await mkdtemp(join(tmpdir(), 'socketfleet-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, 'password');
    await writeFile(file, 'old\n');
    const redis = await startRedis({ password: 'new' });
    const env = { SOCKETFLEET_REDIS_PASSWORD_FILE: file };
    const node = await startNode({ url: `redis://127.0.0.1:${redis.port}`, env });
    await isIll(node, 'SOCKETFLEET_REDIS_PASSWORD', /WRONGPASS/);
    await writeFile(file, 'new\n');
    await eventually(() => node.ready(), 'ready', 20_000);
  });

  it('a Redis that is too old for sharded mode', async () => {
    expectNoFaults();
    const redis = await startFakeRedis();
    const commands = ['ssubscribe', 'spublish', 'sunsubscribe'];
    for (const name of commands) {
      redis.answer(name, new RedisError(`ERR unknown command \`${name}\`, with args beginning with: `));
    }
    const node = await startNode({ url: redis.url });
    await isIll(node, 'SOCKETFLEET_REDIS_MODE', /unknown command/);
    for (const name of commands) redis.answer(name, undefined);
    await heals(node);
  });

  it('a master that the sentinels do not know', { timeout: 40_000 }, async () => {
    expectNoFaults();
    const sentinel = await startSentinel();
    const env = { SOCKETFLEET_REDIS_TOPOLOGY: 'sentinel', SOCKETFLEET_REDIS_SENTINEL_NAME: 'other' };
    const node = await startNode({ url: sentinel.url, env });
    await isIll(node, 'SOCKETFLEET_REDIS_SENTINEL_NAME', /sentinel/i);
    const master = await sentinel.master();
    for (const one of sentinel.sentinels) await one.cli('SENTINEL', 'MONITOR', 'other', '127.0.0.1', master.port, 2);
    await heals(node);
  });

  it('a Redis that is no Cluster, and an address where no Redis is', async () => {
    expectNoFaults();
    const redis = await startRedis();
    const cluster = await startNode({ url: redis.url, env: { SOCKETFLEET_REDIS_TOPOLOGY: 'cluster' } });
    await isIll(cluster, 'SOCKETFLEET_REDIS_TOPOLOGY', /cluster support disabled/i);
    const web = await startNode({ url: `redis://${new URL(cluster.internalUrl).host}` });
    await isIll(web, 'REDIS_URL', /./);
  });
});
