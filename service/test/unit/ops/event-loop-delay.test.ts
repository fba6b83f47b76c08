import { describe, expect, it } from 'vitest';
import { createEventLoopDelay } from '../../../src/ops/event-loop-delay.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const turn = () => new Promise((resolve) => setTimeout(resolve, 30));
function blockFor(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe('the event-loop delay', () => {
  it('is unknown before a window is complete, then shows its quantiles', async () => {
    const clock = createFakeClock();
    const delay = createEventLoopDelay({ clock });
    delay.start();
    await turn();
    blockFor(120);
    await turn();
    clock.advance(9_999);
    expect(delay.latest().size).toBe(0);
    clock.advance(1);
    expect([...delay.latest().keys()]).toEqual(['0.5', '0.9', '0.99', '1']);
    expect(delay.latest().get('1')).toBeGreaterThan(0.09);
    expect(delay.latest().get('1')).toBeLessThan(2);
    delay.stop();
  });

  it('forgets a window when the next one is complete', async () => {
    const clock = createFakeClock();
    const delay = createEventLoopDelay({ clock });
    delay.start();
    await turn();
    blockFor(120);
    await turn();
    clock.advance(10_000);
    clock.advance(10_000);
    expect(delay.latest().get('1')).toBe(0);
    delay.stop();
  });

  it('tells the delay of the last second to those who act on it', async () => {
    const clock = createFakeClock();
    const delay = createEventLoopDelay({ clock });
    delay.start();
    expect(delay.recentMs()).toBe(0);
    for (let i = 0; i < 3; i++) {
      blockFor(60);
      await new Promise((resolve) => setImmediate(resolve));
    }
    clock.advance(1_000);
    expect(delay.recentMs()).toBeGreaterThan(40);
    delay.stop();
  });

  it('may be started and stopped twice, and leaves no timer', () => {
    const clock = createFakeClock();
    const delay = createEventLoopDelay({ clock });
    delay.start();
    delay.start();
    expect(clock.pending()).toBe(2);
    delay.stop();
    delay.stop();
    expect(clock.pending()).toBe(0);
    expect(delay.latest().size).toBe(0);
  });
});
