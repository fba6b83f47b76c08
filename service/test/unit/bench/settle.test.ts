import { expect, test } from 'vitest';
import { settle } from '../../../bench/lib/settle.ts';

function reading(values: readonly number[]) {
  let at = 0;
  return { read: async () => values[Math.min(at++, values.length - 1)] ?? 0, pause: async () => undefined };
}

test('a value has settled when enough readings in a row agree', async () => {
  const source = reading([50, 80, 100, 101, 100, 999]);
  expect(await settle({ ...source, readings: 3, tolerance: 0.02, most: 20 })).toEqual({ value: 100, settled: true });
});

test('a value that never settles is taken as it is after the last reading allowed', async () => {
  const source = reading([1, 2, 3, 4, 5, 6]);
  expect(await settle({ ...source, readings: 2, tolerance: 0.01, most: 5 })).toEqual({ value: 5, settled: false });
});

test('readings that are far apart but slow to change have not settled', async () => {
  const source = reading([100, 103, 106, 106, 106]);
  expect(await settle({ ...source, readings: 3, tolerance: 0.01, most: 20 })).toEqual({ value: 106, settled: true });
});
