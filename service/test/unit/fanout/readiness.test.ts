import { describe, expect, it } from 'vitest';
import { createReadiness, type ReadinessOptions, type ReadinessPolicy } from '../../../src/fanout/readiness.ts';

const OPTIONS: ReadinessOptions = { policy: 'grace', graceMs: 10_000, recoverMs: 5_000, jitter: 0 };
const ready = (more: Partial<ReadinessOptions> = {}) => {
  const readiness = createReadiness({ ...OPTIONS, ...more });
  readiness.sample(true, 0);
  return readiness;
};

describe('readiness of a server that has never seen Redis', () => {
  it.each<[ReadinessPolicy, boolean]>([
    ['off', true],
    ['startup', false],
    ['grace', false],
    ['strict', false],
  ])('under %s is %s', (policy, isReady) => {
    const readiness = createReadiness({ ...OPTIONS, policy });
    expect(readiness.isReady()).toBe(isReady);
    readiness.sample(false, 60_000);
    expect(readiness.isReady()).toBe(isReady);
    expect(readiness.hasSeenRedis()).toBe(false);
    expect(readiness.reason()).toBe(isReady ? undefined : 'has not seen Redis yet');
    expect(readiness.wantsPeers(90_000)).toBe(false);
  });
});

describe('readiness under grace', () => {
  it('asks peers only when the grace is over, and then as long as the outage lasts', () => {
    const readiness = ready();
    readiness.sample(false, 1_000);
    expect(readiness.wantsPeers(10_999)).toBe(false);
    expect(readiness.wantsPeers(11_000)).toBe(true);
    expect(readiness.downMs(11_000)).toBe(10_000);
    readiness.peersSaid(undefined, 11_500);
    expect(readiness.wantsPeers(12_000)).toBe(true);
    readiness.sample(true, 13_000);
    expect(readiness.wantsPeers(60_000)).toBe(false);
    expect(readiness.downMs(60_000)).toBe(0);
  });

  it('spreads the end of the grace over half its length', () => {
    const readiness = ready({ jitter: 1 });
    readiness.sample(false, 0);
    expect([readiness.wantsPeers(14_999), readiness.wantsPeers(15_000)]).toEqual([false, true]);
  });

  it('leaves when a peer sees Redis, and stays when none does or none answers', () => {
    for (const [said, isReady] of [
      [true, false],
      [false, true],
      [undefined, true],
    ] as const) {
      const readiness = ready();
      readiness.sample(false, 1_000);
      readiness.peersSaid(said, 12_000);
      expect(readiness.isReady()).toBe(isReady);
      expect(readiness.reason()).toBe(isReady ? undefined : 'cut off from Redis');
    }
  });

  it('does not believe what comes after the outage is over', () => {
    const readiness = ready();
    readiness.sample(false, 1_000);
    readiness.sample(true, 12_000);
    readiness.peersSaid(true, 12_100);
    expect(readiness.isReady()).toBe(true);
  });

  it('comes back only when Redis has been well for a while, without a break', () => {
    const readiness = ready();
    readiness.sample(false, 1_000);
    readiness.peersSaid(true, 12_000);
    readiness.sample(true, 13_000);
    readiness.sample(true, 17_999);
    expect(readiness.isReady()).toBe(false);
    readiness.sample(false, 18_000);
    readiness.sample(true, 19_000);
    readiness.sample(true, 23_999);
    expect(readiness.isReady()).toBe(false);
    readiness.sample(true, 24_000);
    expect(readiness.isReady()).toBe(true);
  });

  it('comes back when the outage turns out to be everybody’s for a while, not when one answer says so', () => {
    const readiness = ready();
    readiness.sample(false, 1_000);
    readiness.peersSaid(true, 12_000);
    readiness.peersSaid(false, 13_000);
    readiness.peersSaid(false, 17_999);
    expect(readiness.isReady()).toBe(false);
    readiness.peersSaid(true, 18_000);
    readiness.peersSaid(false, 19_000);
    readiness.peersSaid(undefined, 20_000);
    readiness.peersSaid(false, 23_999);
    expect(readiness.isReady()).toBe(false);
    readiness.peersSaid(false, 24_000);
    expect(readiness.isReady()).toBe(true);
  });

  it('does not leave for a Redis that comes and goes', () => {
    const readiness = ready();
    for (let now = 0; now < 60_000; now += 300) {
      readiness.sample((now / 300) % 2 === 0, now);
      expect(readiness.wantsPeers(now)).toBe(false);
    }
    expect(readiness.isReady()).toBe(true);
  });
});

describe('readiness under the other policies', () => {
  it('strict leaves by itself, but not for one lost canary', () => {
    const readiness = ready({ policy: 'strict' });
    readiness.sample(false, 1_000);
    readiness.sample(true, 1_900);
    readiness.sample(false, 3_000);
    readiness.sample(false, 4_000);
    expect(readiness.isReady()).toBe(true);
    readiness.sample(false, 4_500);
    expect(readiness.isReady()).toBe(false);
    readiness.sample(true, 5_000);
    readiness.sample(true, 10_000);
    expect(readiness.isReady()).toBe(true);
  });

  it.each<ReadinessPolicy>(['off', 'startup'])('%s stays, whatever happens after the start', (policy) => {
    const readiness = ready({ policy });
    for (let now = 1_000; now < 100_000; now += 1_000) readiness.sample(false, now);
    readiness.peersSaid(true, 100_000);
    expect([readiness.isReady(), readiness.wantsPeers(100_000)]).toEqual([true, false]);
  });
});
