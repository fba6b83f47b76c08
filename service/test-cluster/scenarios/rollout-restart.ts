import type { Scenario } from '../lib/scenario.ts';
import { underLoad } from '../lib/under-load.ts';

/** Every pod is replaced, one after the other. */
export const rolloutRestart: Scenario = {
  name: 'rollout-restart',
  what: 'rollout restart',
  needs: ['crowd'],
  run: (world) =>
    underLoad(world, {
      isGraceful: true,
      async act() {
        const before = new Set((await world.release.pods('server')).map(({ metadata }) => metadata.uid));
        await world.release.restart();
        await world.release.settled(2, 120_000);
        const after = await world.release.pods('server');
        return after.some(({ metadata }) => before.has(metadata.uid)) ? ['a pod was not replaced'] : [];
      },
    }),
};
