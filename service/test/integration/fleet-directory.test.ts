import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Directory, SocketView } from '../../src/contracts.ts';
import { createFleetDirectory, type FleetDirectory } from '../../src/fleet/directory.ts';
import { eventually } from '../support/eventually.ts';
import type { StartedRedis } from '../support/redis/run-redis.ts';
import { startRedis } from '../support/redis/start-redis.ts';
import { newPrefix, type StartedFleet, startFleet } from '../support/start-fleet.ts';

const DEADLINE_MS = 300;
const PODS = ['a', 'b', 'c', 'd'];
let redis: StartedRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

/** The sockets of one server, in rooms and of users. */
interface Sockets {
  readonly rooms: Map<string, number>;
  readonly sockets: Map<string, SocketView>;
  readonly disconnected: string[];
}

interface Server extends StartedFleet, Sockets {
  readonly directory: FleetDirectory;
  readonly tag: string;
  /** Puts a socket there; its id names this server unless given. */
  connect(name: string, more?: { sub?: string; id?: string }): Promise<string>;
}

function localDirectory({ rooms, sockets, disconnected }: Sockets): Directory {
  const whole = <T>(value: T) => ({ value, partial: false });
  const cut = (found: readonly SocketView[]) => {
    for (const { id } of found) {
      sockets.delete(id);
      disconnected.push(id);
    }
    return whole(found.length);
  };
  return {
    rooms: async () => whole([...rooms].map(([room, count]) => ({ room, sockets: count }))),
    room: async (room) => whole({ room, sockets: rooms.get(room) ?? 0 }),
    socket: async (id) => whole(sockets.get(id)),
    disconnectSocket: async (id) => cut([...sockets.values()].filter((socket) => socket.id === id)),
    disconnectUser: async (sub) => cut([...sockets.values()].filter((socket) => socket.sub === sub)),
  };
}

async function startServer(pod: string, options: { url: string; prefix: string; ttlMs: number }): Promise<Server> {
  const fleet = await startFleet({ ...options, pod });
  const own: Sockets = { rooms: new Map(), sockets: new Map(), disconnected: [] };
  const directory = createFleetDirectory(
    { deadlineMs: DEADLINE_MS },
    {
      ...fleet,
      local: localDirectory(own),
      metrics: { partialAnswer: () => undefined },
      tagOf: (id) => id.slice(0, 2),
    },
  );
  await directory.start();
  onTestFinished(() => directory.stop());
  const { tag } = fleet.leases.own();
  return {
    ...fleet,
    ...own,
    directory,
    tag,
    async connect(name, { sub, id = tag + name } = {}) {
      own.sockets.set(id, {
        id,
        nsp: '/',
        ...(sub === undefined ? {} : { sub }),
        rooms: ['lobby'],
        transport: 'websocket',
        connectedAt: 1,
        pod,
      });
      if (sub !== undefined) await directory.userCame(sub);
      await directory.socketCame(id);
      return id;
    },
  };
}

/** Four servers that know each other. */
async function servers(of = redis, ttlMs = 15_000): Promise<[Server, Server, Server, Server]> {
  const options = { url: of.url, prefix: newPrefix(), ttlMs };
  const all = await Promise.all(PODS.map((pod) => startServer(pod, options)));
  const channels = all.map(({ tag }) => `${options.prefix}:bus:srv:${tag}`);
  await eventually(async () => {
    const counts = (await of.cli('PUBSUB', 'SHARDNUMSUB', ...channels)) as unknown[];
    return counts.filter((count) => count === 1).length === PODS.length;
  }, 'all to listen');
  for (const { leases } of all) await leases.renew();
  for (const { sent } of all) sent.length = 0;
  return all as [Server, Server, Server, Server];
}

/** To whom a server has sent something. */
const askedBy = ({ sent }: Server) => sent.map(([topic]) => topic).filter((topic) => topic.startsWith('srv:'));

