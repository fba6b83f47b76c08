import { run } from '../lib/run.ts';
import type { Scenario } from '../lib/scenario.ts';

/** The chart goes into a namespace that enforces the restricted profile, and everything becomes ready. */
export const install: Scenario = {
  name: 'install',
  what: 'helm install',
  needs: [],
  async run({ release }) {
    const version = await run('helm', { args: ['version', '--short'], deadlineMs: 15_000 });
    await release.install(120);
    await release.settled(2, 10_000);
    return { problems: [], note: `helm ${version.trim()}` };
  },
};
