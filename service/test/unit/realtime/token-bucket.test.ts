import { expect, it } from 'vitest';
import { type Bucket, refill, take } from '../../../src/realtime/token-bucket.ts';

it('a bucket gives what it holds and no more', () => {
  const bucket: Bucket = { tokens: 3, at: 0 };
  expect([1, 1, 1, 1].map((amount) => take(bucket, amount))).toEqual([true, true, true, false]);
  expect(bucket.tokens).toBe(0);
});

it('a refused amount costs nothing', () => {
  const bucket: Bucket = { tokens: 3, at: 0 };
  expect(take(bucket, 4)).toBe(false);
  expect(take(bucket, 3)).toBe(true);
});

it('tokens come in by time, in parts, up to the capacity', () => {
  const bucket: Bucket = { tokens: 0, at: 1000 };
  refill(bucket, 1050, 10, 5);
  expect(bucket).toEqual({ tokens: 0.5, at: 1050 });
  refill(bucket, 1100, 10, 5);
  expect(bucket.tokens).toBe(1);
  refill(bucket, 61_100, 10, 5);
  expect(bucket.tokens).toBe(5);
});

it('a debt is paid before anything is given', () => {
  const bucket: Bucket = { tokens: -10, at: 0 };
  refill(bucket, 1000, 10, 5);
  expect(take(bucket, 1)).toBe(false);
  refill(bucket, 1100, 10, 5);
  expect(take(bucket, 1)).toBe(true);
});

it('the same instant brings nothing', () => {
  const bucket: Bucket = { tokens: 1, at: 7 };
  refill(bucket, 7, 1000, 10);
  expect(bucket.tokens).toBe(1);
});
