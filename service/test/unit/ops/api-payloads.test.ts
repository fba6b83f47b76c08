import { describe, expect, it } from 'vitest';
import {
  parseBatch,
  parseId,
  parsePublish,
  parseRoom,
  parseRoomQuery,
  parseRoomsQuery,
} from '../../../src/ops/api-payloads.ts';
import { type RefusalCode, Refused } from '../../../src/refusals.ts';

/** The refusal that a call throws, as `code message`. */
function refusalOf(call: () => unknown): { code: RefusalCode; message: string } {
  try {
    call();
  } catch (error) {
    if (error instanceof Refused) return { code: error.refusal, message: error.message };
    throw error;
  }
  throw new Error('was not refused');
}

const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));

describe('a publish', () => {
  it('is taken with one room or several, named once each', () => {
    expect(parsePublish({ room: 'a', data: 1 }, '')).toEqual({ rooms: ['a'], data: 1 });
    expect(parsePublish({ rooms: ['a', 'b', 'a'], data: null }, '')).toEqual({ rooms: ['a', 'b'], data: null });
  });

  it('keeps event, id and except', () => {
    const message = { rooms: ['a'], event: 'news', data: { x: [1] }, id: 'k-1', except: ['s1'] };
    expect(parsePublish(message, '')).toEqual(message);
  });

  it('takes 64 rooms, names of 128 characters, other scripts and signs', () => {
    const rooms = Array.from({ length: 64 }, (_, i) => `room ${i}`);
    expect(parsePublish({ rooms, data: 0 }, '').rooms).toHaveLength(64);
    for (const room of ['x'.repeat(128), 'größe/日本語', 'order:17%', ' ', '😀']) {
      expect(parsePublish({ room, data: 0 }, '').rooms).toEqual([room]);
    }
  });

  it.each<[unknown, RefusalCode, string]>([
    [null, 'bad_request', 'body: must be an object'],
    [[], 'bad_request', 'body: must be an object'],
    ['text', 'bad_request', 'body: must be an object'],
    [{ room: 'a' }, 'bad_request', 'data: is required'],
    [{ data: 1 }, 'bad_request', 'room: is required, or rooms'],
    [{ room: 'a', rooms: ['b'], data: 1 }, 'bad_request', 'rooms: cannot stand beside room'],
    [{ rooms: [], data: 1 }, 'bad_request', 'rooms: is empty'],
    [{ rooms: 'a', data: 1 }, 'bad_request', 'rooms: must be a list'],
    [{ rooms: Array.from({ length: 65 }, (_, i) => `${i}`), data: 1 }, 'bad_request', 'rooms: has too many entries'],
    [{ room: 7, data: 1 }, 'bad_request', 'room: must be text'],
    [{ room: null, data: 1 }, 'bad_request', 'room: must be text'],
    [{ rooms: ['a', 'b', 'c', 4], data: 1 }, 'bad_request', 'rooms[3]: must be text'],
    [{ room: '', data: 1 }, 'bad_room', 'room: is empty'],
    [{ room: 'x'.repeat(129), data: 1 }, 'bad_room', 'room: has 129 characters, 128 are allowed'],
    [{ rooms: ['a', 'b', 'c', 'd\n'], data: 1 }, 'bad_room', 'rooms[3]: has a character at position 1'],
    [{ room: 'a\u0000', data: 1 }, 'bad_room', 'room: has a character at position 1'],
    [{ room: 'a\u007f', data: 1 }, 'bad_room', 'room: has a character at position 1'],
    [{ room: 'a\ud800', data: 1 }, 'bad_room', 'room: has a character at position 1'],
    [{ room: 'a\u2028', data: 1 }, 'bad_room', 'room: has a character at position 1'],
    [{ room: 'a', event: '', data: 1 }, 'bad_event', 'event: is empty'],
    [{ room: 'a', event: 'x'.repeat(65), data: 1 }, 'bad_event', 'event: has 65 characters, 64 are allowed'],
    [{ room: 'a', event: 'e\r', data: 1 }, 'bad_event', 'event: has a character at position 1'],
    [{ room: 'a', event: 5, data: 1 }, 'bad_request', 'event: must be text'],
    [{ room: 'a', id: '', data: 1 }, 'bad_request', 'id: is empty'],
    [{ room: 'a', id: 'x'.repeat(129), data: 1 }, 'bad_request', 'id: has 129 characters'],
    [{ room: 'a', id: 7, data: 1 }, 'bad_request', 'id: must be text'],
    [{ room: 'a', except: 's1', data: 1 }, 'bad_request', 'except: must be a list'],
    [{ room: 'a', except: ['s1', ''], data: 1 }, 'bad_request', 'except[1]: is empty'],
    [{ room: 'a', except: Array(1001).fill('s'), data: 1 }, 'bad_request', 'except: has too many entries'],
    [{ room: 'a', dta: 1, data: 1 }, 'bad_request', 'dta: is not a field'],
    [{ room: 'a', volatile: true, x: 2, data: 1 }, 'bad_request', 'volatile: is not a field; x: is not a field'],
    [JSON.parse('{"room":"a","data":1,"__proto__":{"x":1}}'), 'bad_request', '__proto__: is not a field'],
    [{ room: 'a', data: nested(101) }, 'bad_request', 'data: is nested more than 100 levels'],
  ])('is refused when it is %j', (body, code, message) => {
    const refusal = refusalOf(() => parsePublish(body, ''));
    expect(refusal.code).toBe(code);
    expect(refusal.message).toContain(message);
  });

  it.each([
    'connect',
    'connect_error',
    'disconnect',
    'disconnecting',
    'error',
    'newListener',
    'removeListener',
    'presence',
    'recovery',
  ])('cannot imitate the event %s', (event) => {
    expect(refusalOf(() => parsePublish({ room: 'a', event, data: 1 }, ''))).toMatchObject({
      code: 'bad_event',
      message: expect.stringContaining('event: is reserved'),
    });
  });

  it('takes data of 100 levels, and looks at a very deep one without running out of stack', () => {
    expect(parsePublish({ room: 'a', data: nested(100) }, '').rooms).toEqual(['a']);
    expect(refusalOf(() => parsePublish({ room: 'a', data: nested(100_000) }, '')).code).toBe('bad_request');
  });

  it('says in a batch which message is meant', () => {
    const at = 'messages[17].';
    expect(refusalOf(() => parsePublish({ rooms: ['ok', ''], data: 1 }, at)).message).toContain(
      'messages[17].rooms[1]: is empty',
    );
    expect(refusalOf(() => parsePublish(3, at)).message).toContain('messages[17]: must be an object');
    expect(refusalOf(() => parsePublish({ room: 'a', data: 1, x: 1 }, at)).message).toContain(
      'messages[17].x: is not a field',
    );
  });

  it('names several problems, but not without end', () => {
    const rooms = Array.from({ length: 64 }, () => '');
    const { message } = refusalOf(() => parsePublish({ rooms, data: 1 }, ''));
    expect(message).toContain('rooms[0]: is empty; rooms[1]: is empty');
    expect(message.match(/is empty/g)).toHaveLength(5);
  });
});

