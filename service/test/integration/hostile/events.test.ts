import { describe, expect, it } from 'vitest';
import { ask, collect, connect, next } from '../../support/connect.ts';
import { openSocket } from '../../support/raw.ts';
import { startTown } from './town.ts';

const CALM = { SOCKETFLEET_MESSAGES_PER_SECOND: '0', SOCKETFLEET_BYTES_PER_SECOND: '0' };

describe('what clients ask for', () => {
  it('refuses ten thousand rooms, at once and one by one', async () => {
    const town = await startTown(CALM);
    const eve = await connect(town.url);
    const rooms = Array.from({ length: 10_000 }, (_, i) => `r${i}`);
    expect(await ask(eve, 'join', rooms)).toMatchObject({ ok: false, code: 'too_many_rooms' });
    expect(await ask(eve, 'join', rooms.slice(0, 101))).toMatchObject({ ok: false, code: 'too_many_rooms' });
    const answers = await Promise.all(rooms.slice(0, 200).map((room) => ask(eve, 'join', room)));
    expect(answers.filter(({ ok }) => ok)).toHaveLength(100);
    expect(answers[150]).toMatchObject({ ok: false, code: 'too_many_rooms', retry: false });
    expect(((await ask(eve, 'whoami')) as unknown as { rooms: string[] }).rooms).toHaveLength(100);
    expect(await town.metric('socketfleet_answers_total{event="join",code="too_many_rooms"}')).toBe(102);
    await town.expectPeace();
  });

  it('cannot listen to another socket by naming its id as a room', async () => {
    const town = await startTown();
    const eve = await connect(town.url);
    const victim = town.bystander.id ?? '';
    for (const room of [victim, `/#${victim}`, `p:town`, `r:town`]) await ask(eve, 'join', room);
    const [overheard, heard] = [collect(eve, 'secret'), next(town.bystander, 'secret')];
    await ask(town.bystander, 'publish', 'town', 'whisper', { event: 'secret' });
    await heard;
    await ask(eve, 'whoami');
    expect(overheard).toEqual([]);
    await town.expectPeace();
  });

  it.each([
    ['nothing', ''],
    ['a line end', 'a\nb'],
    ['a null character', 'a\0b'],
    ['a delete character', 'a\x7fb'],
    ['a direction override', 'a\u202eb'],
    ['half a surrogate pair', 'a\ud800b'],
    ['a line separator', 'a\u2028b'],
    ['129 characters', 'x'.repeat(129)],
    ['a number', 7],
    ['null', null],
    ['an object', { room: 'town' }],
    ['a list in a list', [['town']]],
    ['an empty list', []],
    ['a list with one bad name', ['town', 'a\nb']],
    ['nothing at all', undefined],
  ])('refuses a room name that is %s, and says why', async (_what, room) => {
    const town = await startTown();
    const eve = await connect(town.url);
    for (const event of ['join', 'leave', 'publish', 'presence']) {
      const answer = await ask(eve, event, room, 'data');
      expect([event, answer]).toEqual([
        event,
        { ok: false, code: 'bad_room', message: expect.stringContaining('room'), retry: false },
      ]);
    }
    await town.expectPeace();
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', '*', '/', '🎈', '%00', '$'])(
    'takes %j for the name of an ordinary room',
    async (room) => {
      const town = await startTown();
      const eve = await connect(town.url);
      expect(await ask(eve, 'join', room, { presence: { name: 'Eve' } })).toEqual({ ok: true, rooms: [room] });
      expect(await ask(eve, 'join', room, { after: 'x' })).toMatchObject({ ok: true });
      const heard = next(eve, 'message');
      await ask(eve, 'publish', room, 'hello');
      expect((await heard)[1]).toMatchObject({ room });
      expect(await ask(eve, 'presence', room)).toMatchObject({ count: 1, members: [{ meta: { name: 'Eve' } }] });
      expect(await town.api('GET', `/api/v1/rooms/${encodeURIComponent(room)}`)).toMatchObject({ status: 200 });
      expect(await ask(eve, 'leave', room)).toEqual({ ok: true });
      await town.expectPeace();
    },
  );

  it.each([
    'connect',
    'connect_error',
    'disconnect',
    'disconnecting',
    'newListener',
    'removeListener',
    'error',
    'presence',
    'recovery',
    '',
    'x'.repeat(65),
  ])('cannot publish under the event name %j', async (event) => {
    const town = await startTown();
    const eve = await connect(town.url);
    const answer = await ask(eve, 'publish', 'town', 'x', { event });
    expect(answer).toMatchObject({ ok: false, retry: false });
    expect(['bad_event', 'bad_request']).toContain(answer.code);
    expect(answer.message).toContain('event');
    await town.expectPeace();
  });

  it('is not impressed by events that only servers send', async () => {
    const town = await startTown();
    const socket = await openSocket(town.url);
    for (const name of ['error', 'message', 'presence', 'recovery', '__proto__', 'constructor', 'connection']) {
      socket.send(`42["${name}",{"recovered":false}]`);
    }
    socket.send('42[0]');
    socket.send('421["whoami"]');
    expect(String(await socket.packet())).toMatch(/^431\[\{"ok":true/);
    await town.expectPeace();
  });

  it.each([
    ['text', '"ack"'],
    ['a number', '1'],
    ['an object with a call', '{"call":1,"apply":2}'],
    ['null', 'null'],
  ])('is content with %s where an ack belongs', async (_what, ack) => {
    const town = await startTown();
    const socket = await openSocket(town.url);
    for (const event of ['join', 'leave', 'publish', 'presence', 'whoami', 'refresh']) {
      socket.send(`42["${event}","town",${ack},${ack}]`);
      socket.send(`42["${event}",${ack}]`);
      socket.send(`42["${event}"]`);
    }
    socket.send('421["whoami"]');
    expect(String(await socket.packet())).toMatch(/^431\[\{"ok":true/);
    await town.expectPeace();
  });

  it.each([
    ['options that are text', ['join', 'town', 'x']],
    ['options with an unknown field', ['join', 'town', { admin: true }]],
    ['options with __proto__', ['join', 'town', JSON.parse('{"__proto__":{"presence":{}}}')]],
    ['presence that is text', ['join', 'town', { presence: 'x' }]],
    ['presence that is too large', ['join', 'town', { presence: { x: 'x'.repeat(3000) } }]],
    ['no data', ['publish', 'town']],
    ['a volatile that is no boolean', ['publish', 'town', 1, { volatile: 'yes' }]],
    ['an id that is no text', ['publish', 'town', 1, { id: 7 }]],
    ['an id that is too long', ['publish', 'town', 1, { id: 'x'.repeat(129) }]],
    ['a token that is no text', ['refresh', { token: 'x' }]],
  ])('refuses %s with bad_request, and names the field', async (_what, [event = '', ...args]) => {
    const town = await startTown();
    const eve = await connect(town.url);
    const answer = await ask(eve, String(event), ...args);
    expect(answer).toEqual({
      ok: false,
      code: 'bad_request',
      message: expect.stringMatching(/options|data|token/),
      retry: false,
    });
    await town.expectPeace();
  });

  it('passes __proto__ on as data and nothing more', async () => {
    const town = await startTown();
    const socket = await openSocket(town.url);
    const heard = next(town.bystander, 'message');
    socket.send('421["publish","town",{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}]');
    expect(String(await socket.packet())).toMatch(/^431\[\{"ok":true/);
    const [data] = await heard;
    expect(Object.getOwnPropertyNames(data)).toEqual(['__proto__', 'constructor']);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    socket.send('422["join","proto",{"presence":{"__proto__":{"polluted":true}}}]');
    expect(String(await socket.packet())).toMatch(/^432\[/);
    const evil = await openSocket(town.url, {
      auth: JSON.parse('{"__proto__":{"token":"x"},"pid":{},"offset":[]}') as object,
    });
    expect(evil.answer).toMatch(/^40/);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    await town.expectPeace();
  });

  it('refuses data that is nested ten thousand levels deep, wherever it stands', async () => {
    const town = await startTown();
    const socket = await openSocket(town.url);
    const [lists, objects] = [
      `${'['.repeat(10_000)}${']'.repeat(10_000)}`,
      `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
    ];
    const requests = [
      `["publish","town",${lists}]`,
      `["publish","town",${objects}]`,
      `["join","x",{"presence":${objects}}]`,
      `["join",${lists}]`,
    ];
    for (const [index, request] of requests.entries()) {
      socket.send(`42${index}${request}`);
      expect(String(await socket.packet())).toMatch(new RegExp(`^43${index}\\[\\{"ok":false,"code":"bad_request"`));
    }
    // Never answered: an event without an ack, an ack for nothing, a CONNECT to nowhere.
    socket.send(`42["x",${lists}]`);
    socket.send(`43999${lists.slice(0, 1)}${lists}${lists.slice(-1)}`);
    socket.send(`40/nowhere,{"a":${lists}}`);
    expect(await socket.packet()).toBe('44/nowhere,{"message":"Invalid namespace"}');
    socket.send('42100["whoami"]');
    expect(String(await socket.packet())).toMatch(/^43100\[\{"ok":true/);
    await town.expectPeace();
  });

  it('closes a connection whose binary data is nested too deep to be put together', async () => {
    const town = await startTown({ SOCKETFLEET_MAX_PAYLOAD_BYTES: '1000000' });
    const socket = await openSocket(town.url);
    socket.send(`451-["publish","town",${'['.repeat(40_000)}{"_placeholder":true,"num":0}${']'.repeat(40_000)}]`);
    socket.send(Buffer.from([1]));
    await socket.closed;
    await town.expectPeace();
  });

  it('keeps client text out of metrics', async () => {
    const town = await startTown(CALM, (io) => void io.of(/^\/tenant-\w+$/));
    const eve = await connect(town.url);
    await ask(eve, 'join', 'evil-room');
    eve.emit('evil-event');
    await connect(`${town.url}/tenant-evil`);
    await ask(eve, 'publish', 'evil-room', 1, { event: 'evil-event', id: 'evil-id' });
    const text = await town.metrics();
    expect(text).not.toContain('evil');
    expect(text).not.toContain(eve.id);
    expect(await town.metric('socketfleet_sockets{nsp="dynamic"}')).toBe(1);
    await town.expectPeace();
  });
});
