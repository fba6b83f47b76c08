import { isReady, type Pod } from './objects.ts';
import type { World } from './scenario.ts';

/** The ready server with most clients; ending another one would prove little. Rejects without one. */
export async function busiestPod({ release, crowd }: World): Promise<Pod> {
  const pods = (await release.pods('server')).filter(isReady);
  const most = Math.max(...pods.map(({ metadata }) => crowd.clientsOn(metadata.name)));
  const pod = pods.find(({ metadata }) => crowd.clientsOn(metadata.name) === most);
  if (pod === undefined) throw new Error('there is no ready server');
  return pod;
}
