import { expect, test } from 'vitest';
import { compare, median, percentile, spread } from '../../../bench/lib/stats.ts';

test('the median of an odd number of values is the middle one, whatever their order', () => {
  expect(median([9, 1, 5])).toBe(5);
});

test('the median of an even number of values is the mean of the middle two', () => {
  expect(median([4, 1, 3, 100])).toBe(3.5);
});

test('the median compares numbers, not their text', () => {
  expect(median([10, 9, 100])).toBe(10);
});

test('there is no median of nothing', () => {
  expect(() => median([])).toThrow('no median');
});

test('a spread keeps the samples in the order of the rounds', () => {
  expect(spread([3, 1, 2])).toEqual({ samples: [3, 1, 2], median: 2, low: 1, high: 3 });
});

test('where lower is better the ratio is above 1 when ours is lower', () => {
  const { ratio, ratioLow, ratioHigh } = compare({ ours: [1, 2, 4], stock: [8, 8, 8] }, 'lower');
  expect({ ratio, ratioLow, ratioHigh }).toEqual({ ratio: 4, ratioLow: 2, ratioHigh: 8 });
});

test('where higher is better the ratio is above 1 when ours is higher', () => {
  const { ratio } = compare({ ours: [30, 30, 90], stock: [10, 10, 10] }, 'higher');
  expect(ratio).toBe(3);
});

test('the range of ratios pairs the rounds instead of the extremes', () => {
  const { ratioLow, ratioHigh } = compare({ ours: [1, 10], stock: [2, 20] }, 'lower');
  expect([ratioLow, ratioHigh]).toEqual([2, 2]);
});

test('sides with a different number of rounds are not compared', () => {
  expect(() => compare({ ours: [1], stock: [1, 2] }, 'lower')).toThrow('same number of rounds');
});

test.each([
  [0.5, 50],
  [0.99, 99],
  [1, 100],
  [0, 1],
])('the percentile %d of 1 to 100 is %d, whatever their order', (share, value) => {
  const values = Array.from({ length: 100 }, (_, at) => 100 - at);
  expect(percentile(values, share)).toBe(value);
});

test('a percentile of few values is one of them', () => {
  expect(percentile([3, 1, 2], 0.99)).toBe(3);
});

test('there is no percentile of nothing', () => {
  expect(() => percentile([], 0.5)).toThrow('no percentile of nothing');
});
