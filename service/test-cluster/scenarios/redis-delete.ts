import { isReady } from '../lib/objects.ts';
import type { Scenario } from '../lib/scenario.ts';
import { underLoad } from '../lib/under-load.ts';
import { until } from '../lib/until.ts';

/** The Redis pod is deleted. Clients stay where they are, and no server leaves the Service: all of them lost Redis. */
export const redisDelete: Scenario = {
  name: 'redis-delete',
  what: 'Redis pod deleted',
  needs: ['crowd'],
  run: (world) =>
    underLoad(world, {
      isGraceful: false,
      mostOutages: 0,
      async act() {
        const { release, kubernetes } = world;
        const [redis] = await release.pods('redis');
        if (redis === undefined) return ['there is no Redis pod'];
        const problems = new Set<string>();
        await kubernetes.remove(`/api/v1/namespaces/${release.namespace}/pods/${redis.metadata.name}`);
        await until({
          what: 'another Redis pod is ready',
          deadlineMs: 60_000,
          ask: async () => {
            const ready = (await release.pods('server')).filter(isReady).length;
            if (ready < 2) problems.add(`a server was not ready while Redis was away for all`);
            const [now] = await release.pods('redis');
            return now !== undefined && now.metadata.uid !== redis.metadata.uid && isReady(now);
          },
        });
        return [...problems];
      },
    }),
};
