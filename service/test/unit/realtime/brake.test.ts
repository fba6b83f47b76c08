import { describe, expect, it } from 'vitest';
import { createBrake } from '../../../src/realtime/brake.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const calm = () => 0;

/** Gaps between arrivals, in milliseconds: a crowd, trickles, bursts with silence between them, and the rate itself. */
const CROWDS: Record<string, (random: () => number, rate: number) => number> = {
  'all at once': (random) => (random() < 0.9 ? 0 : random()),
  'a steady flood': (random, rate) => (random() * 1000) / (4 * rate),
  'a trickle below the rate': (random, rate) => 900 / rate + (random() * 800) / rate,
  'bursts and silence': (random) => (random() < 0.01 ? random() * 3000 : random() * 0.5),
  'exactly the rate': (_random, rate) => 1000 / rate,
};

/** Times at which sessions were admitted. */
function admissions(rate: number, gaps: () => number, arrivals: number, delayMs = calm): number[] {
  const clock = createFakeClock();
  const brake = createBrake(rate, clock, delayMs);
  const times: number[] = [];
  for (let i = 0; i < arrivals; i++) {
    if (brake.admit()) times.push(clock.now());
    clock.advance(gaps());
  }
  return times;
}

/** The most admissions in any window of 1000 ms. */
function busiestSecond(times: readonly number[]): number {
  let most = 0;
  for (let first = 0, last = 0; last < times.length; last++) {
    while ((times[last] ?? 0) - (times[first] ?? 0) >= 1000) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

describe.each([1, 2, 5, 20, 100, 1000])('a brake of %i per second', (rate) => {
  it.each(Object.keys(CROWDS))('never admits more in any second: %s', (name) => {
    const gap = CROWDS[name] ?? calm;
    for (let seed = 1; seed <= 5; seed++) {
      const random = seededRandom(seed * 7919 + rate);
      const times = admissions(rate, () => gap(random, rate), 6000);
      expect(times.length).toBeGreaterThan(0);
      expect(busiestSecond(times), `seed ${seed}`).toBeLessThanOrEqual(rate);
    }
  });

  it('admits nearly as many as it may when a crowd waits', () => {
    const seconds = 20;
    const step = 1;
    const times = admissions(rate, () => step, (seconds * 1000) / step);
    expect(times.length).toBeGreaterThanOrEqual(seconds * rate * 0.95 - 1);
    expect(times.length).toBeLessThanOrEqual(seconds * rate);
  });

  it('has forgotten a crowd a second later', () => {
    const clock = createFakeClock();
    const brake = createBrake(rate, clock, calm);
    while (brake.admit());
    clock.advance(1000);
    expect(brake.admit()).toBe(true);
  });

  it('saves up no more than a twentieth of a second, however long nobody comes', () => {
    const clock = createFakeClock();
    const brake = createBrake(rate, clock, calm);
    clock.advance(86_400_000);
    let burst = 0;
    while (brake.admit()) burst++;
    expect(burst).toBe(Math.max(1, Math.floor(rate / 20)));
  });
});

describe('a brake', () => {
  const flood = (delayMs: number) =>
    admissions(
      100,
      () => 0.5,
      20_000,
      () => delayMs,
    ).length;

  it('is as fast as it may be up to a delay of 100 ms', () => {
    expect(flood(100)).toBe(flood(0));
  });

  it.each([
    [200, 0.5],
    [400, 0.25],
    [1000, 0.1],
    [60_000, 0.1],
  ])('at an event-loop delay of %i ms admits %d of its rate', (delayMs, share) => {
    expect(flood(delayMs) / flood(0)).toBeCloseTo(share, 1);
    expect(flood(delayMs)).toBeGreaterThan(0);
  });

  it('is quick again when the event loop is', () => {
    const clock = createFakeClock();
    let delayMs = 1000;
    const brake = createBrake(100, clock, () => delayMs);
    const inOneSecond = () => {
      let admitted = 0;
      for (let i = 0; i < 1000; i++) {
        if (brake.admit()) admitted++;
        clock.advance(1);
      }
      return admitted;
    };
    expect(inOneSecond()).toBeLessThanOrEqual(15);
    delayMs = 0;
    expect(inOneSecond()).toBeGreaterThanOrEqual(90);
  });

  it('of 0 is none', () => {
    const brake = createBrake(0, createFakeClock(), () => 60_000);
    expect(Array.from({ length: 10_000 }, () => brake.admit())).not.toContain(false);
    expect(brake.tokens()).toBe(0);
  });

  it('tells its tokens without taking any', () => {
    const clock = createFakeClock();
    const brake = createBrake(100, clock, calm);
    expect([brake.tokens(), brake.tokens()]).toEqual([5, 5]);
    brake.admit();
    expect(brake.tokens()).toBe(4);
    clock.advance(1000);
    expect(brake.tokens()).toBe(5);
  });
});
