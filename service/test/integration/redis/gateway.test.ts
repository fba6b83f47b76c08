/** The gateway and the HTTP API, asked on one server about clients of another, in both modes. */
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, collect, connect, next } from '../../support/connect.ts';
import { eventually } from '../../support/eventually.ts';
import { expectNoFaults } from '../../support/expect-no-faults.ts';
import type { StartedRedis } from '../../support/redis/run-redis.ts';
import { startProxy } from '../../support/redis/start-proxy.ts';
import { startRedis } from '../../support/redis/start-redis.ts';
import { knowEachOther, MODES, member, type Node, newPrefix, publish, startNode, startPair } from './installation.ts';

const SECRET = 'a secret of at least thirty-two bytes';
const tokenOf = (sub: string) =>
  new SignJWT({ rooms: ['*'] })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(sub)
    .setExpirationTime('1h')
    .sign(Buffer.from(SECRET));

let redis: StartedRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

describe.each(MODES)('two servers in %s mode', (mode) => {
  async function pair(env: Record<string, string> = {}): Promise<[Node, Node]> {
    expectNoFaults();
    const both = await startPair({ url: redis.url, mode, env });
    await knowEachOther(both);
    return both;
  }

  it('carry what clients and backends publish, once to each member of several rooms', async () => {
    const [a, b] = await pair();
    const [here, there, publisher] = await Promise.all([member(a, 'x'), member(b, 'x', 'y'), member(b)]);
    const [heardHere, heardThere] = [collect(here, 'message'), collect(there, 'message')];
    const answer = await a.api('POST', '/api/v1/publish', { rooms: ['x', 'y'], data: 1, except: [here.id] });
    expect(answer.status).toBe(200);
    expect((await ask(publisher, 'publish', 'x', 2)).ok).toBe(true);
    await eventually(() => heardThere.length === 2 && heardHere.length === 1, 'both messages');
    expect(heardThere).toMatchObject([
      [1, { room: 'x', id: answer.body.id }],
      [2, { room: 'x' }],
    ]);
    expect(heardHere).toMatchObject([[2, { room: 'x' }]]);
  });

  it('take an idempotency key once, one after the other and at the same time', async () => {
    const [a, b] = await pair();
    const heard = collect(await member(b, 'x'), 'message');
    const first = await a.api('POST', '/api/v1/publish', { room: 'x', data: 1, id: 'order-1' });
    const again = await b.api('POST', '/api/v1/publish', { room: 'x', data: 1, id: 'order-1' });
    expect([first.body.duplicate, again.body.duplicate, again.body.id]).toEqual([false, true, first.body.id]);
    const race = await Promise.all(
      [a, b, a, b].map((node) => node.api('POST', '/api/v1/publish', { room: 'x', data: 2, id: 'order-2' })),
    );
    expect(race.filter(({ body }) => body.duplicate === false).length).toBe(1);
    expect(new Set(race.map(({ body }) => body.id)).size).toBe(1);
    await publish(a, 'x', 'end');
    await eventually(() => heard.at(-1)?.[0] === 'end', 'the end');
    expect(heard.map(([data]) => data)).toEqual([1, 2, 'end']);
  });

  it('answer for the whole installation: rooms, members and sockets', async () => {
    const [a, b] = await pair();
    const [one, two] = [await member(a, 'x', 'only-a'), await member(b, 'x', 'only-b')];
    const rooms = await a.api('GET', '/api/v1/rooms');
    expect(rooms.body).toMatchObject({
      partial: false,
      rooms: [
        { room: 'only-a', sockets: 1 },
        { room: 'only-b', sockets: 1 },
        { room: 'x', sockets: 2 },
      ],
    });
    expect((await b.api('GET', '/api/v1/rooms/x')).body).toMatchObject({ sockets: 2, count: 2, partial: false });
    const found = await a.api('GET', `/api/v1/sockets/${two.id}`);
    expect(found.body).toMatchObject({ socket: { id: two.id, rooms: ['x', 'only-b'], nsp: '/' }, partial: false });
    expect((await b.api('GET', `/api/v1/sockets/${one.id}`)).status).toBe(200);
    expect((await a.api('GET', `/api/v1/sockets/${two.id?.slice(0, 2)}${'x'.repeat(18)}`)).status).toBe(404);
  });

  it('disconnect a socket and a user of the other server', async () => {
    const [a, b] = await pair({ SOCKETFLEET_AUTH: 'jwt', SOCKETFLEET_JWT_SECRET: SECRET });
    const enter = async (node: Node, sub: string) =>
      connect(node.url, { auth: { token: await tokenOf(sub) }, transports: ['websocket'] });
    const [ada1, ada2, bob1, bob2] = [
      await enter(a, 'ada'),
      await enter(b, 'ada'),
      await enter(a, 'bob'),
      await enter(b, 'bob'),
    ];
    const gone = [ada1, ada2, bob2].map((socket) => next(socket, 'disconnect'));
    expect((await a.api('POST', `/api/v1/sockets/${bob2.id}/disconnect`)).body).toMatchObject({
      disconnected: 1,
      partial: false,
    });
    expect((await b.api('POST', '/api/v1/users/ada/disconnect')).body).toMatchObject({
      disconnected: 2,
      partial: false,
    });
    expect((await Promise.all(gone)).map(([reason]) => reason)).toEqual(Array(3).fill('io server disconnect'));
    expect(bob1.connected).toBe(true);
    expect((await a.api('POST', '/api/v1/users/nobody/disconnect')).body).toMatchObject({ disconnected: 0 });
  });

  it('know who is present on the other, and tell those who asked for changes', async () => {
    const [a, b] = await pair();
    const watcher = await member(a);
    const changes = collect(watcher, 'presence');
    await ask(watcher, 'join', 'x', { presence: { name: 'watcher' } });
    const other = await member(b);
    await ask(other, 'join', 'x', { presence: { name: 'other' } });
    await eventually(
      () =>
        changes
          .flatMap(([change]) => (change as { joined: { id: string }[] }).joined)
          .some(({ id }) => id === other.id),
      'the news of the other',
    );
    const seen = await ask(watcher, 'presence', 'x');
    expect(seen).toMatchObject({ ok: true, count: 2 });
    expect(seen.members).toEqual(
      expect.arrayContaining([
        { id: watcher.id, meta: { name: 'watcher' } },
        { id: other.id, meta: { name: 'other' } },
      ]),
    );
    await ask(other, 'leave', 'x');
    await eventually(
      () => changes.flatMap(([change]) => (change as { left: string[] }).left).includes(other.id ?? ''),
      'the news that it left',
    );
  });
});

