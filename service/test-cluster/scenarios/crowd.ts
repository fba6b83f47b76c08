import type { Scenario } from '../lib/scenario.ts';
import { underLoad } from '../lib/under-load.ts';

/** The crowd and the publisher come, all at once; they stay for the rest of the run. */
export const crowd: Scenario = {
  name: 'crowd',
  what: 'clients and a publisher come',
  needs: ['install'],
  run: (world) =>
    underLoad(world, {
      isGraceful: true,
      mostOutages: 0,
      async act() {
        await world.publisher.start();
        await world.crowd.start(60_000);
        return [];
      },
    }),
};
