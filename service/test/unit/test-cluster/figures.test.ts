import { describe, expect, it } from 'vitest';
import { peakPerSecond, percentile } from '../../../test-cluster/lib/figures.ts';

describe('a percentile', () => {
  it('is a value that the share does not exceed', () => {
    const values = [40, 10, 30, 20];
    expect([0.5, 0.75, 0.95, 1].map((share) => percentile(values, share))).toEqual([20, 30, 40, 40]);
  });

  it('is 0 without values', () => {
    expect(percentile([], 0.5)).toBe(0);
  });
});

describe('the peak per second', () => {
  it('looks at any second, not at those of the clock', () => {
    expect(peakPerSecond([1_900, 100, 2_000, 2_100, 2_899, 2_900])).toBe(4);
  });

  it('is 0 without events', () => {
    expect(peakPerSecond([])).toBe(0);
  });
});
