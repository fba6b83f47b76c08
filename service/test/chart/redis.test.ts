import { expect, it } from 'vitest';
import { describeWithHelm, render } from './support/helm.ts';
import { at, find, type KubeObject, listAt } from './support/kube-object.ts';

const stateful = (objects: readonly KubeObject[]) => find(objects, 'StatefulSet', 'sf-socketfleet-redis');
const volumes = (objects: readonly KubeObject[]) =>
  listAt(stateful(objects), 'spec', 'template', 'spec', 'volumes') as { name: string }[];

function config(objects: readonly KubeObject[]): Record<string, string> {
  const text = String(at(find(objects, 'ConfigMap', 'sf-socketfleet-redis'), 'data', 'redis.conf'));
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(lines.map((line) => [line.split(' ')[0] ?? '', line.slice(line.indexOf(' ') + 1)]));
}

describeWithHelm('the Redis of the chart', () => {
  it('keeps nothing unless told to: plain broadcasts leave nothing behind', async () => {
    const objects = await render();
    expect(config(objects)).toMatchObject({ appendonly: 'no', save: '""', 'maxmemory-policy': 'noeviction' });
    expect(volumes(objects)).toContainEqual({ name: 'data', emptyDir: {} });
    expect(at(stateful(objects), 'spec', 'volumeClaimTemplates')).toBeUndefined();
  });

  it('keeps its data on a claim with an append-only file, and the claim has labels that never change', async () => {
    const persistence = { enabled: true, size: '5Gi', storageClassName: 'fast' };
    const objects = await render({ redis: { persistence }, commonLabels: { team: 'chat' } });
    expect(config(objects)).toMatchObject({ appendonly: 'yes', appendfsync: 'everysec' });
    expect(volumes(objects).map(({ name }) => name)).not.toContain('data');
    expect(listAt(stateful(objects), 'spec', 'volumeClaimTemplates')).toEqual([
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: {
          name: 'data',
          labels: {
            'app.kubernetes.io/name': 'socketfleet',
            'app.kubernetes.io/instance': 'sf',
            'app.kubernetes.io/component': 'redis',
          },
        },
        spec: {
          accessModes: ['ReadWriteOnce'],
          storageClassName: 'fast',
          resources: { requests: { storage: '5Gi' } },
        },
      },
    ]);
  });

  it.each([
    ['256Mi', 161061273],
    ['1Gi', 644245094],
    ['1.5Gi', 966367641],
    ['100M', 60000000],
    ['268435456', 161061273],
  ])('uses 60 %% of a limit of %s', async (memory, maxmemory) => {
    const objects = await render({ redis: { resources: { limits: { memory } } } });
    expect(config(objects).maxmemory).toBe(String(maxmemory));
  });

  it('saves memory where there are many small streams, and takes lines of your own', async () => {
    const objects = await render({ redis: { extraConfig: 'hz 20\ntimeout 0' } });
    expect(config(objects)).toMatchObject({ 'stream-node-max-bytes': '512', hz: '20', timeout: '0' });
  });

  it('is well when it says PONG, and has time to read its file before', async () => {
    const objects = await render();
    const container = at(stateful(objects), 'spec', 'template', 'spec', 'containers', 0);
    const exec = { command: ['sh', '/etc/redis/ping.sh'] };
    expect(container).toMatchObject({
      startupProbe: { exec, periodSeconds: 2, failureThreshold: 300 },
      livenessProbe: { exec },
      readinessProbe: { exec },
    });
    const files = at(find(objects, 'ConfigMap', 'sf-socketfleet-redis'), 'data');
    expect(String(at(files, 'ping.sh'))).toMatch(/ping 2>&1\)" = PONG/);
  });

  it('starts anew when its configuration changes, and not for anything else', async () => {
    const checksum = async (values: object) =>
      at(stateful(await render(values)), 'spec', 'template', 'metadata', 'annotations', 'checksum/config');
    const plain = await checksum({});
    expect(await checksum({ replicaCount: 5, settings: { maxConnections: 500 } })).toBe(plain);
    expect(await checksum({ redis: { extraConfig: 'hz 20' } })).not.toBe(plain);
  });

  it('has an address that stays when its pod comes back', async () => {
    const objects = await render();
    expect(at(find(objects, 'Service', 'sf-socketfleet-redis'), 'spec', 'clusterIP')).toBeUndefined();
    expect(at(stateful(objects), 'spec', 'serviceName')).toBe('sf-socketfleet-redis-headless');
    expect(at(find(objects, 'Service', 'sf-socketfleet-redis-headless'), 'spec', 'clusterIP')).toBe('None');
  });

  it('is gone with everything that belongs to it when yours is used', async () => {
    const values = { redis: { enabled: false }, externalRedis: { urls: ['redis://mine'] } };
    const objects = await render(values);
    expect(objects.filter(({ metadata }) => metadata.name.includes('redis'))).toEqual([]);
    expect(Object.keys(at(find(objects, 'Secret'), 'data') as object)).not.toContain('redis-password');
  });
});