describe('the directory of several servers', () => {
  it('adds up rooms and sockets', async () => {
    const [a, b, c] = await servers();
    a.rooms.set('lobby', 1).set('only-a', 2);
    b.rooms.set('lobby', 10);
    c.rooms.set('lobby', 100).set('only-c', 5);
    expect(await a.directory.room('lobby')).toEqual({ value: { room: 'lobby', sockets: 111 }, partial: false });
    const { value, partial } = await b.directory.rooms();
    expect(partial).toBe(false);
    expect(Object.fromEntries(value.map(({ room, sockets }) => [room, sockets]))).toEqual({
      lobby: 111,
      'only-a': 2,
      'only-c': 5,
    });
  });

  it('finds a socket by its id, on the server that the id names, and asks no other', async () => {
    const [a, b, c, d] = await servers();
    const id = await c.connect('xyz', { sub: 'ann' });
    const found = await a.directory.socket(id);
    expect(found).toEqual({ value: expect.objectContaining({ id, pod: 'c', sub: 'ann' }), partial: false });
    expect(askedBy(a)).toEqual([`srv:${c.tag}`]);
    expect([b, d].flatMap(askedBy)).toEqual([]);
    const own = await a.connect('own');
    expect((await a.directory.socket(own)).value).toMatchObject({ pod: 'a' });
    expect(askedBy(a)).toHaveLength(1);
  });

  it('disconnects a socket without a message to any other server', async () => {
    const [a, b, c, d] = await servers();
    const id = await d.connect('xyz');
    expect(await a.directory.disconnectSocket(id)).toEqual({ value: 1, partial: false });
    expect(d.disconnected).toEqual([id]);
    expect(askedBy(a)).toEqual([`srv:${d.tag}`]);
    expect(askedBy(d)).toEqual([`srv:${a.tag}`]);
    expect([b, c].flatMap(askedBy)).toEqual([]);
  });

  it('finds a socket that moved to another server, and asks only its old and its new one', async () => {
    const [a, b, c, d] = await servers();
    const id = await c.connect('moved', { id: `${b.tag}moved` });
    expect(await a.directory.disconnectSocket(id)).toEqual({ value: 1, partial: false });
    expect(c.disconnected).toEqual([id]);
    expect(askedBy(a)).toEqual([`srv:${b.tag}`, `srv:${c.tag}`]);
    expect(askedBy(d)).toEqual([]);
    await c.directory.socketLeft(id);
    expect(await redis.cli('EXISTS', `{${a.redis.prefix}:reg:socket:${id}}`)).toBe(0);
  });

  it('asks everybody once for a socket of a server that it does not know', async () => {
    const [a, b, c, d] = await servers();
    d.sockets.set('??stray', {
      id: '??stray',
      nsp: '/',
      rooms: [],
      transport: 'polling',
      connectedAt: 1,
      pod: 'd',
    });
    expect((await a.directory.socket('??stray')).value).toMatchObject({ pod: 'd' });
    expect(await a.directory.disconnectSocket('??nobody')).toEqual({ value: 0, partial: false });
    expect(askedBy(a).sort()).toEqual([b, c, d, b, c, d].map(({ tag }) => `srv:${tag}`).sort());
  });

  it('disconnects a user where it is, and nowhere else', async () => {
    const [a, b, c, d] = await servers();
    const ids = [
      await b.connect('1', { sub: 'ann' }),
      await b.connect('2', { sub: 'ann' }),
      await c.connect('3', { sub: 'ann' }),
    ];
    const other = await d.connect('4', { sub: 'bob' });
    expect(await a.directory.disconnectUser('ann')).toEqual({ value: 3, partial: false });
    expect([...b.disconnected, ...c.disconnected].sort()).toEqual(ids.sort());
    expect(askedBy(a).sort()).toEqual([`srv:${b.tag}`, `srv:${c.tag}`].sort());
    expect(d.sockets.has(other)).toBe(true);
    await b.directory.userLeft('ann');
    await c.directory.userLeft('ann');
    a.sent.length = 0;
    expect(await a.directory.disconnectUser('ann')).toEqual({ value: 0, partial: false });
    expect(await a.directory.disconnectUser('nobody')).toEqual({ value: 0, partial: false });
    expect(askedBy(a)).toEqual([]);
  });

  it('says that an answer is partial when a server is silent, at the deadline', async () => {
    const [a, b, c] = await servers();
    for (const { rooms } of [a, b, c]) rooms.set('lobby', 1);
    const gone = await c.connect('gone', { sub: 'ann' });
    await b.connect('here', { sub: 'ann' });
    await c.directory.stop();
    const askedAt = Date.now();
    expect(await a.directory.room('lobby')).toEqual({ value: { room: 'lobby', sockets: 2 }, partial: true });
    expect((await a.directory.rooms()).partial).toBe(true);
    expect(Date.now() - askedAt).toBeLessThan(DEADLINE_MS * 2 + 200);
    expect(await a.directory.socket(gone)).toEqual({ value: undefined, partial: true });
    expect(await a.directory.disconnectUser('ann')).toEqual({ value: 1, partial: true });
  });

  it('forgets a server that is dead: answers are whole again', async () => {
    const [a, b, c, d] = await servers(redis, 600);
    for (const { rooms } of [a, b, c, d]) rooms.set('lobby', 1);
    await c.connect('gone', { sub: 'ann' });
    await c.kill();
    await eventually(async () => !(await a.directory.room('lobby')).partial, 'a whole answer');
    expect((await a.directory.room('lobby')).value.sockets).toBe(3);
    expect(await a.directory.disconnectUser('ann')).toEqual({ value: 0, partial: false });
  });

  it('answers for this server without Redis, and says so', async () => {
    const own = await startRedis();
    const [a, b] = await servers(own, 3_000);
    a.rooms.set('lobby', 1);
    b.rooms.set('lobby', 1);
    const here = await a.connect('here', { sub: 'ann' });
    await a.connect('here too', { sub: 'ann' });
    await b.connect('there', { sub: 'ann' });
    await own.down();
    expect(await a.directory.room('lobby')).toEqual({ value: { room: 'lobby', sockets: 1 }, partial: true });
    expect(await a.directory.rooms()).toEqual({ value: [{ room: 'lobby', sockets: 1 }], partial: true });
    expect(await a.directory.socket(here)).toMatchObject({ value: { pod: 'a' }, partial: false });
    expect(await a.directory.disconnectSocket(here)).toEqual({ value: 1, partial: false });
    expect(await a.directory.disconnectUser('ann')).toEqual({ value: 1, partial: true });
    expect(await a.directory.disconnectSocket(`${b.tag}there`)).toEqual({ value: 0, partial: true });
    await own.up();
    await eventually(async () => !(await a.directory.room('lobby')).partial, 'a whole answer', 10_000);
    expect(await a.directory.disconnectUser('ann')).toEqual({ value: 1, partial: false });
  });

  it('answers of a server with very many rooms are cut, and say so', async () => {
    const [a, b] = await servers();
    for (let i = 0; i < 10_001; i++) b.rooms.set(`room-${i}`, 1);
    const { value, partial } = await a.directory.rooms();
    expect([value.length, partial]).toEqual([10_000, true]);
    b.rooms.delete('room-0');
    expect((await a.directory.rooms()).partial).toBe(false);
  });

  it('does not mind what else arrives on its topic', async () => {
    const [a, b] = await servers();
    b.rooms.set('lobby', 1);
    const channel = `${a.redis.prefix}:bus:srv:${b.tag}`;
    const wrong = [
      '',
      'null',
      '{',
      '[]',
      '{"id":"x"}',
      JSON.stringify({ id: 'x', from: a.tag, ask: 'constructor', about: '' }),
      JSON.stringify({ id: 'x', from: a.tag, ask: 'room' }),
      JSON.stringify({ id: 'x', from: '../', ask: 'room', about: '' }),
      JSON.stringify({ id: 'x', from: a.tag, ask: 'room', about: 'r'.repeat(20_000) }),
      JSON.stringify({ id: 'unknown', from: a.tag, value: 1, isWhole: true }),
      `{"__proto__":1,"id":"x","from":"${a.tag}","value":{"deep":${'['.repeat(5_000)}${']'.repeat(5_000)}},"isWhole":true}`,
    ];
    for (const payload of wrong) await redis.cli('SPUBLISH', channel, payload);
    expect(await a.directory.room('lobby')).toEqual({ value: { room: 'lobby', sockets: 1 }, partial: false });
    expect(b.lines.filter(({ level }) => level === 'error')).toEqual([]);
    expect(b.disconnected).toEqual([]);
  });
});
