import { expect, test } from 'vitest';
import { nowUs, stampNow, stampOf } from '../../../bench/lib/stamp.ts';
import { createTally, payload } from '../../../bench/lib/tally.ts';

test('the time of the emit survives the way through a frame', () => {
  const before = nowUs();
  const frame = Buffer.from(`42["m","${payload(7, 64, stampNow())}"]`);
  expect(stampOf(frame)).toBeGreaterThanOrEqual(before);
  expect(stampOf(frame)).toBeLessThanOrEqual(nowUs());
});

test('an event with a time has the size that was asked for and counts like any other', () => {
  const text = payload(3, 64, stampNow());
  const tally = createTally(1, { first: 3, bytes: 64 });
  expect(text).toHaveLength(64);
  expect(tally.take(0, Buffer.from(`42["m","${text}"]`))).toBe(true);
  expect(tally.verdict(1).faults).toEqual([]);
});
