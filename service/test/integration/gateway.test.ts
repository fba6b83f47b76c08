import { describe, expect, it } from 'vitest';
import { ask, collect, connect, next } from '../support/connect.ts';
import { eventually } from '../support/eventually.ts';
import { startServer } from '../support/start-server.ts';

describe('the gateway', () => {
  it('lets two stock clients in one room talk, with room, id and time beside the data', async () => {
    const { url } = await startServer();
    const [ada, bob] = await Promise.all([connect(url), connect(url)]);
    expect(await ask(ada, 'join', 'lobby')).toEqual({ ok: true, rooms: ['lobby'] });
    await ask(bob, 'join', ['lobby', 'news']);
    const heard = next(bob, 'message');
    const answer = await ask(ada, 'publish', 'lobby', { text: 'hello' });
    expect(answer).toMatchObject({ ok: true, id: expect.any(String) });
    const [data, meta] = await heard;
    expect(data).toEqual({ text: 'hello' });
    expect(meta).toEqual({ room: 'lobby', id: answer.id, ts: expect.any(Number) });
  });

  it('delivers to members only, and no more after they have left', async () => {
    const { url } = await startServer();
    const [ada, bob, eve] = await Promise.all([connect(url), connect(url), connect(url)]);
    await ask(ada, 'join', 'lobby');
    await ask(bob, 'join', 'lobby');
    await ask(eve, 'join', 'other');
    const [toBob, toEve] = [collect(bob, 'message'), collect(eve, 'message')];
    await ask(ada, 'publish', 'lobby', 1);
    await ask(bob, 'leave', 'lobby');
    await ask(ada, 'publish', 'lobby', 2);
    await ask(eve, 'whoami');
    expect(toBob.map(([data]) => data)).toEqual([1]);
    expect(toEve).toEqual([]);
  });

  it("sends under the publisher's event name, binary data included", async () => {
    const { url } = await startServer();
    const [ada, bob] = await Promise.all([connect(url), connect(url)]);
    await ask(bob, 'join', 'files');
    const heard = next(bob, 'file');
    await ask(ada, 'publish', 'files', { name: 'a', bytes: Buffer.from([1, 2, 3]) }, { event: 'file' });
    const [data] = (await heard) as [{ bytes: Buffer }];
    expect([...data.bytes]).toEqual([1, 2, 3]);
  });

  it('delivers a publish with the same id once and answers the same', async () => {
    const { url } = await startServer();
    const ada = await connect(url);
    await ask(ada, 'join', 'lobby');
    const seen = collect(ada, 'message');
    const first = await ask(ada, 'publish', 'lobby', 1, { id: 'order-1' });
    expect(await ask(ada, 'publish', 'lobby', 1, { id: 'order-1' })).toEqual(first);
    await ask(ada, 'whoami');
    expect(seen).toHaveLength(1);
  });

  it('tells who is in a room, with what they gave, and who comes and goes', async () => {
    const { url } = await startServer();
    const [ada, bob] = await Promise.all([connect(url), connect(url)]);
    await ask(ada, 'join', 'lobby', { presence: { name: 'Ada' } });
    const changes = collect(ada, 'presence');
    await ask(bob, 'join', 'lobby', { presence: { name: 'Bob' } });
    expect(await ask(ada, 'presence', 'lobby')).toMatchObject({ ok: true, count: 2 });
    await eventually(
      () => changes.some(([change]) => JSON.stringify(change).includes('Bob')),
      'Bob in a presence event',
    );
    await ask(bob, 'leave', 'lobby');
    await eventually(
      () => changes.some(([change]) => (change as { left: string[] }).left.includes(bob.id ?? '')),
      'Bob leaving',
    );
    expect(await ask(ada, 'presence', 'lobby')).toMatchObject({
      count: 1,
      members: [{ id: ada.id, meta: { name: 'Ada' } }],
    });
  });

  it('keeps presence right for a client that leaves and joins without waiting for the answers', async () => {
    const { url } = await startServer();
    const ada = await connect(url);
    await ask(ada, 'join', 'lobby', { presence: { n: 1 } });
    const answers = [ask(ada, 'leave', 'lobby'), ask(ada, 'join', 'lobby', { presence: { n: 2 } })];
    expect((await Promise.all(answers)).every(({ ok }) => ok)).toBe(true);
    expect(await ask(ada, 'presence', 'lobby')).toMatchObject({ count: 1 });
    await Promise.all([ask(ada, 'join', 'lobby'), ask(ada, 'leave', 'lobby')]);
    await eventually(async () => (await ask(ada, 'presence', 'lobby')).count === 0, 'nobody there');
  });

  it('says who one is', async () => {
    const { url } = await startServer({ SOCKETFLEET_POD: 'pod-7' });
    const ada = await connect(url);
    await ask(ada, 'join', 'lobby');
    expect(await ask(ada, 'whoami')).toEqual({
      ok: true,
      id: ada.id,
      pod: 'pod-7',
      worker: 0,
      rooms: ['lobby'],
      recovered: false,
    });
  });

  it('refuses more rooms than a socket may have, and joins none of them then', async () => {
    const { url } = await startServer({ SOCKETFLEET_ROOMS_PER_SOCKET: '3' });
    const ada = await connect(url);
    expect(await ask(ada, 'join', ['a', 'b', 'c', 'd'])).toMatchObject({
      ok: false,
      code: 'too_many_rooms',
      retry: false,
    });
    expect(await ask(ada, 'whoami')).toMatchObject({ rooms: [] });
    await ask(ada, 'join', ['a', 'b', 'c']);
    expect(await ask(ada, 'join', ['a', 'c'])).toMatchObject({ ok: true });
  });

  it('recovers a client that lost its connection: rooms, presence and what it missed', async () => {
    const { url } = await startServer({ SOCKETFLEET_RECOVERY: 'on' });
    const [ada, bob] = await Promise.all([connect(url), connect(url)]);
    await ask(bob, 'join', 'lobby', { presence: { name: 'Bob' } });
    const seen = collect(bob, 'message');
    await ask(ada, 'publish', 'lobby', 1);
    await eventually(() => seen.length === 1);
    bob.io.engine.close();
    await ask(ada, 'publish', 'lobby', 2);
    await next(bob, 'connect');
    expect(bob.recovered).toBe(true);
    await eventually(() => seen.length === 2);
    expect(seen.map(([data]) => data)).toEqual([1, 2]);
    expect(await ask(ada, 'presence', 'lobby')).toMatchObject({ count: 1, members: [{ meta: { name: 'Bob' } }] });
  });

  it('recovers a client that had received nothing before it lost its connection', async () => {
    const { url } = await startServer({ SOCKETFLEET_RECOVERY: 'on' });
    const bob = await connect(url);
    await ask(bob, 'join', 'lobby');
    bob.io.engine.close();
    await next(bob, 'connect');
    expect(bob.recovered).toBe(true);
    expect(await ask(bob, 'whoami')).toMatchObject({ rooms: ['lobby'], recovered: true });
  });

  it('answers an event that it does not know, so that a typo is no silence', async () => {
    const { url, metric } = await startServer();
    const ada = await connect(url);
    expect(await ask(ada, 'pubish', 'lobby', 1)).toMatchObject({ ok: false, code: 'bad_event', retry: false });
    expect(await metric('socketfleet_answers_total{event="other",code="bad_event"}')).toBe(1);
  });

  it('takes rooms named in any script, joiners included', async () => {
    const { url } = await startServer();
    const ada = await connect(url);
    const rooms = ['می\u200cخواهم', 'क्\u200dष', '👨\u200d👩\u200d👧'];
    expect(await ask(ada, 'join', rooms)).toEqual({ ok: true, rooms });
  });

  it('says that a gap cannot be filled while there is no history', async () => {
    const { url } = await startServer();
    const ada = await connect(url);
    expect(await ask(ada, 'join', 'lobby', { after: '1.5' })).toEqual({
      ok: true,
      rooms: ['lobby'],
      missed: { lobby: { recovered: false, reason: 'history-off' } },
    });
  });

  it('reaches members from the HTTP API, and shows and disconnects them', async () => {
    const { url, api } = await startServer();
    const ada = await connect(url, { reconnection: true });
    await ask(ada, 'join', 'lobby');
    const heard = next(ada, 'price');
    const published = await api('POST', '/api/v1/publish', { room: 'lobby', event: 'price', data: { eur: 3 } });
    expect(published).toMatchObject({ status: 200, body: { ok: true } });
    expect(await heard).toEqual([{ eur: 3 }, { room: 'lobby', id: published.body.id, ts: expect.any(Number) }]);
    expect((await api('GET', '/api/v1/rooms')).body).toMatchObject({
      ok: true,
      rooms: [{ room: 'lobby', sockets: 1 }],
    });
    expect((await api('GET', `/api/v1/sockets/${ada.id}`)).body).toMatchObject({
      ok: true,
      socket: { id: ada.id, rooms: ['lobby'] },
    });
    const gone = next(ada, 'disconnect');
    expect((await api('POST', `/api/v1/sockets/${ada.id}/disconnect`)).body).toMatchObject({ ok: true });
    expect(await gone).toEqual(['io server disconnect', undefined]);
  });
});
