import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { joinOptions, joinRooms, parse, publishData, publishOptions, room } from '../../../src/app/payloads.ts';
import { type RefusalCode, Refused } from '../../../src/refusals.ts';

/** The refusal of a value, as `code: detail`; undefined when it is taken. */
function refusal(schema: z.ZodType, value: unknown, code: RefusalCode = 'bad_request', field = 'options') {
  try {
    parse(schema, value, code, field);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(Refused);
    const { data } = error as Refused;
    return `${data.code}: ${data.message}`;
  }
}

const printable = [
  'lobby',
  ' ',
  'ein Raum',
  'x'.repeat(128),
  '日本語',
  'ñ',
  '\u{1f600}',
  '../../etc/passwd',
  '*',
  'r:lobby',
  'p:lobby',
  '__proto__',
  'constructor',
  '{jndi:ldap://x}',
  '<script>',
  '"\'`;--',
  'a\u00a0b',
];

const hostile: [what: string, room: unknown][] = [
  ['nothing', ''],
  ['too long', 'x'.repeat(129)],
  ['much too long', 'x'.repeat(90_000)],
  ['a NUL', 'a\u0000b'],
  ['a line end', 'a\nb'],
  ['a line end at the end', 'lobby\n'],
  ['a tab', 'a\tb'],
  ['a DEL', 'a\u007f'],
  ['a C1 control', 'a\u0085b'],
  ['an escape', '\u001b[31mred'],
  ['a lone high surrogate', '\ud800'],
  ['a lone low surrogate', 'a\udc00b'],
  ['surrogates the wrong way round', '\udc00\ud800'],
  ['a zero-width space', 'lob\u200bby'],
  ['a soft hyphen', 'lob\u00adby'],
  ['text from right to left', '\u202elobby'],
  ['a byte order mark', '\ufefflobby'],
  ['a line separator', 'a\u2028b'],
  ['a paragraph separator', 'a\u2029b'],
  ['a private character', '\ue000'],
  ['no character', '\uffff'],
  ['a number', 7],
  ['null', null],
  ['undefined', undefined],
  ['an object that looks like text', { toString: 'lobby', length: 5 }],
  ['a buffer', Buffer.from('lobby')],
  ['a boxed text', Object('lobby')],
];

describe('a room', () => {
  it.each(printable)('may be called %j', (name) => {
    expect(parse(room, name, 'bad_room', 'room')).toBe(name);
    expect(parse(joinRooms, name, 'bad_room', 'room')).toEqual([name]);
  });

  it.each(hostile)('may not be %s', (_what, name) => {
    expect(refusal(room, name, 'bad_room', 'room')).toMatch(/^bad_room: .*: room /);
    expect(refusal(joinRooms, ['fine', name], 'bad_room', 'room')).toMatch(/^bad_room: .*: room\.1 /);
    if (!Array.isArray(name)) expect(refusal(joinRooms, name, 'bad_room', 'room')).toMatch(/^bad_room: /);
  });

  it.each([[[]], [[['lobby']]], [{ 0: 'lobby', length: 1 }], [new Set(['lobby'])], [() => 'lobby']])(
    'in a join may not be %j',
    (names) => {
      expect(refusal(joinRooms, names, 'bad_room', 'room')).toMatch(/^bad_room: /);
    },
  );

  it('never appears in the refusal, which may be logged and shown', () => {
    for (const [, name] of hostile) {
      if (typeof name !== 'string' || name.length < 3) continue;
      expect(refusal(room, name, 'bad_room', 'room')).not.toContain(name);
    }
  });
});

