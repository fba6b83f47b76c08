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

  it('agree on event names, so that no client hears one that it could not publish', () => {
    const reserved = ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'];
    const more = [...reserved, 'error', 'presence', 'recovery', 'session'];
    const fine = ['message', 'join', 'x', 'x'.repeat(64), '😀'.repeat(64), 'order placed', '__proto__', 'Connect'];
    const oneOfEach = Array.from({ length: 0x3000 }, (_, code) => String.fromCodePoint(code));
    const odd = [
      '',
      ' ',
      'x'.repeat(65),
      '😀'.repeat(65),
      ' x',
      'x ',
      '\u00a0x',
      'x\u3000',
      'a\nb',
      '\ud800',
      'a\u200b',
    ];
    const events = [...more, ...fine, ...odd, ...oneOfEach, ...oneOfEach.map((one) => `a${one}b`)];
    const gateway = (event: string) => publishOptions.safeParse({ event }).success;
    expect(events.filter((event) => takes({ event }) !== gateway(event))).toEqual([]);
    expect([...more, ...odd].filter(gateway)).toEqual([]);
    expect(fine.filter((event) => !gateway(event))).toEqual([]);
  });
});
