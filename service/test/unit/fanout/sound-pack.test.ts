import * as notepack from 'notepack.io';
import { describe, expect, it } from 'vitest';
import { isSoundPack } from '../../../src/fanout/sound-pack.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);

describe('what notepack writes', () => {
  it.each<[string, unknown]>([
    ['nothing', null],
    ['undefined', undefined],
    ['booleans', [true, false]],
    ['whole numbers of every size', [0, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]],
    ['negative numbers of every size', [-1, -32, -33, -128, -129, -32_768, -32_769, -(2 ** 31), -(2 ** 31) - 1]],
    ['fractions', [1.5, -0.1, Number.NaN, Number.POSITIVE_INFINITY]],
    ['texts of every size', ['', 'x', 'ü'.repeat(20), 'x'.repeat(300), 'x'.repeat(70_000)]],
    ['bytes of every size', [0, 10, 300, 70_000].map((size) => Buffer.alloc(size, 7))],
    ['an ArrayBuffer', new Uint8Array([1, 2, 3]).buffer],
    ['dates', [new Date(0), new Date(1.7e12), new Date(-1e12), new Date(1_700_000_000_123), new Date(8e15)]],
    ['lists of every size', [[], Array(20).fill(1), Array(70_000).fill(1)]],
    ['objects of every size', Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`k${i}`, i]))],
    ['depth', deep(500)],
  ])('is sound: %s', (_name, value) => {
    const bytes = notepack.encode(value);
    expect(isSoundPack(bytes)).toBe(true);
    expect(isSoundPack(bytes.subarray(0, -1))).toBe(false);
    expect(isSoundPack(Buffer.concat([bytes, Buffer.from([1])]))).toBe(false);
  });
});

describe('what announces more than there is', () => {
  it.each([
    ['nothing at all', ''],
    ['an ArrayBuffer of four gigabytes', 'c9 ffffffff 00'],
    ['bytes of four gigabytes', 'c6 ffffffff'],
    ['a text of four gigabytes', 'db ffffffff 41'],
    ['a list of four billion', 'dd ffffffff 01'],
    ['an object of four billion', 'df ffffffff 01'],
    ['a length that is cut off', 'dd 01ff'],
    ['an object without its last value', '81 01'],
    ['a date without its time', 'd7 ff 00'],
    ['a prefix that means nothing', 'c1'],
  ])('is not sound: %s', (_name, text) => {
    expect(isSoundPack(hex(text))).toBe(false);
  });

  it('is not sound when each of many lists takes a little that others took before', () => {
    expect(isSoundPack(Buffer.concat(Array(100).fill(hex('dd 00000064'))))).toBe(false);
  });
});

it('agrees with notepack about random bytes, wherever notepack comes to an end', () => {
  const random = seededRandom(7);
  const randomBytes = (size: number) => Buffer.from(Array.from({ length: size }, () => Math.floor(random() * 256)));
  let sound = 0;
  for (let i = 0; i < 20_000; i++) {
    const bytes = randomBytes(1 + (i % 12));
    const isSound = isSoundPack(bytes);
    if (isSound) sound++;
    // The rest could make it allocate without end.
    if (!isSound && bytes.some((byte) => byte === 0xc7 || byte === 0xc8 || byte === 0xc9 || byte >= 0xdc)) continue;
    let isDecoded = true;
    try {
      notepack.decode(bytes);
    } catch {
      isDecoded = false;
    }
    expect([bytes.toString('hex'), isDecoded]).toEqual([bytes.toString('hex'), isSound]);
  }
  expect(sound).toBeGreaterThan(100);
});