describe('options of a join', () => {
  it('may be empty, or carry what presence shows', () => {
    expect(parse(joinOptions, {}, 'bad_request', 'options')).toEqual({});
    const options = { presence: { status: 'here', nested: [{ a: null }] }, after: '1.2' };
    expect(parse(joinOptions, options, 'bad_request', 'options')).toEqual(options);
  });

  it.each([null, 'text', 7, [], [{}], Buffer.from('x')])('may not be %j', (value) => {
    expect(refusal(joinOptions, value)).toMatch(/^bad_request: .*: options /);
  });

  it('with a field that nobody knows are refused by its name', () => {
    expect(refusal(joinOptions, { presense: {} })).toContain('presense');
  });

  it.each([null, 'here', 7, [], ['here'], Buffer.from('x'), new Date(0), new Map()])(
    'may not have %j as presence',
    (presence) => {
      expect(refusal(joinOptions, { presence })).toMatch(/^bad_request: .*: options\.presence /);
    },
  );

  it('may have 2048 characters of presence, and not one more', () => {
    const ofLength = (length: number) => ({ presence: { a: 'x'.repeat(length - '{"a":""}'.length) } });
    expect(refusal(joinOptions, ofLength(2048))).toBeUndefined();
    expect(refusal(joinOptions, ofLength(2049))).toContain('at most 2048 characters');
  });

  it.each([Buffer.from('x'), new Uint8Array(1), new ArrayBuffer(1)])('may not show %j', (binary) => {
    for (const presence of [{ binary }, { deep: [{ binary }] }]) {
      expect(refusal(joinOptions, { presence })).toMatch(/^bad_request: .*: options\.presence must not be binary/);
    }
  });

  it('may not imitate a buffer', () => {
    const forged = { _placeholder: true, num: 9 };
    for (const presence of [forged, { a: forged }, { a: [{ b: forged }] }, { _placeholder: false }]) {
      expect(refusal(joinOptions, { presence })).toContain('options.presence must not say _placeholder');
    }
    expect(refusal(joinOptions, { presence: { name: '_placeholder' } })).toBeUndefined();
  });

  it('keep of presence what JSON can say, and nothing that is shared with the sender', () => {
    const given = { at: new Date(0), none: undefined, list: [undefined], own: { a: 1 } };
    const { presence } = parse(joinOptions, { presence: given }, 'bad_request', 'options');
    expect(presence).toStrictEqual({ at: '1970-01-01T00:00:00.000Z', list: [null], own: { a: 1 } });
    expect(presence?.own).not.toBe(given.own);
  });

  it('cannot put anything behind an object', () => {
    const options = JSON.parse(
      '{"presence":{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}}',
    );
    const { presence } = parse(joinOptions, options, 'bad_request', 'options');
    expect((presence as { isAdmin?: boolean }).isAdmin).toBeUndefined();
    expect(Object.getPrototypeOf(presence)).toBe(Object.prototype);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
    expect(refusal(joinOptions, JSON.parse('{"__proto__":{"presence":{}}}'))).toMatch(/^bad_request: /);
  });

  it.each([7, {}, 'x'.repeat(257)])('may not begin after %j', (after) => {
    expect(refusal(joinOptions, { after })).toMatch(/^bad_request: .*: options\.after /);
  });
});

describe('data of a publish', () => {
  it.each([null, 0, '', false, [], { binary: [Buffer.from('x')] }, 'a _placeholder'])('may be %j', (data) => {
    expect(parse(publishData, data, 'bad_request', 'data')).toBe(data);
  });

  it('may not be missing', () => {
    expect(refusal(publishData, undefined, 'bad_request', 'data')).toMatch(/^bad_request: .*: data is missing/);
  });

  it('may not imitate a buffer, on its own or beside one', () => {
    const forged = { _placeholder: true, num: 9 };
    for (const data of [forged, [forged], { a: [{ b: forged }] }, [Buffer.from('x'), forged]]) {
      expect(refusal(publishData, data, 'bad_request', 'data')).toContain('data must not say _placeholder');
    }
  });
});

describe('options of a publish', () => {
  it.each([{}, { event: 'chat' }, { id: 'a-1' }, { volatile: true }, { event: 'x'.repeat(64), id: 'x'.repeat(128) }])(
    'may be %j',
    (options) => {
      expect(parse(publishOptions, options, 'bad_request', 'options')).toEqual(options);
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
    'session',
    '',
    'x'.repeat(65),
    'a\nb',
    'a\u202eb',
    '\ud800',
    ' chat',
    'chat ',
    ' ',
    7,
    null,
    ['chat'],
  ])('may not name the event %j', (event) => {
    expect(refusal(publishOptions, { event })).toMatch(/^bad_event: .*: options\.event /);
  });

  it.each(['', 'x'.repeat(129), 'a\nb', '\ud800', 7, null, {}])('may not have the id %j', (id) => {
    expect(refusal(publishOptions, { id })).toMatch(/^bad_request: .*: options\.id /);
  });

  it.each(['true', 1, null])('may not be volatile by %j', (volatile) => {
    expect(refusal(publishOptions, { volatile })).toMatch(/^bad_request: .*: options\.volatile /);
  });

  it.each(['except', 'from', 'scope', 'rooms'])('may not say %s, which is not a client’s to say', (field) => {
    expect(refusal(publishOptions, { [field]: ['x'] })).toContain(field);
  });
});
