import { describe, expect, it } from 'vitest';
import { API_ROUTES } from '../../src/ops/routes.ts';
import { Refused } from '../../src/refusals.ts';
import { KEY, startOps } from './ops-rig.ts';

const everyPath = API_ROUTES.map(
  ({ method, path }) => [method, path.replace(/\{\w+\}/g, 'x')] as [method: string, path: string],
);

describe('POST /api/v1/publish', () => {
  it('hands the message over and answers its id', async () => {
    const { post, published, counted } = await startOps();
    const body = { rooms: ['a', 'b'], event: 'news', data: { n: 1 }, id: 'k-1', except: ['s1'] };
    expect(await post('/api/v1/publish', body)).toMatchObject({
      status: 200,
      body: { ok: true, id: 'k-1', duplicate: false },
    });
    expect(published).toEqual([body]);
    expect(counted).toEqual(['api sent', '/api/v1/publish 200']);
  });

  it('says when a key had been published before', async () => {
    const { post, counted } = await startOps({}, { publish: async () => ({ id: 'first', duplicate: true }) });
    const answer = await post('/api/v1/publish', { room: 'a', data: 1, id: 'k-1' });
    expect(answer.body).toEqual({ ok: true, id: 'first', duplicate: true });
    expect(counted).toContain('api duplicate');
  });

  it('takes null, false and text as data, and a type with a charset', async () => {
    const { post, published } = await startOps();
    for (const data of [null, false, 0, '', 'text', [], {}]) {
      const answer = await post(
        '/api/v1/publish',
        { room: 'a', data },
        { 'content-type': 'Application/JSON; charset=utf-8' },
      );
      expect(answer.status).toBe(200);
    }
    expect(published.map(({ data }) => data)).toEqual([null, false, 0, '', 'text', [], {}]);
  });

  it.each<[object, string, string]>([
    [{ room: 'a' }, 'bad_request', 'data: is required'],
    [{ rooms: ['ok', 'ok', 'ok', 'not\u0007ok'], data: 1 }, 'bad_room', 'rooms[3]: has a character at position 3'],
    [{ rooms: Array.from({ length: 65 }, (_, i) => `r${i}`), data: 1 }, 'bad_request', 'rooms: has too many entries'],
    [{ room: 'a', event: 'disconnect', data: 1 }, 'bad_event', 'event: is reserved'],
    [{ room: 'a', data: 1, vloatile: true }, 'bad_request', 'vloatile: is not a field'],
    [{ room: 'a', data: 1, id: 'x'.repeat(129) }, 'bad_request', 'id: has 129 characters'],
  ])('refuses %j and names the field', async (body, code, message) => {
    const { post, published, counted } = await startOps();
    const answer = await post('/api/v1/publish', body);
    expect(answer).toMatchObject({ status: 400, body: { ok: false, code, retry: false } });
    expect(answer.body.message).toContain(message);
    expect(published).toEqual([]);
    expect(counted).toEqual(['api refused', '/api/v1/publish 400']);
  });

  it.each<[string, number, boolean]>([
    ['unavailable', 503, true],
    ['draining', 503, true],
    ['rate_limited', 429, true],
    ['too_large', 413, false],
  ])('passes on that the publisher says %s', async (code, status, retry) => {
    const { post, counted, lines } = await startOps(
      {},
      { publish: () => Promise.reject(new Refused(code as 'unavailable', 'no Redis')) },
    );
    const answer = await post('/api/v1/publish', { room: 'a', data: 1 });
    expect(answer).toMatchObject({ status, body: { ok: false, code, retry } });
    expect(answer.body.message).toContain('no Redis');
    expect(counted).toEqual(['api refused', `/api/v1/publish ${status}`]);
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('answers a fault with 500 and no detail, and logs it once', async () => {
    const fault = new Error('ECONNRESET at 10.0.0.7');
    const { post, lines } = await startOps({}, { publish: () => Promise.reject(fault) });
    const answer = await post('/api/v1/publish', { room: 'a', data: 1 });
    expect(answer).toMatchObject({ status: 500, body: { ok: false, code: 'internal' } });
    expect(JSON.stringify(answer.body)).not.toContain('10.0.0.7');
    expect(lines.filter(({ level }) => level === 'error')).toEqual([
      { level: 'error', event: 'api request failed', fields: { err: fault, route: '/api/v1/publish' } },
    ]);
  });
});

describe('POST /api/v1/publish/batch', () => {
  it('answers each message in order, good and bad ones side by side', async () => {
    const { post, published, counted } = await startOps();
    const messages = [
      { room: 'a', data: 1, id: 'k-1' },
      { room: '', data: 2 },
      { rooms: ['b', 'c'], data: 3, id: 'k-3' },
      'nonsense',
      { room: 'a', data: 5, id: 'k-5', x: 1 },
    ];
    const answer = await post('/api/v1/publish/batch', { messages });
    expect(answer.status).toBe(200);
    expect(answer.body.results).toMatchObject([
      { ok: true, id: 'k-1', duplicate: false },
      { ok: false, code: 'bad_room', message: expect.stringContaining('messages[1].room: is empty') },
      { ok: true, id: 'k-3' },
      { ok: false, code: 'bad_request', message: expect.stringContaining('messages[3]: must be an object') },
      { ok: false, code: 'bad_request', message: expect.stringContaining('messages[4].x: is not a field') },
    ]);
    expect(published.map(({ data }) => data)).toEqual([1, 3]);
    expect(counted).toEqual([
      ...Array(3).fill('api refused'),
      ...Array(2).fill('api sent'),
      '/api/v1/publish/batch 200',
    ]);
  });

  it('hands all messages over in order and in one turn, however long each takes', async () => {
    const turns: number[] = [];
    let turn = 0;
    const { post, published } = await startOps(
      { apiMaxBodyBytes: 1_000_000 },
      {
        publish: async ({ data }) => {
          turns.push(turn);
          queueMicrotask(() => setImmediate(() => (turn += 1)));
          await new Promise((resolve) => setTimeout(resolve, (1000 - Number(data)) % 7));
          return { id: `m-${String(data)}`, duplicate: false };
        },
      },
    );
    const messages = Array.from({ length: 1000 }, (_, data) => ({ room: 'a', data }));
    const answer = await post('/api/v1/publish/batch', { messages });
    expect(published.map(({ data }) => data)).toEqual(messages.map(({ data }) => data));
    expect((answer.body.results as { id: string }[]).map(({ id }) => id)).toEqual(messages.map((_, i) => `m-${i}`));
    expect(new Set(turns).size).toBe(1);
  });

  it('logs the faults of a batch once and tells nothing of them', async () => {
    const { post, lines } = await startOps({}, { publish: () => Promise.reject(new Error('10.0.0.7')) });
    const answer = await post('/api/v1/publish/batch', { messages: Array(50).fill({ room: 'a', data: 1 }) });
    expect(answer.status).toBe(200);
    expect(answer.body.results).toEqual(
      Array(50).fill({ ok: false, code: 'internal', message: expect.any(String), retry: false }),
    );
    expect(JSON.stringify(answer.body)).not.toContain('10.0.0.7');
    expect(lines.filter(({ level }) => level === 'error')).toMatchObject([{ fields: { faults: 50 } }]);
  });

  it('passes refusals of the publisher on, message by message', async () => {
    const { post } = await startOps(
      {},
      {
        publish: ({ data }) =>
          data === 2 ? Promise.reject(new Refused('unavailable')) : Promise.resolve({ id: 'x', duplicate: false }),
      },
    );
    const messages = [1, 2, 3].map((data) => ({ room: 'a', data }));
    const { body } = await post('/api/v1/publish/batch', { messages });
    expect(body.results).toMatchObject([{ ok: true }, { ok: false, code: 'unavailable', retry: true }, { ok: true }]);
  });

  it.each<[object, string]>([
    [{ messages: [] }, 'messages: is empty'],
    [{ messages: Array(1001).fill(0) }, 'messages: has too many entries'],
    [{}, 'messages: must be a list'],
    [{ messages: [1], extra: 1 }, 'extra: is not a field'],
  ])('refuses %j as a whole', async (body, message) => {
    const { post, published } = await startOps();
    const answer = await post('/api/v1/publish/batch', body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'bad_request' } });
    expect(answer.body.message).toContain(message);
    expect(published).toEqual([]);
  });
});

