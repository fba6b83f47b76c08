import { describe, expect, it } from 'vitest';
import { isAuthorized } from '../../../src/ops/api-key.ts';

const keys = () => ['first-key-0123456789', 'second-key-0123456789'];

describe('the API key', () => {
  it.each(['Bearer first-key-0123456789', 'bearer second-key-0123456789', 'Bearer   first-key-0123456789  '])(
    'lets %j in',
    (header) => {
      expect(isAuthorized(header, keys)).toBe(true);
    },
  );

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Basic first-key-0123456789',
    'first-key-0123456789',
    'Bearer first-key-012345678',
    'Bearer first-key-01234567890',
    'Bearer first-key-0123456789 second-key-0123456789',
    'Bearer FIRST-KEY-0123456789',
    `Bearer ${'x'.repeat(8_000)}`,
  ])('keeps %j out', (header) => {
    expect(isAuthorized(header, keys)).toBe(false);
  });

  it('never takes an empty key', () => {
    expect(isAuthorized('Bearer ', () => [''])).toBe(false);
    expect(isAuthorized(undefined, () => [''])).toBe(false);
  });

  it('compares with every key, also after one has matched, so that time tells nothing', () => {
    const read: number[] = [];
    const watched = new Proxy(keys(), {
      get(target, property, receiver) {
        if (typeof property === 'string' && /^\d+$/.test(property)) read.push(Number(property));
        return Reflect.get(target, property, receiver);
      },
    });
    for (const header of ['Bearer first-key-0123456789', 'Bearer x']) {
      read.length = 0;
      isAuthorized(header, () => watched);
      expect(read).toEqual([0, 1]);
    }
  });
});