describe('a batch', () => {
  it('holds 1 to 1000 messages of any shape', () => {
    expect(parseBatch({ messages: [{}, 5] })).toEqual([{}, 5]);
    expect(parseBatch({ messages: Array(1000).fill(0) })).toHaveLength(1000);
  });

  it.each([
    [{}, 'messages: must be a list'],
    [[], 'body: must be an object'],
    [{ messages: [] }, 'messages: is empty'],
    [{ messages: Array(1001).fill(0) }, 'messages: has too many entries, 1000 are allowed'],
    [{ messages: [1], room: 'a' }, 'room: is not a field'],
  ])('is refused as a whole when it is %j', (body, message) => {
    expect(refusalOf(() => parseBatch(body))).toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining(message),
    });
  });
});

describe('queries and paths', () => {
  it('have a limit of 100 unless told otherwise, at most 1000', () => {
    expect(parseRoomsQuery({})).toEqual({ limit: 100 });
    expect(parseRoomsQuery({ limit: '1000', after: 'a' })).toEqual({ limit: 1000, after: 'a' });
    for (const limit of ['0', '1001', '-1', '1.5', '1e2', '', ' 1', 'all', '0x10', '99999']) {
      expect(refusalOf(() => parseRoomQuery({ limit })).message).toContain(
        'limit: must be a whole number from 1 to 1000',
      );
    }
  });

  it('refuse what they do not know', () => {
    expect(refusalOf(() => parseRoomsQuery({ offset: '3' })).message).toContain('offset: is not a field');
    expect(refusalOf(() => parseRoomsQuery({ after: 'x'.repeat(129) })).message).toContain('after:');
  });

  it('name rooms by the same rule as bodies do', () => {
    expect(parseRoom('a/b')).toBe('a/b');
    expect(refusalOf(() => parseRoom('a\u0001'))).toMatchObject({ code: 'bad_room' });
  });

  it('name sockets and users within bounds', () => {
    expect(parseId('sub', 'auth0|17')).toBe('auth0|17');
    expect(refusalOf(() => parseId('id', 'x'.repeat(129))).message).toContain('id: has 129 characters');
    expect(refusalOf(() => parseId('sub', 'x'.repeat(513))).message).toContain('sub: has 513 characters');
  });
});