describe('GET /api/v1/rooms', () => {
  const value = ['b', 'é', 'a', 'c', 'B'].map((room, sockets) => ({ room, sockets }));

  it('lists rooms by name, page by page, without gap or repetition', async () => {
    const { get } = await startOps({}, { rooms: { value, partial: false } });
    const all = await get('/api/v1/rooms');
    expect(all.body).toEqual({
      ok: true,
      partial: false,
      rooms: ['B', 'a', 'b', 'c', 'é'].map((room) => value.find((one) => one.room === room)),
    });
    const seen: string[] = [];
    for (let after: string | undefined = ''; after !== undefined; ) {
      const { body } = await get(`/api/v1/rooms?limit=2${after === '' ? '' : `&after=${encodeURIComponent(after)}`}`);
      seen.push(...(body.rooms as { room: string }[]).map(({ room }) => room));
      after = body.next as string | undefined;
    }
    expect(seen).toEqual(['B', 'a', 'b', 'c', 'é']);
  });

  it('lists 100 unless told otherwise, and says when a server was silent', async () => {
    const many = Array.from({ length: 101 }, (_, i) => ({ room: `r${i}`, sockets: 1 }));
    const { get } = await startOps({}, { rooms: { value: many, partial: true } });
    const { body } = await get('/api/v1/rooms');
    expect(body.rooms).toHaveLength(100);
    expect(body).toMatchObject({ partial: true, next: expect.any(String) });
  });

  it.each(['limit=0', 'limit=1001', 'limit=x', 'page=2', `after=${'x'.repeat(129)}`])('refuses ?%s', async (query) => {
    const { get } = await startOps();
    const answer = await get(`/api/v1/rooms?${query}`);
    expect(answer).toMatchObject({ status: 400, body: { code: 'bad_request' } });
    expect(answer.body.message).toContain(`${query.split('=')[0]}: `);
  });
});

