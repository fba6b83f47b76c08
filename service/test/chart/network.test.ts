import { expect, it } from 'vitest';
import { describeWithHelm, render } from './support/helm.ts';
import { at, find } from './support/kube-object.ts';

const labels = (component: string) => ({
  'app.kubernetes.io/name': 'socketfleet',
  'app.kubernetes.io/instance': 'sf',
  'app.kubernetes.io/component': component,
});
const peer = (component: string) => ({ podSelector: { matchLabels: labels(component) } });

describeWithHelm('network policies', () => {
  it('let everybody to the public port, pods of the cluster to the internal one, and all traffic out', async () => {
    expect(at(find(await render(), 'NetworkPolicy', 'sf-socketfleet'), 'spec')).toEqual({
      podSelector: { matchLabels: labels('server') },
      policyTypes: ['Ingress'],
      ingress: [
        { ports: [{ port: 'http', protocol: 'TCP' }] },
        { ports: [{ port: 'internal', protocol: 'TCP' }], from: [{ namespaceSelector: {} }] },
      ],
    });
  });

  it('let only those to the internal port who are named, and the servers and tests themselves', async () => {
    const monitoring = { namespaceSelector: { matchLabels: { team: 'monitoring' } } };
    const objects = await render({ networkPolicy: { internalFrom: [monitoring], egress: [{ to: [] }] } });
    const spec = at(find(objects, 'NetworkPolicy', 'sf-socketfleet'), 'spec');
    expect(at(spec, 'ingress', 1, 'from')).toEqual([peer('server'), peer('test'), monitoring]);
    expect(at(spec, 'policyTypes')).toEqual(['Ingress', 'Egress']);
    expect(at(spec, 'egress')).toEqual([{ to: [] }]);
  });

  it('let servers, tests and who is named to Redis, and nobody else', async () => {
    const shop = { podSelector: { matchLabels: { app: 'shop' } } };
    const objects = await render({ redis: { allowFrom: [shop] } });
    expect(at(find(objects, 'NetworkPolicy', 'sf-socketfleet-redis'), 'spec')).toEqual({
      podSelector: { matchLabels: labels('redis') },
      policyTypes: ['Ingress'],
      ingress: [{ ports: [{ port: 'redis', protocol: 'TCP' }], from: [peer('server'), peer('test'), shop] }],
    });
  });

  it('can be left out', async () => {
    const kinds = (await render({ networkPolicy: { enabled: false } })).map(({ kind }) => kind);
    expect(kinds).not.toContain('NetworkPolicy');
  });
});
