import { type Server, Server as StockServer } from 'socket.io';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { Clock } from '../../../src/contracts.ts';
import { client, connect, next } from '../../support/connect.ts';
import { eventually } from '../../support/eventually.ts';
import { expectNoFaults } from '../../support/expect-no-faults.ts';
import { openEngine } from '../../support/raw.ts';
import { startServer } from '../../support/start-server.ts';
import { startTown } from './town.ts';

const named = (io: Server) => [...io._nsps.keys()].filter((name) => name.startsWith('/tenant-'));

describe('a namespace that a client names', () => {
  it.each([
    ['too long', `/tenant-${'x'.repeat(128)}`],
    ['with a # in it', '/tenant-a#r:lobby'],
    ['with a control character', '/tenant-\u0007'],
  ])('does not come into being when its name is %s, and no token is looked at', async (_what, name) => {
    let io: Server | undefined;
    const town = await startTown({}, (given) => {
      io = given;
      given.of(/^\/tenant-/);
    });
    const eve = await openEngine(town.url);
    eve.send(`40${name},`);
    expect(await eve.packet()).toBe(`44${name},{"message":"Invalid namespace"}`);
    expect(named(io ?? new StockServer())).toEqual([]);
    await town.expectPeace();
  });

  it('is one of ten for its connection', async () => {
    let io: Server | undefined;
    const town = await startTown({}, (given) => {
      io = given;
      given.of(/^\/tenant-\d+$/);
    });
    const eve = await openEngine(town.url);
    for (let i = 0; i < 20; i++) eve.send(`40/tenant-${i},`);
    const answers: string[] = [];
    while (answers.length < 20) answers.push(String(await eve.packet()));
    expect(answers.filter((text) => text.startsWith('40'))).toHaveLength(10);
    const refused = answers.filter((text) => text.startsWith('44'));
    expect(refused.every((text) => text.includes('"code":"too_many_namespaces"'))).toBe(true);
    expect(named(io ?? new StockServer())).toHaveLength(10);
    expect(await town.metric('socketfleet_refusals_total{code="too_many_namespaces"}')).toBe(10);
    await town.expectPeace();
  });

  it('is let go when nobody has been in it for a while, with what its adapter holds', async () => {
    expectNoFaults();
    let later = 0;
    const clock: Clock = {
      ...systemClock,
      now: () => systemClock.now() + later,
      every: (ms, call) => systemClock.every(Math.min(ms, 20), call),
    };
    let io: Server | undefined;
    const closed: string[] = [];
    const app = (given: Server) => {
      io = given;
      given.of(/^\/tenant-\d+$/);
      // Empty as well, but somebody may have it, and has its listeners on it.
      given.of('/tenant-0').on('connection', (socket) => void socket.emit('of the app'));
      given.on('new_namespace', ({ name, adapter }) => {
        const { close } = adapter;
        adapter.close = () => {
          closed.push(name);
          return close.call(adapter);
        };
      });
    };
    const { url, lines } = await startServer({}, app, { clock });
    const [staying, leaving] = [await connect(`${url}/tenant-1`), await connect(`${url}/tenant-2`)];
    leaving.disconnect();
    await eventually(() => io?._nsps.get('/tenant-2')?.sockets.size === 0);
    later = 50_000;
    await eventually(async () => (await connect(`${url}/tenant-3`)).connected);
    expect(named(io ?? new StockServer())).toEqual(['/tenant-0', '/tenant-1', '/tenant-2', '/tenant-3']);
    later = 120_000;
    await eventually(() => closed.length > 0, 'the end of the empty one');
    expect(closed).toEqual(['/tenant-2']);
    expect(named(io ?? new StockServer())).toEqual(['/tenant-0', '/tenant-1', '/tenant-3']);
    expect(staying.connected).toBe(true);
    expect((await connect(`${url}/tenant-2`)).connected).toBe(true);
    await next(client(`${url}/tenant-0`), 'of the app');
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('at log level debug', () => {
  it('every client that connects has a line, and every refused CONNECT', async () => {
    const town = await startTown({}, (io) => {
      io.of('/closed').use((_socket, go) => go(new Error('closed')));
    });
    const eve = await openEngine(town.url);
    for (const packet of ['40', '40/nowhere,', '40/closed,']) {
      eve.send(packet);
      await eve.packet();
    }
    const debug = town.lines.filter(({ level }) => level === 'debug');
    expect(debug.filter(({ event }) => event === 'socket connected').map(({ fields }) => fields)).toEqual([
      { socketId: town.bystander.id, nsp: '/', sub: undefined, address: '127.0.0.1' },
      { socketId: expect.any(String), nsp: '/', sub: undefined, address: '127.0.0.1' },
    ]);
    expect(debug.filter(({ event }) => event === 'connect refused').map(({ fields }) => fields)).toEqual([
      { code: 'not_found', nsp: '/nowhere' },
      { code: 'middleware', nsp: '/closed' },
    ]);
    await town.expectPeace();
  });
});