describe('GET /api/v1/rooms/{room}', () => {
  it('shows sockets, count and members', async () => {
    const { get } = await startOps(
      {},
      {
        rooms: { value: [{ room: 'a', sockets: 3 }], partial: false },
        members: { a: [{ id: 'ann', meta: { x: 1 } }, { id: 'bob' }] },
      },
    );
    expect((await get('/api/v1/rooms/a')).body).toEqual({
      ok: true,
      room: 'a',
      sockets: 3,
      count: 2,
      members: [{ id: 'ann', meta: { x: 1 } }, { id: 'bob' }],
      partial: false,
    });
    expect((await get('/api/v1/rooms/a?limit=1')).body).toMatchObject({ count: 2, members: [{ id: 'ann' }] });
  });

  it.each(['a/b', 'größe 日本語', '100%', 'a?b#c', '%41', '..'])(
    'finds the room %j by its encoded name',
    async (room) => {
      const { get } = await startOps({}, { rooms: { value: [{ room, sockets: 7 }], partial: false } });
      const path = `/api/v1/rooms/${encodeURIComponent(room).replaceAll('.', '%2E')}`;
      // A URL parser takes an encoded `..` for a step up, so this one name cannot be asked for by path.
      if (room === '..') expect((await get(path)).status).toBe(404);
      else expect((await get(path)).body).toMatchObject({ room, sockets: 7 });
    },
  );

  it('shows a room that nobody is in as empty', async () => {
    const { get } = await startOps({}, { partial: true });
    expect((await get('/api/v1/rooms/nobody')).body).toMatchObject({
      sockets: 0,
      count: 0,
      members: [],
      partial: true,
    });
  });

  it.each(['%00', 'x'.repeat(129), 'a%0Ab'])('refuses the name %s', async (name) => {
    const { get } = await startOps();
    const answer = await get(`/api/v1/rooms/${name}`);
    expect(answer).toMatchObject({ status: 400, body: { code: 'bad_room' } });
    expect(answer.body.message).toContain('room: ');
  });
});

describe('sockets and users', () => {
  const socket = {
    id: 's1',
    nsp: '/',
    sub: 'ann',
    rooms: ['a'],
    transport: 'websocket',
    connectedAt: 1_700_000_000_000,
    pod: 'pod-2',
  };

  it('shows a socket wherever it is', async () => {
    const { get } = await startOps({}, { sockets: { s1: socket } });
    expect((await get('/api/v1/sockets/s1')).body).toEqual({ ok: true, socket, partial: false });
  });

  it('says that a socket does not exist only when every server has answered', async () => {
    const { get, world } = await startOps();
    expect(await get('/api/v1/sockets/gone')).toMatchObject({ status: 404, body: { code: 'not_found', retry: false } });
    world.partial = true;
    expect(await get('/api/v1/sockets/gone')).toMatchObject({
      status: 503,
      body: { code: 'unavailable', retry: true },
    });
  });

  it('disconnects a socket and all sockets of a user', async () => {
    const { post, told, world } = await startOps();
    expect((await post('/api/v1/sockets/s1/disconnect')).body).toEqual({ ok: true, disconnected: 1, partial: false });
    world.partial = true;
    expect((await post('/api/v1/users/auth0%7C17/disconnect')).body).toEqual({
      ok: true,
      disconnected: 1,
      partial: true,
    });
    expect(told).toEqual(['socket s1', 'user auth0|17']);
  });

  it('refuses ids that cannot be', async () => {
    const { get, post, told } = await startOps();
    expect(await get(`/api/v1/sockets/${'x'.repeat(129)}`)).toMatchObject({ status: 400 });
    expect(await post(`/api/v1/sockets/${'x'.repeat(129)}/disconnect`)).toMatchObject({ status: 400 });
    expect(await post(`/api/v1/users/${'x'.repeat(513)}/disconnect`)).toMatchObject({ status: 400 });
    expect(told).toEqual([]);
  });
});

