/** Others may publish on our channels whatever they like: it is counted, does nothing, and ends nothing. */
import { randomBytes } from 'node:crypto';
import * as notepack from 'notepack.io';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect } from '../../support/connect.ts';
import { eventually } from '../../support/eventually.ts';
import { expectNoFaults } from '../../support/expect-no-faults.ts';
import type { StartedRedis } from '../../support/redis/run-redis.ts';
import { startRedis } from '../../support/redis/start-redis.ts';
import { delivered, knowEachOther, type Mode, member, newPrefix, startPair } from './installation.ts';

let redis: StartedRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

const ROOMS = { rooms: [], except: [] };
const EVENT = { type: 2, data: ['news'] };

/** In no format. */
const BYTES: Buffer[] = [
  Buffer.alloc(0),
  Buffer.from('hello'),
  Buffer.from('null'),
  Buffer.from('{'),
  Buffer.from('[]'),
  Buffer.from('"text"'),
  Buffer.from(`{"nsp":${'['.repeat(50_000)}`),
  // MessagePack that announces four gigabytes, or a hundred times a quarter of one.
  Buffer.from([0xc9, 0xff, 0xff, 0xff, 0xff, 0x00]),
  Buffer.concat(Array(100).fill(Buffer.from([0xdd, 0x01, 0xff, 0xff, 0xff]))),
  Buffer.from([0xdf, 0xff, 0xff, 0xff, 0xff]),
  Buffer.alloc(100_000, 0x91),
  ...Array.from({ length: 50 }, () => randomBytes(1 + Math.floor(Math.random() * 200))),
];

/** In the right format, with something missing or wrong, that would otherwise count as "all" or end in an exception. */
const SHAPES: Record<Mode, unknown[]> = {
  sharded: [
    {},
    { nsp: '/', type: 3 },
    { nsp: '/', uid: 'x', type: 3, data: null },
    { nsp: '/', uid: 'x', type: 3, data: { packet: EVENT } },
    { nsp: '/', uid: 'x', type: 3, data: { packet: EVENT, opts: {} } },
    { nsp: '/', uid: 'x', type: 3, data: { packet: EVENT, opts: { rooms: 'x', except: [] } } },
    { nsp: '/', uid: 'x', type: 3, data: { packet: null, opts: ROOMS } },
    { nsp: '/', uid: 'x', type: 3, data: { packet: { type: 1 }, opts: ROOMS } },
    { nsp: '/', uid: 'x', type: 3, data: { packet: { type: 4, data: 'no' }, opts: ROOMS } },
    { nsp: '/', uid: 'x', type: 3, data: { packet: { type: 5, data: ['news'] }, opts: ROOMS } },
    { nsp: '/', uid: 'x', type: 3, data: { packet: { type: 2, data: [] }, opts: ROOMS } },
    { nsp: '/', uid: 'x', type: 3, data: { packet: { type: 2, data: ['disconnect'] }, opts: ROOMS } },
    { nsp: '/', uid: 'x', type: 3, data: { packet: EVENT, opts: ROOMS, requestId: 7 } },
    { nsp: '/', uid: 'x', type: 4, data: { opts: ROOMS } },
    { nsp: '/', uid: 'x', type: 5, data: { opts: ROOMS, rooms: 7 } },
    { nsp: '/', uid: 'x', type: 6, data: {} },
    { nsp: '/', uid: 'x', type: 6, data: { opts: {} } },
    { nsp: '/', uid: 'x', type: 6, data: { opts: { rooms: null, except: null } } },
    { nsp: '/', uid: 'x', type: 7, data: { opts: ROOMS } },
    { nsp: '/', uid: 'x', type: 8, data: { requestId: 'r', sockets: [null] } },
    { nsp: '/', uid: 'x', type: 9, data: { packet: 'news' } },
    { nsp: '/', uid: 'x', type: 9, data: { packet: ['connection', {}] } },
    { nsp: '/', uid: 'x', type: 11, data: {} },
    { nsp: '/', uid: 'x', type: 99, data: {} },
    { nsp: '/', uid: 'x', type: '6', data: { opts: ROOMS } },
    ['x', EVENT, ROOMS],
  ],
  classic: [
    {},
    [],
    [1, 2, 3],
    ['x', EVENT],
    ['x', EVENT, {}],
    ['x', EVENT, { rooms: 'x' }],
    ['x', null, ROOMS],
    ['x', { type: 1, nsp: '/' }, ROOMS],
    ['x', { type: 2, data: ['disconnect'], nsp: '/' }, ROOMS],
    ['x', { type: 5, data: ['news'], nsp: '/' }, ROOMS],
    { uid: 'x', type: 2, opts: {} },
    { uid: 'x', type: 2, opts: ROOMS, rooms: null },
    { uid: 'x', type: 3, opts: ROOMS },
    { uid: 'x', type: 4, opts: {}, close: true },
    { uid: 'x', type: 4, close: true },
    { uid: 'x', type: 5, requestId: 'r' },
    { uid: 'x', type: 6, data: 'news' },
    { uid: 'x', type: 6, data: ['connection', {}] },
    { uid: 'x', type: 7, requestId: 'r', opts: ROOMS },
    { uid: 'x', type: 7, requestId: 'r', packet: { type: 1 }, opts: ROOMS },
    { requestId: 'r', type: 8, clientCount: 'many' },
    { nsp: '/', uid: 'x', type: 6, data: { opts: ROOMS } },
  ],
};

