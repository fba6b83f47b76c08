import type { Playable } from './run-suite.ts';
import { startSubject, startSwarm } from './sides.ts';
import type { Suite } from './suite.ts';

/** Plays a suite with one server and a swarm. */
export function onServer(suite: Suite): Playable {
  return {
    ...suite,
    async play(side, run) {
      const subject = startSubject(side, run);
      const swarm = startSwarm(run);
      try {
        const { url } = await subject.call('start', undefined);
        return await suite.round({ subject, swarm, url, scale: run.scale, say: run.say });
      } finally {
        await Promise.all([swarm.stop(), subject.stop()]);
      }
    },
  };
}
