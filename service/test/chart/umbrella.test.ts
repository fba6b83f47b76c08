import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CHART, describeWithHelm, refusal, render } from './support/helm.ts';
import { find } from './support/kube-object.ts';

describeWithHelm('as part of an umbrella chart', () => {
  let chart = '';
  beforeAll(() => {
    chart = mkdtempSync(join(tmpdir(), 'socketfleet-umbrella-'));
    mkdirSync(join(chart, 'charts'));
    cpSync(CHART, join(chart, 'charts/socketfleet'), { recursive: true });
    writeFileSync(
      join(chart, 'Chart.yaml'),
      `apiVersion: v2
name: product
version: 1.0.0
dependencies:
  - { name: socketfleet, version: 0.1.0, condition: socketfleet.enabled }
`,
    );
    writeFileSync(join(chart, 'values.yaml'), 'global: { region: eu }\nsocketfleet: { enabled: true }\n');
  });
  afterAll(() => rmSync(chart, { recursive: true }));

  it('the chart takes global values and its condition', async () => {
    const objects = await render({ global: { imageRegistry: 'x' } }, { chart });
    find(objects, 'Deployment', 'sf-socketfleet');
    find(objects, 'StatefulSet', 'sf-socketfleet-redis');
  });

  it('the chart is left out where its condition says no', async () => {
    expect(await render({ socketfleet: { enabled: false } }, { chart })).toEqual([]);
  });

  it('the chart is as strict as alone', async () => {
    expect(await refusal({ socketfleet: { replicaCont: 1 } }, { chart })).toContain('replicaCont');
    expect(await refusal({ socketfleet: { terminationGracePeriodSeconds: 1 } }, { chart })).toContain('50 s');
  });

  it('a null of the parent still takes a default away', async () => {
    const objects = await render({ socketfleet: { podSecurityContext: { runAsUser: null } } }, { chart });
    expect(JSON.stringify(find(objects, 'Deployment').whole)).not.toContain('"runAsUser":null');
  });
});
