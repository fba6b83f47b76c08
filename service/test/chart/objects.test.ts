import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { CI_VALUES } from './support/ci-values.ts';
import { CHART, describeWithHelm, helm, render } from './support/helm.ts';
import { at, find, type KubeObject, listAt } from './support/kube-object.ts';

const component = 'app.kubernetes.io/component';

/** Every label selector in an object, wherever it stands. */
function selectorsIn(value: unknown, path = ''): { path: string; labels: Record<string, string> }[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = `${path}.${key}`;
    const isLabels = key === 'matchLabels' || (key === 'selector' && typeof at(inner, component) === 'string');
    return isLabels ? [{ path: here, labels: inner as Record<string, string> }] : selectorsIn(inner, here);
  });
}

function identity(object: KubeObject): string {
  return `${object.apiVersion} ${object.kind} ${object.metadata.name}`;
}

describeWithHelm('objects of the chart', () => {
  it('come in full without any value', async () => {
    const objects = await render();
    expect(objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort()).toEqual([
      'ConfigMap/sf-socketfleet-redis',
      'Deployment/sf-socketfleet',
      'NetworkPolicy/sf-socketfleet',
      'NetworkPolicy/sf-socketfleet-redis',
      'Pod/sf-socketfleet-test',
      'PodDisruptionBudget/sf-socketfleet',
      'Secret/sf-socketfleet-secrets',
      'Service/sf-socketfleet',
      'Service/sf-socketfleet-headless',
      'Service/sf-socketfleet-internal',
      'Service/sf-socketfleet-redis',
      'Service/sf-socketfleet-redis-headless',
      'ServiceAccount/sf-socketfleet',
      'StatefulSet/sf-socketfleet-redis',
    ]);
  });

  it('are named once where the release is called like the chart', async () => {
    const objects = await render({}, { release: 'socketfleet' });
    find(objects, 'Deployment', 'socketfleet');
    find(objects, 'Service', 'socketfleet');
  });

  it('have names that fit, however long the release is called', async () => {
    const release = 'a'.repeat(53);
    for (const { kind, metadata } of await render({}, { release })) {
      // A StatefulSet's pods carry its name and a hash of 11 characters in a label.
      expect(metadata.name.length).toBeLessThanOrEqual(kind === 'StatefulSet' ? 52 : 63);
      for (const value of Object.values(metadata.labels)) expect(value.length).toBeLessThanOrEqual(63);
    }
  });

  it.each(CI_VALUES)('have different names and no empty document with $name', async ({ file }) => {
    const objects = await render({}, { files: [file] });
    expect(new Set(objects.map(identity)).size).toBe(objects.length);
    for (const object of objects) {
      expect(object.metadata.name).not.toBe('');
      expect(at(object, 'metadata', 'namespace')).toBeUndefined();
    }
  });

  it.each(CI_VALUES)('select by component, or by what the user wrote, with $name', async ({ file }) => {
    const foreign = ['app', 'kubernetes.io/metadata.name'];
    for (const object of await render({}, { files: [file] })) {
      for (const { path, labels } of selectorsIn(object.whole)) {
        if (foreign.some((key) => key in labels)) continue;
        expect(labels, `${identity(object)} ${path}`).toHaveProperty([component]);
      }
    }
  });

  it('select pods that there are: no selector of one component meets another one', async () => {
    const objects = await render();
    const serverLabels = at(find(objects, 'Deployment'), 'spec', 'template', 'metadata', 'labels');
    for (const name of ['sf-socketfleet', 'sf-socketfleet-internal', 'sf-socketfleet-headless']) {
      expect(serverLabels).toMatchObject(at(find(objects, 'Service', name), 'spec', 'selector') as object);
    }
    const redisLabels = at(find(objects, 'StatefulSet'), 'spec', 'template', 'metadata', 'labels');
    expect(redisLabels).toMatchObject(
      at(find(objects, 'Service', 'sf-socketfleet-redis'), 'spec', 'selector') as object,
    );
    expect(redisLabels).not.toMatchObject(at(find(objects, 'Service', 'sf-socketfleet'), 'spec', 'selector') as object);
  });

  it('include three ways to the servers: for clients, for backends, and for all of them ready or not', async () => {
    const objects = await render();
    expect(at(find(objects, 'Service', 'sf-socketfleet'), 'spec')).toMatchObject({
      type: 'ClusterIP',
      sessionAffinity: 'ClientIP',
      ports: [{ name: 'http', port: 80, targetPort: 'http', appProtocol: 'http' }],
    });
    expect(at(find(objects, 'Service', 'sf-socketfleet-internal'), 'spec', 'ports')).toEqual([
      { name: 'internal', port: 9464, targetPort: 'internal', appProtocol: 'http' },
    ]);
    expect(at(find(objects, 'Service', 'sf-socketfleet-headless'), 'spec')).toMatchObject({
      clusterIP: 'None',
      publishNotReadyAddresses: true,
    });
  });

  it('never lead from the Ingress or a route to the internal port', async () => {
    for (const { file } of CI_VALUES) {
      for (const object of await render({}, { files: [file] })) {
        if (object.kind === 'Ingress' || object.kind === 'HTTPRoute') {
          expect(JSON.stringify(object.whole)).not.toMatch(/internal|headless/);
        }
      }
    }
  });

  it('let one pod go at a time, and one that is not ready at any time', async () => {
    expect(at(find(await render(), 'PodDisruptionBudget'), 'spec')).toMatchObject({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    });
  });

  it('open a route below /socket.io/ unless rules are given, which are taken verbatim', async () => {
    const httpRoute = { enabled: true, parentRefs: [{ name: 'public' }] };
    const plain = find(await render({ httpRoute }), 'HTTPRoute');
    expect(at(plain, 'spec', 'rules')).toEqual([
      {
        matches: [{ path: { type: 'PathPrefix', value: '/socket.io/' } }],
        backendRefs: [{ name: 'sf-socketfleet', port: 80 }],
      },
    ]);
    const gateway = CI_VALUES.find(({ name }) => name === 'gateway-values.yaml');
    const own = find(await render({}, { files: [gateway?.file ?? ''] }), 'HTTPRoute');
    expect(at(own, 'spec', 'rules', 0, 'backendRefs', 0, 'name')).toBe('sf-socketfleet');
    expect(at(own, 'spec', 'rules', 0, 'sessionPersistence')).toEqual({ sessionName: 'socketfleet', type: 'Cookie' });
  });

  it('have the version of the package', () => {
    const chart = parse(readFileSync(join(CHART, 'Chart.yaml'), 'utf8')) as Record<string, string>;
    const { version } = JSON.parse(readFileSync(join(CHART, '../../package.json'), 'utf8')) as { version: string };
    expect({ version: chart.version, appVersion: chart.appVersion }).toEqual({ version, appVersion: version });
  });

  it('pass helm lint with every file of values', async () => {
    for (const { file } of CI_VALUES) {
      expect(await helm(['lint', '--strict', CHART, '--values', file])).toContain('0 chart(s) failed');
    }
  });

  it('test the release with the same image and a token of its own, and say the counts last', async () => {
    const pod = find(await render({ tests: { url: 'http://chat.lab' } }), 'Pod');
    expect(pod.metadata.annotations).toMatchObject({ 'helm.sh/hook': 'test' });
    expect(at(pod, 'spec', 'restartPolicy')).toBe('Never');
    expect(at(pod, 'spec', 'containers', 0, 'image')).toBe('socketfleet:0.1.0');
    expect(at(pod, 'spec', 'containers', 0, 'args')).toEqual([
      'check',
      'all',
      '--url=http://chat.lab',
      '--api=http://sf-socketfleet-internal:9464',
      '--servers=sf-socketfleet-headless',
      '--port=3000',
      '--internal-port=9464',
    ]);
    expect(listAt(pod, 'spec', 'containers', 0, 'env')).toEqual([
      { name: 'SOCKETFLEET_JWT_SECRET_FILE', value: '/etc/socketfleet/secrets/jwt-secret' },
      { name: 'SOCKETFLEET_API_KEY_FILE', value: '/etc/socketfleet/secrets/api-key' },
    ]);
  });

  it('test what an own app module leaves to test, and nothing where no token can be had', async () => {
    const own = find(await render({ app: { module: '/app/own.mjs' } }), 'Pod');
    expect(listAt(own, 'spec', 'containers', 0, 'args').slice(0, 4)).toEqual([
      'check',
      'affinity',
      'redis',
      'readiness',
    ]);
    const kinds = (await render({ auth: { jwksUrl: 'https://login.example.com/keys' } })).map(({ kind }) => kind);
    expect(kinds).not.toContain('Pod');
  });
});
