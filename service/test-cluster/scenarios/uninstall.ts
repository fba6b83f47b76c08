import { run } from '../lib/run.ts';
import type { Scenario } from '../lib/scenario.ts';
import { until } from '../lib/until.ts';

const KINDS = 'all,cm,secret,pvc,netpol,pdb';

/** What is left is what would be missed: the generated Secret, and the claim of a Redis that keeps its data. */
export const uninstall: Scenario = {
  name: 'uninstall',
  what: 'helm uninstall',
  needs: ['install'],
  async run({ release, crowd, publisher }) {
    crowd.stop();
    await publisher.stop();
    await release.uninstall();
    await until({
      what: 'the last pod has ended',
      deadlineMs: 60_000,
      ask: async () => [...(await release.pods('server')), ...(await release.pods('redis'))].length === 0,
    });
    const labels = `app.kubernetes.io/instance=${release.name}`;
    const args = ['get', KINDS, '-n', release.namespace, '-l', labels, '-o', 'name'];
    const left = (await run('kubectl', { args, deadlineMs: 15_000 })).split('\n').filter((name) => name !== '');
    const kept = [`secret/${release.fullname}-secrets`, `persistentvolumeclaim/data-${release.fullname}-redis-0`];
    const problems = left.filter((name) => !kept.includes(name)).map((name) => `${name} is left`);
    problems.push(...kept.filter((name) => !left.includes(name)).map((name) => `${name} is gone`));
    return { problems, note: `left: ${left.join(', ')}` };
  },
};
