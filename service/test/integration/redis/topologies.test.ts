/** Every way in which a team runs Redis: TLS, rights, Sentinel and Cluster, with what goes wrong there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collect } from '../../support/connect.ts';
import { eventually } from '../../support/eventually.ts';
import { expectNoFaults } from '../../support/expect-no-faults.ts';
import { startRedis } from '../../support/redis/start-redis.ts';
import { startRedisCluster } from '../../support/redis/start-redis-cluster.ts';
import { startSentinel } from '../../support/redis/start-sentinel.ts';
import {
  delivered,
  knowEachOther,
  MODES,
  type Mode,
  member,
  newPrefix,
  publish,
  seesRedis,
  startPair,
} from './installation.ts';

const DOCS = readFileSync(join(import.meta.dirname, '../../../docs/redis.md'), 'utf8');

/** The user of the documentation, as in redis.conf. */
function documentedUser(mode: Mode, prefix: string): string {
  const lines = DOCS.match(/^user socketfleet .*$/gm) ?? [];
  const line = lines[MODES.indexOf(mode)] ?? '';
  return line
    .replace(/^user /, '')
    .replaceAll('PREFIX', prefix)
    .replace('PASSWORD', 'secret');
}

describe('TLS', () => {
  it.each(MODES)('with an authority of its own and a client certificate (%s)', async (mode) => {
    expectNoFaults();
    const redis = await startRedis({ tls: { clientCertificates: 'yes' }, password: 'secret' });
    const { certificates } = redis;
    const [a, b] = await startPair({
      url: redis.url,
      mode,
      env: {
        SOCKETFLEET_REDIS_TLS_CA: certificates?.caFile ?? '',
        SOCKETFLEET_REDIS_TLS_CERT: certificates?.clientCertFile ?? '',
        SOCKETFLEET_REDIS_TLS_KEY: certificates?.clientKeyFile ?? '',
      },
    });
    await delivered(a, await member(b, 'x'), 'x');
    await redis.restart();
    expect(await delivered(a, await member(b, 'x'), 'x')).toBeLessThan(5_000);
  });
});

describe('a user with the rights of the documentation, and no others', () => {
  it.each(MODES)('is enough (%s)', async (mode) => {
    expectNoFaults();
    const prefix = newPrefix();
    const lines = DOCS.match(/^user socketfleet .*$/gm) ?? [];
    const line = lines[MODES.indexOf(mode)] ?? '';
    const rule = line
      .replace(/^user /, '')
      .replaceAll('PREFIX', prefix)
      .replace('PASSWORD', 'secret');
    const redis = await startRedis({ acl: ['default off', rule] });
    const env = { SOCKETFLEET_REDIS_USERNAME: 'socketfleet', SOCKETFLEET_REDIS_PASSWORD: 'secret' };
    const both = await startPair({ url: redis.url, prefix, mode, env });
    const [a, b] = both;
    await knowEachOther(both);
    const there = await member(b, 'x');
    await delivered(a, there, 'x');
    await publish(a, 'x', 'once', { id: 'key' });
    expect((await a.api('GET', '/api/v1/rooms/x')).body).toMatchObject({ sockets: 1, count: 1, partial: false });
    expect((await a.io.fetchSockets()).length).toBe(1);
    there.disconnect();
    await eventually(async () => (await a.api('GET', '/api/v1/rooms/x')).body.sockets === 0, 'nobody');
    await Promise.all(both.map((node) => node.server.stop()));
    const refused = ((await redis.cli('ACL', 'LOG')) as unknown[][]).map((entry) => entry.map(String).join(' '));
    expect(refused).toEqual([]);
    expect(both.flatMap(({ lines: own }) => own).filter(({ event }) => /refuses|cannot be used/.test(event))).toEqual(
      [],
    );
    // Nothing is outside of what begins with the prefix.
    const keys = (await redis.cli('KEYS', '*')) as string[];
    expect(keys.filter((key) => !key.startsWith(prefix) && !key.startsWith(`{${prefix}`))).toEqual([]);
  });
});

