import { describe, expect, test } from 'vitest';
import { createFormat, duration, harmless, names, spoken } from '../../../src/cli/client-format.ts';

const noon = new Date(2026, 0, 2, 12, 30, 5).getTime();
const plain = createFormat({ colours: false, now: () => noon });

describe('what the terminal client prints', () => {
  test('a message shows time, room, sender and text', () => {
    expect(plain.message({ text: 'hi', name: 'ada' }, { room: 'lobby', ts: noon })).toBe('12:30:05 [lobby] ada: hi');
  });

  test('the sender that the server vouches for goes before the name in the message', () => {
    expect(plain.message({ text: 'hi', name: 'eve' }, { room: 'lobby', ts: noon, from: 'ada' })).toContain('ada: hi');
  });

  test('presence tells who came, who went by name, and how many are there', () => {
    const change = { room: 'tea', joined: [{ id: 's1' }, { id: 's2' }], left: ['s3'], count: 4 };
    const nameOf = (id: string) => ({ s1: 'ada', s3: 'bob' })[id] ?? id;
    expect(plain.presence(change, nameOf)).toEqual([
      '12:30:05 [tea] + ada, s2 joined (4 here)',
      '12:30:05 [tea] - bob left (4 here)',
    ]);
  });

  test('without colours there is not one escape sequence', () => {
    expect(plain.problem('x') + plain.note('y')).not.toContain('\u001b');
    expect(createFormat({ colours: true, now: () => noon }).note('y')).toContain('\u001b[');
  });

  test('what others sent cannot steer the terminal', () => {
    const shown = plain.message(
      { text: '\u001b[2J\u0007gone\u202e' },
      { room: 'a\u009bb', ts: noon, from: 'e\u001bve' },
    );
    expect(shown).toBe('12:30:05 [a\ufffdb] e\ufffdve: \ufffd[2J\ufffdgone\ufffd');
  });

  test('a line break in a message does not start a line that looks like our own', () => {
    expect(harmless('a\r\nb\nc')).toBe('a ⏎ b ⏎ c');
  });

  test('very long texts and lists are cut, and say so', () => {
    expect(harmless('x'.repeat(10_000))).toHaveLength(4001);
    expect(names(Array.from({ length: 23 }, (_, i) => `n${i}`))).toMatch(/n19 and 3 more$/);
  });
});

test.each([
  ['text', { text: 'text' }],
  [
    { text: 'hi', name: 'ada' },
    { text: 'hi', name: 'ada' },
  ],
  [{ text: 'hi', name: '' }, { text: 'hi' }],
  [{ price: 3 }, { text: '{"price":3}' }],
  [null, { text: 'null' }],
  [undefined, { text: 'nothing' }],
  [new Uint8Array(3), { text: '<3 bytes>' }],
])('of the data %j the client shows %j', (data, shown) => {
  expect(spoken(data)).toEqual(shown);
});

test.each([
  [0.42, '0.4 ms'],
  [850, '850 ms'],
  [2_100, '2.1 s'],
  [185_000, '3 min 5 s'],
])('%d ms reads %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});
