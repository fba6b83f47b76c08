import { describe, expect, it } from 'vitest';
import { publishOptions, room } from '../../../src/app/payloads.ts';
import { parsePublish } from '../../../src/ops/api-payloads.ts';

const takes = (message: object): boolean => {
  try {
    parsePublish({ room: 'a', data: 1, ...message }, '');
    return true;
  } catch {
    return false;
  }
};

describe('the gateway and the HTTP API', () => {
  it('agree on room names, so that no room can be published to that nobody can join', () => {
    const oneOfEach = Array.from({ length: 0x3000 }, (_, code) => String.fromCodePoint(code));
    const others = [
      '',
      'x'.repeat(128),
      'x'.repeat(129),
      '😀'.repeat(64),
      '😀'.repeat(65),
      '\ud800',
      '\udfff',
      '👨‍👩‍👧',
    ];
    const differing = [...oneOfEach, ...others].filter(
      (name) => takes({ room: name }) !== room.safeParse(name).success,
    );
    expect(differing).toEqual([]);
  });

  it('agree on the events that are reserved', () => {
    const events = [
      ...['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener', 'error'],
      ...['presence', 'recovery', 'message', 'join', 'x', 'x'.repeat(64), 'x'.repeat(65), ''],
    ];
    const differing = events.filter((event) => takes({ event }) !== publishOptions.safeParse({ event }).success);
    expect(differing).toEqual([]);
  });
});
