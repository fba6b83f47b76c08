import type { Scenario } from '../lib/scenario.ts';
import { underLoad } from '../lib/under-load.ts';

const SETTLED_MS = 90_000;

/** Two pods come. Nobody has to move for that. */
export const scaleUp: Scenario = {
  name: 'scale-up',
  what: 'scale 2 -> 4',
  needs: ['crowd'],
  run: (world) =>
    underLoad(world, {
      isGraceful: true,
      mostOutages: 0,
      async act() {
        await world.release.scale(4);
        await world.release.settled(4, SETTLED_MS);
        return [];
      },
    }),
};

/** Two of four pods go, with whoever is on them. */
export const scaleDown: Scenario = {
  name: 'scale-down',
  what: 'scale 4 -> 2',
  needs: ['scale-up'],
  async run(world) {
    // A pod that came last is empty, and is the first to go.
    world.say('clients come anew, to all pods');
    await world.crowd.comeAnew(30_000);
    return underLoad(world, {
      isGraceful: true,
      async act() {
        await world.release.scale(2);
        await world.release.settled(2, SETTLED_MS);
        return [];
      },
    });
  },
};
