import { createRelease } from '../lib/release.ts';
import type { Scenario } from '../lib/scenario.ts';

/**
 * A release named as its chart, without any value but the image. Kubernetes would inject SOCKETFLEET_PORT=tcp://... for
 * its Service, and every default of the chart has to hold under the restricted profile.
 */
export const otherName: Scenario = {
  name: 'other-name',
  what: 'release named socketfleet, no values',
  needs: [],
  async run({ options, kubernetes, imageValues, namespaces }) {
    const namespace = `${options.namespace}-other`;
    await namespaces.create(namespace);
    const release = createRelease({ name: 'socketfleet', namespace, values: imageValues }, kubernetes);
    await release.installNow();
    await release.settled(2, 90_000);
    await namespaces.remove(namespace);
    return { problems: [] };
  },
};
