import { expect, it } from 'vitest';
import { describeWithHelm, refusal, render } from './support/helm.ts';

/** What a user may type wrong, and the words that tell him which value it is. */
const BAD_INPUT: readonly (readonly [what: string, values: object, said: readonly string[]])[] = [
  // Typing
  ['a typo in a key', { replicaCont: 3 }, ['replicaCont', 'not allowed']],
  ['a typo in an inner key', { redis: { enable: false } }, ['/redis', 'enable']],
  ['a setting that there is not', { settings: { maxConnection: 5 } }, ['/settings', 'maxConnection']],
  ['a key of another chart', { autoscaling: { enabled: true } }, ['/autoscaling', 'enabled']],
  ['a number as text', { replicaCount: '3' }, ['/replicaCount', 'integer']],
  ['a port as text', { ports: { public: '3000' } }, ['/ports/public', 'integer']],
  ['a truth as text', { ingress: { enabled: 'true' } }, ['/ingress/enabled', 'boolean']],
  ['a tag as number', { image: { tag: 1.2 } }, ['/image/tag', 'string']],
  ['an environment variable as number', { extraEnv: [{ name: 'N', value: 1 }] }, ['/extraEnv/0/value', 'string']],
  ['an annotation as truth', { podAnnotations: { a: true } }, ['/podAnnotations/a', 'string']],
  ['a list where one name belongs', { ingress: { hosts: 'chat.example.com' } }, ['/ingress/hosts', 'array']],
  ['a number below what is possible', { replicaCount: -1 }, ['/replicaCount', 'minimum']],
  ['a port beyond what there is', { service: { port: 70000 } }, ['/service/port', 'maximum']],
  ['a setting beyond its bounds', { settings: { pingIntervalMs: 1 } }, ['/settings/pingIntervalMs', 'minimum']],
  // Choices
  ['an unknown provider', { affinity: { provider: 'nginx' } }, ['/affinity/provider', 'haproxy', 'traefik']],
  ['an unknown mode of tokens', { auth: { mode: 'oauth' } }, ['/auth/mode', 'jwt', 'none']],
  ['an unknown topology', { externalRedis: { topology: 'replica' } }, ['/externalRedis/topology', 'sentinel']],
  ['an unknown log level', { settings: { logLevel: 'trace' } }, ['/settings/logLevel', 'debug']],
  ['an unknown readiness', { settings: { readiness: 'loose' } }, ['/settings/readiness', 'grace']],
  ['an unknown type of Service', { service: { type: 'Clusterip' } }, ['/service/type', 'ClusterIP']],
  // Forms
  ['a host with a scheme', { ingress: { hosts: ['https://chat.example.com'] } }, ['/ingress/hosts/0', 'https://chat']],
  [
    'an origin with a path',
    { settings: { origins: ['https://a.example.com/'] } },
    ['/settings/origins/0', 'a.example'],
  ],
  ['a proxy that is no address', { settings: { trustedProxies: ['ingress'] } }, ['/settings/trustedProxies/0']],
  ['a Redis URL without scheme', { externalRedis: { urls: ['redis:6379'] } }, ['/externalRedis/urls/0', 'redis:6379']],
  ['a digest without its algorithm', { image: { digest: 'abc' } }, ['/image/digest', 'abc']],
  ['an image with its tag in the repository', { image: { repository: 'chat:1' } }, ['/image/repository', 'chat:1']],
  ['a quantity with a wrong unit', { redis: { persistence: { size: '5GB' } } }, ['/redis/persistence/size', '5GB']],
  ['a name that no object can have', { fullnameOverride: 'Chat_1' }, ['/fullnameOverride', 'Chat_1']],
  ['an address of keys without scheme', { auth: { jwksUrl: 'login.example.com' } }, ['/auth/jwksUrl', 'login.example']],
  // Contradictions
  [
    'a grace period that is too short',
    { terminationGracePeriodSeconds: 30 },
    ['terminationGracePeriodSeconds', '50 s'],
  ],
  ['ports that clash', { ports: { public: 9464 } }, ['ports.public and ports.internal', '9464']],
  [
    'both Redis',
    { externalRedis: { urls: ['redis://r'] } },
    ['redis.enabled', "the chart's own Redis is on and externalRedis is filled"],
  ],
  ['no Redis for several servers', { redis: { enabled: false } }, ['redis.enabled', 'externalRedis.urls']],
  [
    'no Redis for servers that multiply',
    { replicaCount: 1, redis: { enabled: false }, autoscaling: { minReplicas: 1, hpa: { enabled: true } } },
    ['redis.enabled', 'without autoscaling'],
  ],
  [
    'both autoscalers',
    { autoscaling: { hpa: { enabled: true }, keda: { enabled: true, serverAddress: 'http://p' } } },
    ['autoscaling.hpa.enabled and autoscaling.keda.enabled'],
  ],
  ['KEDA without Prometheus', { autoscaling: { keda: { enabled: true } } }, ['autoscaling.keda.serverAddress']],
  [
    'a minimum above the maximum',
    { autoscaling: { minReplicas: 20, hpa: { enabled: true } } },
    ['autoscaling.minReplicas', '20', '10'],
  ],
  [
    'a target beyond what a server holds',
    { autoscaling: { connectionsPerPod: 20000, hpa: { enabled: true } } },
    ['autoscaling.connectionsPerPod', '20000', 'settings.maxConnections', '10000'],
  ],
  ['a rollout that cannot move', { rollout: { maxSurge: 0 } }, ['rollout.maxSurge and rollout.maxUnavailable']],
  [
    'a deadline before a pod can be ready',
    { rollout: { progressDeadlineSeconds: 20 } },
    ['rollout.progressDeadlineSeconds', '20', '40'],
  ],
  ['keys that nobody checks', { auth: { mode: 'none', jwksUrl: 'https://k' } }, ['auth.mode']],
  [
    'a key of an API that is off',
    { api: { enabled: false, existingSecret: { name: 'k' } } },
    ['api.existingSecret.name', 'api.enabled'],
  ],
  ['an Ingress for nobody', { ingress: { enabled: true } }, ['ingress.hosts']],
  ['a route without a Gateway', { httpRoute: { enabled: true } }, ['httpRoute.parentRefs']],
  ['affinity on an Ingress that is not there', { affinity: { provider: 'haproxy' } }, ['affinity.provider', 'ingress']],
  ['a node port without nodes', { service: { nodePort: 30000 } }, ['service.nodePort']],
  ['a load balancer that is none', { service: { loadBalancerClass: 'x' } }, ['service.loadBalancerClass']],
  ['a policy for traffic that is none', { service: { externalTrafficPolicy: 'Local' } }, ['externalTrafficPolicy']],
  [
    'several URLs of one Redis',
    { redis: { enabled: false }, externalRedis: { urls: ['redis://a', 'redis://b'] } },
    ['externalRedis.urls', 'externalRedis.topology'],
  ],
  [
    'mixed schemes',
    { redis: { enabled: false }, externalRedis: { topology: 'cluster', urls: ['redis://a', 'rediss://b'] } },
    ['externalRedis.urls', 'mixed'],
  ],
  [
    'two places of Redis',
    { redis: { enabled: false }, externalRedis: { urls: ['redis://a'], urlSecret: { name: 's' } } },
    ['externalRedis.urls and externalRedis.urlSecret.name'],
  ],
  [
    'certificates for a connection in the clear',
    { redis: { enabled: false }, externalRedis: { urls: ['redis://a'], tls: { caSecret: { name: 'ca' } } } },
    ['externalRedis.tls', 'rediss://'],
  ],
  [
    'a Redis without a limit',
    { redis: { resources: { limits: { memory: null } } } },
    ['redis.resources.limits.memory', 'missing'],
  ],
  [
    'a limit that Redis cannot live with',
    { redis: { resources: { limits: { memory: '16Mi' } } } },
    ['redis.resources.limits.memory', '16Mi'],
  ],
  ['a variable that is ours', { extraEnv: [{ name: 'PORT', value: '1' }] }, ['extraEnv', 'PORT']],
  [
    'a variable given twice',
    {
      extraEnv: [
        { name: 'A', value: '1' },
        { name: 'A', value: '2' },
      ],
    },
    ['extraEnv', 'A is set'],
  ],
  ['a volume that is ours', { extraVolumes: [{ name: 'secrets' }] }, ['extraVolumes', 'secrets']],
  ['a container that is ours', { sidecars: [{ name: 'server' }] }, ['sidecars', 'server']],
  [
    'a soft limit above the hard one, which was not given',
    { settings: { slowReaderSoftBytes: 5000000 } },
    ['settings.slowReaderSoftBytes', '5000000', '4194304'],
  ],
  [
    'a message that closes its receivers',
    { settings: { maxPayloadBytes: 5000000, bytesPerSecond: 0 } },
    ['settings.maxPayloadBytes', 'settings.slowReaderHardBytes'],
  ],
  [
    'a message that closes its sender',
    { settings: { maxPayloadBytes: 2000000 } },
    ['settings.maxPayloadBytes', 'settings.bytesPerSecond'],
  ],
  [
    'a password of a Redis that is nowhere',
    { replicaCount: 1, redis: { enabled: false }, externalRedis: { passwordSecret: { name: 's' } } },
    ['externalRedis', 'credentials'],
  ],
  [
    'a Redis URL with more than a database',
    { externalRedis: { urls: ['redis://r:6379/chat?x=1'] } },
    ['/externalRedis/urls/0', 'chat?x=1'],
  ],
  [
    'a setting as a variable',
    { extraEnv: [{ name: 'SOCKETFLEET_WORKER', value: '2' }] },
    ['extraEnv', 'SOCKETFLEET_WORKER', 'settings'],
  ],
];

describeWithHelm('wrong values', () => {
  it.each(BAD_INPUT)('%s is refused by name', async (_, values, said) => {
    const text = await refusal(values);
    for (const words of said) expect(text).toContain(words);
    // A person reads this: no stack of templates, no mention of nil.
    expect(text).not.toMatch(/nil pointer|wrong type for value|error calling/);
  });

  it('are all named at once', async () => {
    const text = await refusal({
      terminationGracePeriodSeconds: 30,
      ingress: { enabled: true },
      ports: { public: 9464 },
    });
    expect(text.match(/^ {2}- /gm)).toHaveLength(3);
  });

  it('are not seen in values that are merely unusual', async () => {
    await render({ replicaCount: 0 });
    await render({ replicaCount: 1, redis: { enabled: false } });
    await render({ global: { anything: true }, enabled: true });
    await render({ rollout: { maxSurge: 0, maxUnavailable: 1 } });
    await render({ service: { type: 'NodePort', nodePort: 30000, externalTrafficPolicy: 'Local' } });
  });
});
