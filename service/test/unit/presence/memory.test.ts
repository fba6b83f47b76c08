import { expect, it } from 'vitest';
import { createMemoryPresence } from '../../../src/presence/memory.ts';
import { presenceSuite } from '../../ports/presence.suite.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

presenceSuite('presence in memory', async (times) => {
  const clock = createFakeClock();
  return { presence: createMemoryPresence(times, { clock }), pass: async (ms) => clock.advance(ms) };
});

it('holds no timers when everybody has left or it was stopped', async () => {
  const clock = createFakeClock();
  const presence = createMemoryPresence({ lingerMs: 5_000, debounceMs: 500 }, { clock });
  presence.watch('lobby');
  await presence.join('lobby', { id: 'ann' }, 's1');
  await presence.leave('lobby', 'ann', 's1', 'lost');
  clock.advance(10_000);
  expect(clock.pending()).toBe(0);
  await presence.join('lobby', { id: 'ann' }, 's1');
  await presence.join('lobby', { id: 'bob' }, 's2');
  await presence.leave('lobby', 'ann', 's1', 'lost');
  expect(clock.pending()).toBeGreaterThan(0);
  await presence.stop();
  expect(clock.pending()).toBe(0);
});