describe('POST /api/v1/drain', () => {
  it('begins a drain and says so at once', async () => {
    const { post, told, counted } = await startOps();
    expect(await post('/api/v1/drain')).toMatchObject({ status: 202, body: { ok: true } });
    expect(told).toEqual(['drain']);
    expect(counted).toEqual(['/api/v1/drain 202']);
  });
});

describe('the key of the HTTP API', () => {
  it.each(everyPath)('is asked for at %s %s', async (method, path) => {
    const { call, told, published, counted } = await startOps();
    for (const authorization of ['', 'Bearer wrong-key-0123456789', `Basic ${KEY}`, `Bearer ${KEY}x`]) {
      const answer = await call(method, path, { headers: { authorization } });
      expect(answer).toMatchObject({ status: 401, body: { ok: false, code: 'unauthorized' } });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
    expect([told, published]).toEqual([[], []]);
    expect(counted).toHaveLength(4);
  });

  it('cannot be walked around by another spelling of the path', async () => {
    const { url, told } = await startOps();
    for (const path of ['/%61pi/v1/drain', '//api/v1/drain', '/api//v1/drain', '/x/../api/v1/drain', '/API/v1/drain']) {
      const response = await fetch(url + path, { method: 'POST' });
      expect([401, 404]).toContain(response.status);
    }
    expect(told).toEqual([]);
  });

  it('can be rotated while the port runs', async () => {
    const { get, world } = await startOps();
    const as = async (key: string) =>
      (await get('/api/v1/rooms', { headers: { authorization: `Bearer ${key}` } })).status;
    world.keys = [KEY, 'new-key-0123456789abcdef'];
    expect([await as(KEY), await as('new-key-0123456789abcdef')]).toEqual([200, 200]);
    world.keys = ['new-key-0123456789abcdef'];
    expect([await as(KEY), await as('new-key-0123456789abcdef')]).toEqual([401, 200]);
  });

  it.each(everyPath)('switches %s %s off by its absence, and on again', async (method, path) => {
    const { call, world, told } = await startOps({}, { keys: [] });
    const off = await call(method, path);
    expect(off).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(off.body.message).toContain('the HTTP API is off: no SOCKETFLEET_API_KEY');
    world.keys = [''];
    expect((await call(method, path, { headers: { authorization: 'Bearer ' } })).status).toBe(404);
    expect(told).toEqual([]);
    world.keys = [KEY];
    expect((await call(method, path)).body.message ?? '').not.toContain('is off');
  });

  it('is not needed for probes and metrics', async () => {
    const { url } = await startOps({}, { keys: [] });
    for (const path of ['/livez', '/readyz', '/metrics']) expect((await fetch(url + path)).status).toBe(200);
  });

  it('never shows up in a log line', async () => {
    const { call, lines } = await startOps({}, { publish: () => Promise.reject(new Error('fault')) });
    await call('POST', '/api/v1/publish', {
      body: '{"room":"a","data":1}',
      headers: { 'content-type': 'application/json' },
    });
    expect(lines.length).toBeGreaterThan(0);
    expect(JSON.stringify(lines)).not.toContain(KEY);
  });
});

describe('paths and methods of the HTTP API', () => {
  it.each(everyPath)('takes only %s at %s, and names it', async (method, path) => {
    const { call, told, counted } = await startOps();
    for (const other of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((one) => one !== method)) {
      const answer = await call(other, path);
      expect(answer).toMatchObject({ status: 405, body: { ok: false, code: 'wrong_method' } });
      expect(answer.headers.get('allow')).toBe(method === 'GET' ? 'GET, HEAD' : 'POST');
    }
    expect(told).toEqual([]);
    expect(counted.every((one) => one.endsWith(' 405'))).toBe(true);
  });

  it('counts what does not exist under one name', async () => {
    const { get, post, counted } = await startOps();
    for (const path of ['/api', '/api/', '/api/v1', '/api/v2/publish', '/api/v1/rooms/a/b', '/api/v1/sockets/']) {
      expect((await get(path)).status).toBe(404);
    }
    expect((await post('/api/v1/publish/')).status).toBe(404);
    expect(new Set(counted)).toEqual(new Set(['unmatched 404']));
  });
});
