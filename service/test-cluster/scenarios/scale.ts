import type { Scenario } from '../lib/scenario.ts';
import { underLoad } from '../lib/under-load.ts';

/** Two pods come, then two go with whoever is on them. */
export const scale: Scenario = {
  name: 'scale',
  what: 'scale 2 -> 4 -> 2',
  needs: ['crowd'],
  run: (world) =>
    underLoad(world, {
      isGraceful: true,
      async act() {
        for (const replicas of [4, 2]) {
          world.say(`to ${replicas} pods`);
          await world.release.scale(replicas);
          await world.release.settled(replicas, 90_000);
        }
        return [];
      },
    }),
};
