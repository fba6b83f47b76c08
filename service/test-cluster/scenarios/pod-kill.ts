import { busiestPod } from '../lib/busiest-pod.ts';
import { isReady, type Pod } from '../lib/objects.ts';
import { run } from '../lib/run.ts';
import type { Scenario } from '../lib/scenario.ts';
import { underLoad } from '../lib/under-load.ts';
import { until } from '../lib/until.ts';

/** A pod's process is killed without a warning, which Kubernetes itself never does: even a forced delete sends SIGTERM first. */
export const podKill: Scenario = {
  name: 'pod-kill',
  what: 'SIGKILL of a pod',
  needs: ['crowd'],
  async run(world) {
    const { options, release } = world;
    const [program, ...args] = options.podKill;
    if (program === undefined) return { problems: [], skipped: 'no --pod-kill command for this cluster' };
    return underLoad(world, {
      isGraceful: false,
      async act() {
        const victim = await busiestPod(world);
        const { name } = victim.metadata;
        await run(program, { args: [...args, `${release.namespace}/${name}`], deadlineMs: 15_000 });
        await until({
          what: `${name} is restarted and ready`,
          deadlineMs: 60_000,
          ask: async () => {
            const pod = (await release.pods('server')).find(({ metadata }) => metadata.name === name);
            return pod !== undefined && restarts(pod) > restarts(victim) && isReady(pod);
          },
        });
        return [];
      },
    });
  },
};

function restarts(pod: Pod): number {
  return pod.status.containerStatuses?.[0]?.restartCount ?? 0;
}
