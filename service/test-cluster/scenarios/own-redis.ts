import { createRelease } from '../lib/release.ts';
import type { Scenario, World } from '../lib/scenario.ts';

const PASSWORD = 'a password, with commas: "and" more $';

/** A release without a Redis of its own: the servers are ready once they reach the one that they are told of. */
export const ownRedis: Scenario = {
  name: 'own-redis',
  what: 'release with a Redis of yours',
  needs: [],
  async run(world) {
    const { options, kubernetes, imageValues, namespaces } = world;
    const namespace = `${options.namespace}-redis`;
    await namespaces.create(namespace);
    const core = `/api/v1/namespaces/${namespace}`;
    await kubernetes.create(`${core}/secrets`, { metadata: { name: 'mine' }, stringData: { password: PASSWORD } });
    await kubernetes.create(`${core}/services`, {
      metadata: { name: 'mine' },
      spec: { selector: { app: 'mine' }, ports: [{ port: 6379 }] },
    });
    await kubernetes.create(`${core}/pods`, redisPod(world));
    const values = [
      'redis.enabled=false',
      'externalRedis.urls={redis://mine:6379}',
      'externalRedis.passwordSecret.name=mine',
      'externalRedis.passwordSecret.key=password',
    ];
    const flags = [...imageValues, ...values.flatMap((value) => ['--set', value])];
    const release = createRelease({ name: 'sf', namespace, values: flags }, kubernetes);
    await release.installNow();
    await release.settled(2, 90_000);
    const redis = await release.pods('redis');
    await namespaces.remove(namespace);
    return { problems: redis.length === 0 ? [] : ['the chart made a Redis of its own all the same'] };
  },
};

function redisPod({ options }: World): object {
  return {
    metadata: { name: 'mine', labels: { app: 'mine' } },
    spec: {
      securityContext: { runAsNonRoot: true, runAsUser: 999, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'redis',
          image: options.redisImage,
          command: ['redis-server', '--requirepass', PASSWORD, '--save', ''],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  };
}