describe('Sentinel', () => {
  const sentinelEnv = { SOCKETFLEET_REDIS_TOPOLOGY: 'sentinel' };

  it('follows a failover after the master was killed', { timeout: 60_000 }, async () => {
    expectNoFaults();
    const sentinel = await startSentinel({ password: 'secret', sentinelPassword: 'other' });
    const url = sentinel.sentinels.map(({ port }) => `redis://127.0.0.1:${port}`).join(',');
    const env = {
      ...sentinelEnv,
      SOCKETFLEET_REDIS_PASSWORD: 'secret',
      SOCKETFLEET_REDIS_SENTINEL_PASSWORD: 'other',
    };
    const [a, b] = await startPair({ url, env });
    const there = await member(b, 'x');
    await delivered(a, there, 'x');
    const master = await sentinel.failover('kill');
    const ms = await delivered(a, there, 'x');
    console.info(`back after ${Math.round(ms)} ms`);
    expect(ms).toBeLessThan(3_000);
    // One sentinel less is no reason for anything.
    await sentinel.sentinels[0]?.down('SIGKILL');
    await master.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await Promise.all([a, b].map((node) => seesRedis(node)));
    expect(await delivered(a, there, 'x')).toBeLessThan(3_000);
  });

  it('follows a failover after the master hung, and leaves it when it wakes up', { timeout: 60_000 }, async () => {
    expectNoFaults();
    const sentinel = await startSentinel();
    const [a, b] = await startPair({ url: sentinel.url, env: sentinelEnv });
    const there = await member(b, 'x');
    await delivered(a, there, 'x');
    const old = await sentinel.master();
    await sentinel.failover('pause');
    const ms = await delivered(a, there, 'x');
    console.info(`back after ${Math.round(ms)} ms`);
    expect(ms).toBeLessThan(10_000);
    // The subscriptions followed at once, and did not have to be found deaf.
    for (const node of [a, b]) expect(await node.metric('socketfleet_redis_rebuilds_total')).toBe(0);
    await old.resume();
    await sentinel.inSync();
    expect(await delivered(a, there, 'x')).toBeLessThan(3_000);
    expect(await delivered(b, await member(a, 'y'), 'y')).toBeLessThan(3_000);
  });
});

describe('Cluster', () => {
  it('delivers in rooms on every node, and goes on when one of them restarts', { timeout: 60_000 }, async () => {
    expectNoFaults();
    const prefix = newPrefix();
    const [rights = ''] = DOCS.match(/(?:\+cluster\|\w+ ?)+/) ?? [];
    const cluster = await startRedisCluster({
      password: 'administrator',
      config: [`user ${documentedUser('sharded', prefix)} ${rights}`],
    });
    const url = cluster.nodes.map(({ port }) => `redis://127.0.0.1:${port}`).join(',');
    const env = {
      SOCKETFLEET_REDIS_TOPOLOGY: 'cluster',
      SOCKETFLEET_REDIS_USERNAME: 'socketfleet',
      SOCKETFLEET_REDIS_PASSWORD: 'secret',
    };
    const both = await startPair({ url, prefix, env });
    const [a, b] = both;
    await knowEachOther(both);
    const rooms = Array.from({ length: 30 }, (_, i) => `room-${i}`);
    const owners = await Promise.all(rooms.map((room) => cluster.nodeOf(`${prefix}#/#r:${room}#`)));
    expect(new Set(owners).size).toBe(3);
    const there = await member(b, ...rooms);
    const heard = collect(there, 'message');
    await Promise.all(rooms.map((room) => a.services.publish({ rooms: [room], data: room })));
    await eventually(() => heard.length === rooms.length, 'all rooms');
    a.io.emit('message', 'all');
    await eventually(() => heard.at(-1)?.[0] === 'all', 'the broadcast to all');
    expect((await a.io.fetchSockets()).length).toBe(1);
    expect((await a.api('GET', '/api/v1/rooms')).body).toMatchObject({ partial: false });
    expect((await a.api('GET', '/api/v1/rooms/room-1')).body).toMatchObject({ sockets: 1, count: 1, partial: false });
    const [first] = cluster.nodes;
    await first?.restart('SIGKILL');
    await cluster.isWell();
    const start = performance.now();
    for (const room of rooms) await delivered(a, there, room);
    console.info(`all nodes back after ${Math.round(performance.now() - start)} ms`);
    expect(performance.now() - start).toBeLessThan(10_000);
    await Promise.all(both.map((node) => seesRedis(node)));
  });

  it('follows a slot to another node', { timeout: 60_000 }, async () => {
    expectNoFaults();
    const cluster = await startRedisCluster();
    const prefix = newPrefix();
    const [a, b] = await startPair({ url: cluster.url, prefix, env: { SOCKETFLEET_REDIS_TOPOLOGY: 'cluster' } });
    const there = await member(b, 'x');
    await delivered(a, there, 'x');
    const channel = `${prefix}#/#r:x#`;
    const owner = await cluster.nodeOf(channel);
    const next = cluster.nodes.find((node) => node !== owner);
    if (next === undefined) throw new Error('no other node');
    await cluster.moveSlot(channel, next);
    const ms = await delivered(a, there, 'x', 15_000);
    console.info(`back after ${Math.round(ms)} ms`);
    expect(ms).toBeLessThan(2_000);
  });

  it('carries classic mode as well', { timeout: 60_000 }, async () => {
    expectNoFaults();
    const cluster = await startRedisCluster();
    const env = { SOCKETFLEET_REDIS_TOPOLOGY: 'cluster' };
    const [a, b] = await startPair({ url: cluster.url, mode: 'classic', env });
    await delivered(a, await member(b, 'x'), 'x');
    expect((await a.io.fetchSockets()).length).toBe(1);
  });
});
