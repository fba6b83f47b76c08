import { busiestPod } from '../lib/busiest-pod.ts';
import type { Scenario } from '../lib/scenario.ts';
import { underLoad } from '../lib/under-load.ts';

/** One pod is deleted, as an eviction or a node drain does it. */
export const podDelete: Scenario = {
  name: 'pod-delete',
  what: 'pod deleted',
  needs: ['crowd'],
  run: (world) =>
    underLoad(world, {
      isGraceful: true,
      async act() {
        const { release, kubernetes } = world;
        const pod = await busiestPod(world);
        await kubernetes.remove(`/api/v1/namespaces/${release.namespace}/pods/${pod.metadata.name}`);
        await release.settled(2, 60_000);
        return [];
      },
    }),
};
