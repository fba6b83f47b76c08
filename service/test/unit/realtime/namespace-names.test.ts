import { describe, expect, it } from 'vitest';
import { isNamespaceName } from '../../../src/realtime/namespace-names.ts';

describe('the name of a namespace', () => {
  it.each(['/a', '/tenant-1/room', '/日本語', `/${'x'.repeat(127)}`, '/__proto__'])('may be %j', (name) => {
    expect(isNamespaceName(name)).toBe(true);
  });

  it.each(['', '/a#b', '#', `/${'x'.repeat(128)}`, '/a\nb', '/a\0', '/a\u202eb', '/a\u2028', '/\ud800'])(
    'may not be %j',
    (name) => {
      expect(isNamespaceName(name)).toBe(false);
    },
  );
});
