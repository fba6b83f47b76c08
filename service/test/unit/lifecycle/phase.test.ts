import { describe, expect, it } from 'vitest';
import { createPhase, type PhaseName } from '../../../src/lifecycle/phase.ts';

const ORDER: readonly PhaseName[] = ['starting', 'ready', 'draining', 'stopped'];

describe('the phase of a process', () => {
  it('begins with starting', () => {
    expect(createPhase({ readyWhileDraining: true }).name()).toBe('starting');
  });

  it('goes forward only', () => {
    for (const from of ORDER) {
      for (const to of ORDER) {
        const phase = createPhase({ readyWhileDraining: false });
        phase.advance(from);
        phase.advance(to);
        expect(phase.name()).toBe(ORDER.indexOf(to) > ORDER.indexOf(from) ? to : from);
      }
    }
  });

  it('is draining in one phase only', () => {
    const phase = createPhase({ readyWhileDraining: false });
    const seen = ORDER.map((to) => {
      phase.advance(to);
      return phase.isDraining();
    });
    expect(seen).toEqual([false, false, true, false]);
  });
});

describe('readiness', () => {
  it.each<[readyWhileDraining: boolean, ready: boolean[]]>([
    [false, [false, true, false, false]],
    [true, [false, true, true, false]],
  ])('with readyWhileDraining %s is %j over the life of a process', (readyWhileDraining, expected) => {
    const phase = createPhase({ readyWhileDraining });
    const seen = ORDER.map((to) => {
      phase.advance(to);
      return phase.isReady();
    });
    expect(seen).toEqual(expected);
  });

  it('is not gained by draining before it was there', () => {
    const phase = createPhase({ readyWhileDraining: true });
    phase.advance('draining');
    expect(phase.isReady()).toBe(false);
    phase.advance('ready');
    expect(phase.isReady()).toBe(false);
  });

  it.each(ORDER)('does not come back once it was withdrawn while %s', (when) => {
    const phase = createPhase({ readyWhileDraining: true });
    phase.advance(when);
    phase.withdraw();
    phase.withdraw();
    for (const to of ORDER) {
      expect(phase.isReady()).toBe(false);
      phase.advance(to);
    }
    expect(phase.isReady()).toBe(false);
    expect(phase.name()).toBe('stopped');
  });
});