/** JSON when it begins with a brace, MessagePack otherwise: in both forms. */
const asBytes = (shapes: readonly unknown[]) =>
  shapes.flatMap((shape) => [Buffer.from(JSON.stringify(shape)), notepack.encode(shape)]);

describe.each(['sharded', 'classic'] as const)('on the channels of %s mode', (mode) => {
  it('what is not ours is counted, does nothing and ends nothing', { timeout: 30_000 }, async () => {
    expectNoFaults();
    const prefix = newPrefix();
    const [a, b] = await startPair({ url: redis.url, mode, prefix });
    const members = await Promise.all([member(a, 'x'), member(b, 'x')]);
    const heard = members.map((one) => {
      const events: unknown[] = [];
      one.onAny((event) => void events.push(event));
      return events;
    });
    const gone = members.map((one) => collect(one, 'disconnect'));
    const pubsub = mode === 'sharded' ? ['SHARDCHANNELS', 'SPUBLISH'] : ['CHANNELS', 'PUBLISH'];
    const [list = '', publish = ''] = pubsub;
    const open = ((await redis.cli('PUBSUB', list, `${prefix}*`)) as string[]).filter(
      (name) => !name.startsWith(`${prefix}:`),
    );
    // Patterns have no channels of their own.
    const channels = mode === 'sharded' ? open : [...open, `${prefix}#/#`, `${prefix}#/#r:x#`];
    expect(channels.length).toBeGreaterThanOrEqual(4);
    const all = [...BYTES, ...asBytes(SHAPES[mode])];
    for (const channel of channels) for (const bytes of all) await redis.cli(publish, channel, bytes);
    // What is sent last is heard last.
    await delivered(a, members[1] as never, 'x');
    await delivered(b, members[0] as never, 'x');
    expect(heard.flat().filter((event) => event !== 'message')).toEqual([]);
    expect(gone.flat()).toEqual([]);
    const counted = await b.metric('socketfleet_redis_foreign_total');
    expect(counted).toBeGreaterThan(all.length * 2);
    expect([...a.lines, ...b.lines].filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  });

  it('what is not ours on the bus and in the canary does nothing and ends nothing', { timeout: 30_000 }, async () => {
    expectNoFaults();
    const prefix = newPrefix();
    const both = await startPair({ url: redis.url, mode, prefix });
    const [a, b] = both;
    await knowEachOther(both);
    const there = await member(b, 'x');
    const [list, publish] = mode === 'sharded' ? ['SHARDCHANNELS', 'SPUBLISH'] : ['CHANNELS', 'PUBLISH'];
    const channels = (await redis.cli('PUBSUB', list, `${prefix}:*`)) as string[];
    expect(channels.filter((name) => name.includes(':canary:')).length).toBe(2);
    expect(channels.filter((name) => name.includes(':bus:')).length).toBeGreaterThanOrEqual(3);
    const ids = ['0', '1', '-1', '1e9', 'NaN', '999999999999999999999'].map((text) => Buffer.from(text));
    for (const channel of channels) {
      for (const bytes of [...BYTES, ...ids, ...asBytes(SHAPES.sharded)]) await redis.cli(publish, channel, bytes);
    }
    await delivered(a, there, 'x');
    await eventually(async () => (await a.metric('socketfleet_redis_up')) === 1 && (await b.ready()), 'both well');
    expect((await a.api('GET', '/api/v1/rooms/x')).body).toMatchObject({ sockets: 1, partial: false });
    expect([...a.lines, ...b.lines].filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
    expect(await b.metric('socketfleet_redis_rebuilds_total')).toBe(0);
  });
});