describe('a server that does not answer', () => {
  it('makes answers partial instead of late, and what it may hold unavailable instead of unknown', async () => {
    expectNoFaults();
    const prefix = newPrefix();
    const proxy = await startProxy(redis.port);
    const a = await startNode({ url: redis.url, prefix });
    const b = await startNode({ url: proxy.url, prefix });
    await knowEachOther([a, b]);
    const there = await member(b, 'x');
    await member(a, 'x');
    proxy.hang();
    const start = performance.now();
    const room = await a.api('GET', '/api/v1/rooms/x');
    expect(room).toMatchObject({ status: 200, body: { sockets: 1, count: 2, partial: true } });
    expect((await a.api('GET', '/api/v1/rooms')).body).toMatchObject({ partial: true });
    expect((await a.api('GET', `/api/v1/sockets/${there.id}`)).status).toBe(503);
    expect((await a.api('POST', `/api/v1/sockets/${there.id}/disconnect`)).body).toMatchObject({
      disconnected: 0,
      partial: true,
    });
    // Each of the four waits for its deadline of a second, and looks up the table at most once.
    expect(performance.now() - start).toBeLessThan(8_000);
    expect(await a.metric('socketfleet_partial_answers_total')).toBe(4);
    await proxy.heal();
    // What it was told arrives late, which is what partial means.
    await next(there, 'disconnect');
    await eventually(async () => {
      const { body } = await a.api('GET', '/api/v1/rooms/x');
      return body.sockets === 1 && body.partial === false;
    }, 'the whole room again');
  });
});
