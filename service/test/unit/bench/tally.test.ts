import { expect, test } from 'vitest';
import { createTally, payload } from '../../../bench/lib/tally.ts';

const frame = (seq: number, rest = '') => Buffer.from(`42["m","${payload(seq, 64)}"${rest}]`);

test('an event has the size that was asked for', () => {
  expect(payload(7, 64)).toHaveLength(64);
});

test('everything delivered once and in order is without fault', () => {
  const tally = createTally(2, { first: 5, bytes: 64 });
  for (const client of [0, 1]) for (const seq of [5, 6, 7]) tally.take(client, frame(seq));
  expect(tally.verdict(3)).toEqual({ expected: 6, delivered: 6, faults: [] });
});

test('an event with further arguments counts as well', () => {
  const tally = createTally(1, { first: 0, bytes: 64 });
  expect(tally.take(0, frame(0, ',"an-offset"'))).toBe(true);
  expect(tally.verdict(1).faults).toEqual([]);
});

test('other frames are not events', () => {
  const tally = createTally(1, { first: 0, bytes: 64 });
  for (const text of ['2', '40{"sid":"a"}', '42["other","00000000"]', '42["m"]', '']) {
    expect(tally.take(0, Buffer.from(text))).toBe(false);
  }
  expect(tally.delivered).toBe(0);
});

test('a lost event is a fault of the client that missed it', () => {
  const tally = createTally(2, { first: 0, bytes: 64 });
  for (const [client, seq] of [
    [0, 0],
    [0, 1],
    [1, 0],
  ] as const)
    tally.take(client, frame(seq));
  expect(tally.verdict(2)).toMatchObject({ expected: 4, delivered: 3, faults: ['client 1: 1 of 2 events arrived'] });
});

test('a doubled event is a fault even when another one is lost and the count is right', () => {
  const tally = createTally(1, { first: 0, bytes: 64 });
  for (const seq of [0, 0]) tally.take(0, frame(seq));
  const verdict = tally.verdict(2);
  expect(verdict.delivered).toBe(verdict.expected);
  expect(verdict.faults).toEqual(['client 0: event 0 came where 1 was due']);
});

test('a doubled last event is a fault', () => {
  const tally = createTally(1, { first: 0, bytes: 64 });
  for (const seq of [0, 1, 1]) tally.take(0, frame(seq));
  expect(tally.verdict(2).faults).toContain('client 0: 3 of 2 events arrived');
});

test('events in the wrong order are a fault', () => {
  const tally = createTally(1, { first: 0, bytes: 64 });
  for (const seq of [1, 0]) tally.take(0, frame(seq));
  expect(tally.verdict(2).faults).toEqual(['client 0: event 1 came where 0 was due']);
});

test('an event that was cut short is a fault', () => {
  const tally = createTally(1, { first: 0, bytes: 65 });
  tally.take(0, frame(0));
  expect(tally.verdict(1).faults).toEqual(['client 0: event 0 was cut short']);
});

test('of many faults the clients that miss most are named, and not all of them', () => {
  const tally = createTally(100, { first: 0, bytes: 64 });
  for (let client = 0; client < 100; client++) if (client !== 42) tally.take(client, frame(0));
  const { faults } = tally.verdict(2);
  expect(faults).toHaveLength(10);
  expect(faults[0]).toBe('client 42: 0 of 2 events arrived');
});
