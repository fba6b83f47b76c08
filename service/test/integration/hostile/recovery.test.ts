import { SignJWT } from 'jose';
import type { Socket } from 'socket.io-client';
import { describe, expect, it } from 'vitest';
import { ask, client, collect, connect, next } from '../../support/connect.ts';
import { eventually } from '../../support/eventually.ts';
import { openSocket } from '../../support/raw.ts';
import { startTown, type Town } from './town.ts';

const SECRET = 'a secret of at least thirty-two bytes';
const ON = { SOCKETFLEET_RECOVERY: 'on' };

const token = (sub: string, ...rooms: string[]) =>
  new SignJWT({ rooms }).setProtectedHeader({ alg: 'HS256' }).setSubject(sub).sign(Buffer.from(SECRET));

/** Breaks a client's connection, and waits until the server has noticed. */
async function breakOff(town: Town, socket: Socket): Promise<void> {
  const before = await town.metric('socketfleet_sockets{nsp="/"}');
  socket.io.engine.close();
  await eventually(async () => (await town.metric('socketfleet_sockets{nsp="/"}')) < before, 'the end of a socket');
}

/** What a stock client would send to be recovered. */
function claimOf(socket: Socket): { pid: string; offset: string } {
  const { _pid: pid, _lastOffset: offset } = socket as unknown as { _pid: string; _lastOffset: string };
  return { pid, offset };
}

describe('a session that is recovered', () => {
  it('does not hear what was said in a room that its new token forbids', async () => {
    const town = await startTown({
      ...ON,
      SOCKETFLEET_AUTH: 'jwt',
      SOCKETFLEET_JWT_SECRET: SECRET,
      BYSTANDER_TOKEN: await token('bob', '*'),
    });
    let current = await token('eve', 'secret', 'lobby');
    const eve = client(town.url, {
      transports: ['websocket'],
      reconnection: false,
      auth: (tell) => tell({ token: current }),
    });
    const [told] = await next(eve, 'session');
    expect(told).toEqual({ recovered: false });
    await ask(eve, 'join', ['secret', 'lobby']);
    const heard = collect(eve, 'message');
    await ask(town.bystander, 'publish', 'secret', 'before');
    await eventually(() => heard.length === 1);
    const { id } = eve;
    current = await token('eve', 'lobby');
    await breakOff(town, eve);
    await ask(town.bystander, 'publish', 'secret', 'her rights were taken');
    eve.connect();
    expect((await next(eve, 'session'))[0]).toEqual({ recovered: false });
    expect([eve.recovered, eve.id === id]).toEqual([false, false]);
    expect(await ask(eve, 'whoami')).toMatchObject({ rooms: [], recovered: false, sub: 'eve' });
    expect(await ask(eve, 'join', 'secret')).toMatchObject({ ok: false, code: 'forbidden' });
    await ask(town.bystander, 'publish', 'secret', 'and now');
    expect(await ask(eve, 'join', 'lobby')).toMatchObject({ ok: true });
    expect(heard.map(([text]) => text)).toEqual(['before']);
    expect(await town.metric('socketfleet_recoveries_total{outcome="fresh"}')).toBe(1);
    await town.expectPeace();
  });

  it('is there again for its user when somebody else or an old token was refused it', async () => {
    const town = await startTown({
      ...ON,
      SOCKETFLEET_AUTH: 'jwt',
      SOCKETFLEET_JWT_SECRET: SECRET,
      BYSTANDER_TOKEN: await token('bob', '*'),
    });
    const ada = client(town.url, {
      transports: ['websocket'],
      reconnection: false,
      auth: { token: await token('ada', 'lobby') },
    });
    await next(ada, 'session');
    await ask(ada, 'join', 'lobby');
    const heard = collect(ada, 'message');
    await breakOff(town, ada);
    await ask(town.bystander, 'publish', 'lobby', 'missed');
    for (const stranger of [await token('eve', '*'), 'nonsense']) {
      const { answer } = await openSocket(town.url, { auth: { token: stranger, ...claimOf(ada) } });
      expect(answer).toMatch(/^44/);
    }
    ada.connect();
    await next(ada, 'connect');
    expect(ada.recovered).toBe(true);
    expect(heard.map(([text]) => text)).toEqual(['missed']);
    await town.expectPeace();
  });

  it('is given to one connection, however many ask with the same pid', async () => {
    const town = await startTown({ ...ON, SOCKETFLEET_HANDSHAKES_PER_SECOND: '0' });
    const eve = await connect(town.url, { transports: ['websocket'], reconnection: false });
    await ask(eve, 'join', 'town');
    const claim = claimOf(eve);
    const { id } = eve;
    await breakOff(town, eve);
    const chunk = 'x'.repeat(50_000);
    for (let i = 0; i < 10; i++) await town.api('POST', '/api/v1/publish', { room: 'town', data: chunk });
    const sent = await town.metric('socketfleet_sent_bytes_total');
    const copies = await Promise.all(
      Array.from({ length: 20 }, () =>
        connect(town.url, { transports: ['websocket'], reconnection: false, auth: claim }),
      ),
    );
    expect(copies.filter((copy) => copy.id === id)).toHaveLength(1);
    expect(new Set(copies.map((copy) => copy.id)).size).toBe(20);
    expect((await town.metric('socketfleet_sent_bytes_total')) - sent).toBeLessThan(12 * chunk.length);
    const [restored] = copies.filter((copy) => copy.id === id);
    for (const copy of copies) if (copy !== restored) copy.disconnect();
    await eventually(async () => (await town.metric('socketfleet_sockets{nsp="/"}')) === 2);
    const heard = next(restored as Socket, 'message');
    await ask(town.bystander, 'publish', 'town', 'still here');
    expect((await heard)[0]).toBe('still here');
    await town.expectPeace();
  });

  it('starts afresh when more is waiting than a slow reader may leave', async () => {
    const town = await startTown({
      ...ON,
      SOCKETFLEET_SLOW_READER_SOFT_BYTES: '50000',
      SOCKETFLEET_SLOW_READER_HARD_BYTES: '200000',
    });
    const eve = client(town.url, { transports: ['websocket'], reconnection: false });
    await next(eve, 'session');
    await ask(eve, 'join', 'town');
    await breakOff(town, eve);
    for (let i = 0; i < 10; i++) await town.api('POST', '/api/v1/publish', { room: 'town', data: 'x'.repeat(50_000) });
    const missed = collect(eve, 'message');
    eve.connect();
    expect((await next(eve, 'session'))[0]).toEqual({ recovered: false });
    expect([eve.recovered, missed.length]).toEqual([false, 0]);
    await town.expectPeace();
  });

  it('costs a bounded log, and a flood that nobody could come back for costs nothing', async () => {
    const town = await startTown(ON);
    const eve = client(town.url, { transports: ['websocket'], reconnection: false });
    await next(eve, 'session');
    await ask(eve, 'join', 'hot');
    await breakOff(town, eve);
    const before = process.memoryUsage().rss;
    const data = 'x'.repeat(900_000);
    for (let i = 0; i < 200; i++) {
      await town.api('POST', '/api/v1/publish', { rooms: [i % 2 === 0 ? 'hot' : 'nobody'], data });
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(250_000_000);
    eve.connect();
    expect((await next(eve, 'session'))[0]).toEqual({ recovered: false });
    await town.expectPeace();
  });
});
