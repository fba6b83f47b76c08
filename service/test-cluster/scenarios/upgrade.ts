import type { Scenario } from '../lib/scenario.ts';
import { underLoad } from '../lib/under-load.ts';

/** Values change, so every pod is replaced; what was generated at the installation stays. */
export const upgrade: Scenario = {
  name: 'upgrade',
  what: 'helm upgrade, other values',
  needs: ['crowd'],
  run: (world) =>
    underLoad(world, {
      isGraceful: true,
      async act() {
        const { release } = world;
        const before = await release.secrets();
        await release.upgrade(['--set', 'settings.maxConnections=5000'], 150);
        await release.settled(2, 60_000);
        return changed(before, await release.secrets());
      },
    }),
};

/** And back again. */
export const rollback: Scenario = {
  name: 'rollback',
  what: 'helm rollback',
  needs: ['upgrade'],
  run: (world) =>
    underLoad(world, {
      isGraceful: true,
      async act() {
        const { release } = world;
        const before = await release.secrets();
        await release.rollback(1, 150);
        await release.settled(2, 60_000);
        const { spec } = await release.deployment();
        const problems = changed(before, await release.secrets());
        if (JSON.stringify(spec.template).includes('"5000"')) problems.push('the changed value is still there');
        return problems;
      },
    }),
};

type Secrets = Readonly<Record<string, string>>;

function changed(before: Secrets, after: Secrets): string[] {
  return Object.keys(before)
    .filter((key) => before[key] !== after[key])
    .map((key) => `the generated ${key} has changed`);
}
