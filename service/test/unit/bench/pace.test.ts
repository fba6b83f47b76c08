import { expect, test } from 'vitest';
import { eventsDue } from '../../../bench/lib/pace.ts';

const PACE = { events: 50, perSecond: 1_000 };

test.each([
  [0, 1],
  [0.9, 1],
  [1, 2],
  [20.5, 21],
])('after %d ms at 1000/s, %d events are due', (elapsedMs, due) => {
  expect(eventsDue(elapsedMs, PACE)).toBe(due);
});

test('a late emitter catches up, but never beyond the last event', () => {
  expect(eventsDue(49, PACE)).toBe(50);
  expect(eventsDue(10_000, PACE)).toBe(50);
});
