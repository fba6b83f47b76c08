import { describe, expect, it } from 'vitest';
import { isNestedDeeper } from '../../../src/realtime/nesting.ts';

const lists = (levels: number) => JSON.parse('['.repeat(levels) + ']'.repeat(levels)) as unknown;
const objects = (levels: number) => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`) as unknown;

describe('nested data', () => {
  it.each([lists, objects])('is measured to the level', (nest) => {
    expect(isNestedDeeper(nest(100), 100)).toBe(false);
    expect(isNestedDeeper(nest(101), 100)).toBe(true);
  });

  it('is found behind flat neighbours', () => {
    expect(isNestedDeeper([1, 'x', {}, { deep: [lists(99)] }], 100)).toBe(true);
    expect(isNestedDeeper([1, 'x', {}, { deep: [lists(97)] }], 100)).toBe(false);
  });

  it('does not overflow the stack that it protects', () => {
    expect(isNestedDeeper(lists(100_000), 100)).toBe(true);
    const circular: unknown[] = [];
    circular.push(circular);
    expect(isNestedDeeper(circular, 100)).toBe(true);
  });

  it.each([null, undefined, 1, 'text', Buffer.from('abc'), new Uint8Array(1e6), new ArrayBuffer(8), () => undefined])(
    'is not what a plain value is',
    (value) => {
      expect(isNestedDeeper(value, 0)).toBe(false);
    },
  );

  it('is seen in a key that is called __proto__', () => {
    expect(isNestedDeeper(JSON.parse(`{"__proto__":${JSON.stringify(lists(100))}}`), 100)).toBe(true);
  });
});
