import { expect, test } from 'vitest';
import { matchesRoom } from '../../../src/identity/room-patterns.ts';

test.each([
  ['lobby', 'lobby', true],
  ['lobby', 'lobby2', false],
  ['lobby', 'Lobby', false],
  ['', 'lobby', false],
  ['*', 'lobby', true],
  ['*', '', true],
  ['**', 'lobby', true],
  ['team-*', 'team-7', true],
  ['team-*', 'team-', true],
  ['team-*', 'steam-7', false],
  ['*-team', 'a-team', true],
  ['*-team', 'a-teams', false],
  ['a*a', 'a', false],
  ['a*a', 'aa', true],
  ['ab*ba', 'aba', false],
  ['a*b*c', 'abc', true],
  ['a*b*c', 'a-b-b-c', true],
  ['a*b*c', 'acb', false],
  ['*b*', 'abc', true],
  ['*ab*ab*', 'ab', false],
  ['*ab*ab*', 'abab', true],
  ['*ab', 'abab', true],
  ['x*yz*z', 'xyz', false],
  ['.*', 'lobby', false],
  ['.*', '.lobby', true],
  ['lob.y', 'lobby', false],
  ['(a+)+$', '(a+)+$', true],
  ['[a-z]', 'q', false],
  ['a\\*', 'a\\b', true],
  ['lobby', 'lobby\n', false],
  ['a*b', 'a\nb', true],
  ['r?om', 'room', false],
  ['日*語', '日本語', true],
])('pattern %j and room %j: %j', (pattern, room, expected) => {
  expect(matchesRoom(pattern, room)).toBe(expected);
});

test('a pattern made to be slow is not', () => {
  const room = 'a'.repeat(128);
  const started = performance.now();
  for (let i = 0; i < 1_000; i++) {
    expect(matchesRoom(`${'*a'.repeat(100)}*b`, room)).toBe(false);
    expect(matchesRoom(`${'a*'.repeat(120)}`, room)).toBe(true);
    expect(matchesRoom(`*${'a'.repeat(126)}b*`, room)).toBe(false);
  }
  // Backtracking would take longer than the universe is old; this takes some 50 ms.
  expect(performance.now() - started).toBeLessThan(5_000);
});

test('every short pattern means what a regular expression would mean', () => {
  const words = (letters: string, length: number): string[] =>
    length === 0 ? [''] : words(letters, length - 1).flatMap((word) => [word, ...[...letters].map((x) => word + x)]);
  const rooms = [...new Set(words('ab', 6))];
  for (const pattern of new Set(words('ab*', 5))) {
    const expression = new RegExp(`^${pattern.replaceAll('*', '.*')}$`);
    for (const room of rooms) {
      if (matchesRoom(pattern, room) !== expression.test(room)) expect.fail(`${pattern} and ${room}`);
    }
  }
});
