import { expect, it } from 'vitest';
import { CI_VALUES } from './support/ci-values.ts';
import { describeWithHelm, render } from './support/helm.ts';
import { at, find, type KubeObject, listAt, podsOf } from './support/kube-object.ts';

function server(objects: readonly KubeObject[]): KubeObject {
  return find(objects, 'Deployment');
}

describeWithHelm('pods of the chart', () => {
  it.each(CI_VALUES)('start under the restricted profile of pod security with $name', async ({ name, file }) => {
    const pods = podsOf(await render({}, { files: [file] }));
    expect(pods.map(({ owner }) => owner.split('/')[0])).toContain('Pod');
    for (const { pod } of pods) {
      expect(at(pod, 'spec', 'securityContext')).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const container of [...listAt(pod, 'spec', 'containers'), ...listAt(pod, 'spec', 'initContainers')]) {
        expect(at(container, 'securityContext', 'allowPrivilegeEscalation')).toBe(false);
        expect(at(container, 'securityContext', 'capabilities')).toEqual({ drop: ['ALL'] });
      }
      if (!name.startsWith('dev')) {
        expect(at(pod, 'spec', 'containers', 0, 'securityContext', 'readOnlyRootFilesystem')).toBe(true);
      }
    }
  });

  it.each(CI_VALUES)('see no variables of Services and no token of the API server with $name', async ({ file }) => {
    for (const { pod } of podsOf(await render({}, { files: [file] }))) {
      expect(at(pod, 'spec', 'enableServiceLinks')).toBe(false);
      expect(at(pod, 'spec', 'automountServiceAccountToken')).toBe(false);
    }
  });

  it('get a user of the platform where the values say null', async () => {
    const none = { runAsUser: null, runAsGroup: null, fsGroup: null };
    const pods = podsOf(await render({ podSecurityContext: none, redis: { podSecurityContext: none } }));
    expect(pods).toHaveLength(3);
    for (const { pod } of pods) {
      expect(at(pod, 'spec', 'securityContext')).toEqual({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
    }
  });

  it('have a grace period for the wait, the window, the deadline and a margin', async () => {
    const grace = async (values: object) =>
      at(server(await render(values)), 'spec', 'template', 'spec', 'terminationGracePeriodSeconds');
    expect(await grace({})).toBe(50);
    expect(await grace({ drain: { endpointWaitSeconds: 90, windowSeconds: 120 } })).toBe(220);
    expect(await grace({ terminationGracePeriodSeconds: 300 })).toBe(300);
    const env = at(server(await render({})), 'spec', 'template', 'spec', 'containers', 0, 'env');
    expect(env).toContainEqual({ name: 'SOCKETFLEET_ENDPOINT_WAIT_MS', value: '10000' });
    expect(env).toContainEqual({ name: 'SOCKETFLEET_DRAIN_WINDOW_MS', value: '30000' });
    expect(env).toContainEqual({ name: 'SOCKETFLEET_DRAIN_DEADLINE_MS', value: '5000' });
  });

  it('are replaced one at a time, each after the wait and the window of the one before', async () => {
    expect(at(server(await render()), 'spec')).toMatchObject({
      replicas: 2,
      minReadySeconds: 40,
      progressDeadlineSeconds: 600,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    });
    const slow = server(await render({ drain: { windowSeconds: 900 } }));
    expect(at(slow, 'spec', 'minReadySeconds')).toBe(910);
    expect(at(slow, 'spec', 'progressDeadlineSeconds')).toBe(1940);
    expect(at(server(await render({ rollout: { minReadySeconds: 0 } })), 'spec', 'minReadySeconds')).toBe(0);
  });

  it('are probed on the internal port: patiently for life, quickly for readiness, never for Redis', async () => {
    const container = at(server(await render()), 'spec', 'template', 'spec', 'containers', 0);
    expect(container).toMatchObject({
      startupProbe: { httpGet: { path: '/livez', port: 'internal' }, periodSeconds: 2, failureThreshold: 30 },
      livenessProbe: { httpGet: { path: '/livez' }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
      readinessProbe: { httpGet: { path: '/readyz' }, periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2 },
    });
    expect(at(container, 'lifecycle')).toBeUndefined();
  });

  it('have requests and a memory limit, and no CPU limit', async () => {
    const resources = at(server(await render()), 'spec', 'template', 'spec', 'containers', 0, 'resources');
    expect(resources).toEqual({ requests: { cpu: '250m', memory: '256Mi' }, limits: { memory: '512Mi' } });
  });

  it('spread over zones and machines, counted per revision, unless told otherwise', async () => {
    const constraints = async (values: object) =>
      at(server(await render(values)), 'spec', 'template', 'spec', 'topologySpreadConstraints');
    expect(await constraints({})).toEqual(
      ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map((topologyKey) => ({
        topologyKey,
        maxSkew: 1,
        whenUnsatisfiable: 'ScheduleAnyway',
        matchLabelKeys: ['pod-template-hash'],
        labelSelector: {
          matchLabels: {
            'app.kubernetes.io/name': 'socketfleet',
            'app.kubernetes.io/instance': 'sf',
            'app.kubernetes.io/component': 'server',
          },
        },
      })),
    );
    expect(await constraints({ topologySpreadConstraints: [] })).toBeUndefined();
    expect(await constraints({ topologySpreadConstraints: [{ maxSkew: 2 }] })).toEqual([{ maxSkew: 2 }]);
  });

  it('run the version of the chart, another tag, or a digest', async () => {
    const image = async (values: object) =>
      at(server(await render({ image: values })), 'spec', 'template', 'spec', 'containers', 0, 'image');
    const digest = `sha256:${'0'.repeat(64)}`;
    expect(await image({})).toBe('socketfleet:0.1.0');
    expect(await image({ repository: 'registry.example.com/chat', tag: '2' })).toBe('registry.example.com/chat:2');
    expect(await image({ digest })).toBe(`socketfleet@${digest}`);
    expect(await image({ tag: '2', digest })).toBe(`socketfleet:2@${digest}`);
  });

  it('do not change with the version of the chart alone: nobody is moved for that', async () => {
    for (const { pod } of podsOf(await render())) {
      if (at(pod, 'kind') === 'Pod') continue;
      expect(Object.keys(at(pod, 'metadata', 'labels') as object).sort()).toEqual([
        'app.kubernetes.io/component',
        'app.kubernetes.io/instance',
        'app.kubernetes.io/name',
      ]);
    }
  });

  it('take every usual knob', async () => {
    const everything = CI_VALUES.find(({ name }) => name === 'everything-values.yaml');
    const objects = await render({}, { files: [everything?.file ?? ''] });
    const deployment = server(objects);
    expect(deployment.metadata).toMatchObject({
      name: 'realtime',
      labels: { team: 'chat', 'app.kubernetes.io/name': 'chat' },
      annotations: { owner: 'chat@example.com', a: 'b' },
    });
    expect(at(deployment, 'spec', 'template', 'metadata')).toMatchObject({
      labels: { team: 'chat', e: 'f' },
      annotations: { owner: 'chat@example.com', c: 'd' },
    });
    const spec = at(deployment, 'spec', 'template', 'spec');
    expect(spec).toMatchObject({
      serviceAccountName: 'chat',
      imagePullSecrets: [{ name: 'pull' }],
      nodeSelector: { pool: 'realtime' },
      tolerations: [{ key: 'dedicated', operator: 'Exists' }],
      priorityClassName: 'high',
      dnsConfig: { options: [{ name: 'ndots', value: '2' }] },
    });
    expect(at(spec, 'affinity')).toHaveProperty('nodeAffinity');
    expect(at(spec, 'affinity')).not.toHaveProperty('provider');
    expect(at(spec, 'initContainers', 0, 'name')).toBe('wait');
    expect(at(spec, 'containers', 1, 'name')).toBe('proxy');
    expect(at(spec, 'containers', 0, 'env')).toContainEqual({ name: 'DATABASE_URL', value: 'postgres://db' });
    expect(at(spec, 'containers', 0, 'env')).toContainEqual({ name: 'SOCKETFLEET_BYTES_PER_SECOND', value: '1000000' });
    expect(at(spec, 'containers', 0, 'env')).toContainEqual({
      name: 'SOCKETFLEET_APP',
      value: '/app/handlers/main.mjs',
    });
    expect(at(spec, 'containers', 0, 'envFrom')).toEqual([{ configMapRef: { name: 'chat-env' } }]);
    expect(at(spec, 'containers', 0, 'volumeMounts')).toContainEqual({ name: 'models', mountPath: '/models' });
    expect(at(spec, 'volumes')).toContainEqual({ name: 'models', emptyDir: {} });
    find(objects, 'ConfigMap', 'realtime-more');
    find(objects, 'ConfigMap', 'more-sf');
  });
});
