import { describe, expect, it } from 'vitest';
import { createCanary } from '../../../src/fanout/canary.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { turn } from './fake-client.ts';

interface Published {
  readonly channel: string;
  readonly payload: string;
  taken(): Promise<void>;
  refused(): Promise<void>;
}

function rig(channels = ['c']) {
  const clock = createFakeClock();
  const published: Published[] = [];
  const told: string[] = [];
  let heard = 0;
  const canary = createCanary(channels, {
    clock,
    publish: (channel, payload) =>
      new Promise<void>((resolve, reject) => {
        const then = (end: () => void) => async () => {
          end();
          await turn();
        };
        published.push({ channel, payload, taken: then(resolve), refused: then(() => reject(new Error('away'))) });
      }),
    onBack: (lagMs) => void told.push(`back ${lagMs}`),
    onMissing: (isDeaf) => void told.push(isDeaf ? 'deaf' : 'missing'),
    heard: () => heard,
  });
  const back = ({ channel, payload }: Published) => canary.heard(channel, payload);
  return { clock, published, told, canary, back, hearOther: () => void heard++ };
}

describe('a canary', () => {
  it('flies once a second, and tells how long each was away', () => {
    const { clock, published, told, canary, back } = rig();
    canary.start();
    clock.advance(3);
    back(published[0] as Published);
    clock.advance(1_000);
    back(published[1] as Published);
    expect([published.length, told]).toEqual([2, ['back 3', 'back 3']]);
  });

  it('is back only when it is on every channel', () => {
    const { told, canary, published, back } = rig(['a', 'b']);
    canary.start();
    back(published[0] as Published);
    back(published[0] as Published);
    expect(told).toEqual([]);
    back(published[1] as Published);
    expect(told).toEqual(['back 0']);
  });

  it('that nobody took is missing at once, and only once', async () => {
    const { told, canary, published } = rig(['a', 'b']);
    canary.start();
    await published[0]?.refused();
    await published[1]?.refused();
    expect(told).toEqual(['missing']);
  });

  it('that was taken and does not come back in 2 s tells that the subscription is deaf', async () => {
    const { clock, told, canary, published } = rig();
    canary.start();
    await published[0]?.taken();
    clock.advance(2_000);
    expect(told).toEqual([]);
    clock.advance(10);
    expect(told).toEqual(['deaf']);
  });

  it('that was neither taken nor refused tells nothing about the subscription', () => {
    const { clock, told, canary } = rig();
    canary.start();
    clock.advance(2_010);
    expect(told).toEqual(['missing']);
  });

  it('that is late while other messages come is slow, not deaf', async () => {
    const { clock, told, canary, published, hearOther } = rig();
    canary.start();
    hearOther();
    await published[0]?.taken();
    hearOther();
    clock.advance(2_010);
    expect(told).toEqual(['missing']);
  });

  it('is looked for once more after the time is up, because timers come before input after a long block', () => {
    const { clock, told, canary, published, back } = rig();
    canary.start();
    clock.advance(2_000);
    back(published[0] as Published);
    clock.advance(500);
    expect(told).toEqual(['back 2000']);
  });

  it('that is back makes those before it irrelevant: they flew before the subscription was there', async () => {
    const { clock, told, canary, published, back } = rig();
    canary.start();
    await published[0]?.taken();
    clock.advance(500);
    canary.fly();
    await published[1]?.taken();
    back(published[1] as Published);
    clock.advance(400);
    expect(told).toEqual(['back 0']);
    back(published[0] as Published);
    expect(told).toEqual(['back 0']);
  });

  it('does not care for what is not its own', () => {
    const { told, canary, published } = rig();
    canary.start();
    for (const payload of ['', 'x', '-1', '1e9', '0.5', 'NaN', '{}']) canary.heard('c', payload);
    canary.heard('other', published[0]?.payload ?? '');
    expect(told).toEqual([]);
  });

  it('does not fly before it is started, nor after it is stopped, and leaves no timers', () => {
    const { clock, canary, published, told } = rig();
    canary.fly();
    expect(published).toEqual([]);
    const stop = canary.start();
    stop();
    canary.fly();
    clock.advance(60_000);
    expect([published.length, told, clock.pending()]).toEqual([1, [], 0]);
  });
});
