import { describe, expect, it } from 'vitest';
import { chosen } from '../../../test-cluster/lib/plan.ts';
import { SCENARIOS } from '../../../test-cluster/scenarios/scenarios.ts';

const names = (only: readonly string[]) => chosen(SCENARIOS, only).map(({ name }) => name);

describe('the plan of the cluster test', () => {
  it('is everything, each thing after what it needs', () => {
    const all = names([]);
    expect(new Set(all).size).toBe(all.length);
    for (const { name, needs } of SCENARIOS)
      for (const need of needs) expect(all.indexOf(need)).toBeLessThan(all.indexOf(name));
  });

  it('brings along what a chosen scenario needs, in its order', () => {
    expect(names(['rollback'])).toEqual(['install', 'crowd', 'upgrade', 'rollback']);
  });

  it('names the scenarios that there are when one is unknown', () => {
    expect(() => names(['reboot'])).toThrow(/no scenario reboot; there are .*uninstall/);
  });
});
