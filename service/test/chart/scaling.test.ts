import { expect, it } from 'vitest';
import { describeWithHelm, render } from './support/helm.ts';
import { at, find } from './support/kube-object.ts';

const keda = { enabled: true, serverAddress: 'http://prometheus:9090' };
const quietly = {
  scaleUp: {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [
      { type: 'Percent', value: 100, periodSeconds: 30 },
      { type: 'Pods', value: 2, periodSeconds: 30 },
    ],
  },
  scaleDown: { stabilizationWindowSeconds: 600, policies: [{ type: 'Pods', value: 1, periodSeconds: 120 }] },
};

describeWithHelm('autoscaling on connections', () => {
  it('by HPA aims at connections per pod, grows fast and shrinks slowly', async () => {
    const hpa = find(await render({ autoscaling: { hpa: { enabled: true } } }), 'HorizontalPodAutoscaler');
    expect(hpa.apiVersion).toBe('autoscaling/v2');
    expect(at(hpa, 'spec')).toEqual({
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'sf-socketfleet' },
      minReplicas: 2,
      maxReplicas: 10,
      metrics: [
        {
          type: 'Pods',
          pods: {
            metric: { name: 'socketfleet_connections' },
            target: { type: 'AverageValue', averageValue: '6000' },
          },
        },
      ],
      behavior: quietly,
    });
  });

  it('by KEDA asks Prometheus for this release, and shrinks nothing while it does not answer', async () => {
    const scaled = find(await render({ autoscaling: { keda } }), 'ScaledObject');
    expect(at(scaled, 'spec')).toMatchObject({
      scaleTargetRef: { name: 'sf-socketfleet' },
      minReplicaCount: 2,
      maxReplicaCount: 10,
      fallback: { failureThreshold: 4, replicas: 2, behavior: 'currentReplicasIfHigher' },
      advanced: { restoreToOriginalReplicaCount: false, horizontalPodAutoscalerConfig: { behavior: quietly } },
    });
    expect(at(scaled, 'spec', 'triggers')).toEqual([
      {
        type: 'prometheus',
        metricType: 'AverageValue',
        metadata: {
          serverAddress: 'http://prometheus:9090',
          query: 'sum(socketfleet_connections{namespace="chat",service="sf-socketfleet-headless"})',
          threshold: '6000',
          ignoreNullValues: 'false',
        },
      },
    ]);
  });

  it('by KEDA takes a query of your own', async () => {
    const own = { autoscaling: { keda: { ...keda, query: 'my_query' } } };
    expect(at(find(await render(own), 'ScaledObject'), 'spec', 'triggers', 0, 'metadata', 'query')).toBe('my_query');
  });

  it('leaves the number of pods alone where nobody can look it up; off, it is replicaCount', async () => {
    const replicas = async (values: object) => at(find(await render(values), 'Deployment'), 'spec', 'replicas');
    expect(await replicas({ replicaCount: 4 })).toBe(4);
    expect(await replicas({ replicaCount: 0 })).toBe(0);
    expect(await replicas({ replicaCount: 4, autoscaling: { hpa: { enabled: true } } })).toBeUndefined();
    expect(await replicas({ replicaCount: 4, autoscaling: { keda } })).toBeUndefined();
  });
});
