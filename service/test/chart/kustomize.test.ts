import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { baseFiles } from '../../scripts/k8s-base.mjs';
import { parseConfig } from '../../src/config.ts';
import { CHART, describeWithHelm } from './support/helm.ts';
import { at, envOf, find, type KubeObject, listAt, podsOf, toKubeObject } from './support/kube-object.ts';

const K8S = join(CHART, '../../k8s');
const hasKubectl = spawnSync('kubectl', ['kustomize', '--help'], { stdio: 'ignore' }).status === 0;
const folder = mkdtempSync(join(tmpdir(), 'socketfleet-kustomize-'));
afterAll(() => rmSync(folder, { recursive: true }));

function build(overlay: string): KubeObject[] {
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', join(K8S, 'overlays', overlay)], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return parseAllDocuments(stdout).map((document) => toKubeObject(document.toJS()));
}

const server = (objects: readonly KubeObject[]) => at(find(objects, 'Deployment', 'socketfleet'), 'spec');
const env = (objects: readonly KubeObject[]) => envOf(at(server(objects), 'template'));

/** As in the pod, with files that hold something. */
function configOf(objects: readonly KubeObject[]) {
  const living = Object.entries(env(objects)).map(([name, value]) => {
    if (!value.startsWith('/etc/')) return [name, value] as const;
    const file = join(folder, basename(value));
    writeFileSync(file, 'a-secret-of-more-than-thirty-two-bytes');
    return [name, file] as const;
  });
  return parseConfig(Object.fromEntries(living));
}

describeWithHelm('k8s/base', () => {
  it('is what the chart makes; otherwise "npm run k8s:base" is due', () => {
    const base = join(K8S, 'base');
    const there = Object.fromEntries(readdirSync(base).map((name) => [name, readFileSync(join(base, name), 'utf8')]));
    expect(there).toEqual(Object.fromEntries(baseFiles()));
  });

  it('has no Secret, no label of Helm and no test', () => {
    for (const [name, text] of baseFiles()) {
      expect(name).not.toMatch(/^(secret|pod)-/);
      expect(text).not.toMatch(/helm\.sh|managed-by/);
    }
  });
});

const why = hasKubectl ? '' : ' (kubectl is not on the PATH)';
describe.skipIf(!hasKubectl)(`the overlays${why}`, () => {
  it('give the server an environment that it takes, and time enough to stop', () => {
    for (const overlay of ['kind', 'production']) {
      const objects = build(overlay);
      const { endpointWaitMs, drainWindowMs, drainDeadlineMs } = configOf(objects);
      const grace = Number(at(server(objects), 'template', 'spec', 'terminationGracePeriodSeconds'));
      expect(grace * 1000).toBeGreaterThan(endpointWaitMs + drainWindowMs + drainDeadlineMs);
      expect(Number(at(server(objects), 'minReadySeconds')) * 1000).toBeGreaterThanOrEqual(
        endpointWaitMs + drainWindowMs,
      );
    }
  });

  it('kind: brings its namespace, its secrets and the image that was loaded', () => {
    const objects = build('kind');
    expect(find(objects, 'Namespace').metadata.labels['pod-security.kubernetes.io/enforce']).toBe('restricted');
    const secret = find(objects, 'Secret', 'socketfleet-secrets');
    const keys = Object.keys(at(secret, 'data') as object).sort();
    expect(keys).toEqual(['api-key', 'jwt-secret', 'redis-password']);
    expect(at(server(objects), 'template', 'spec', 'containers', 0, 'image')).toBe('socketfleet:dev');
    for (const { pod } of podsOf(objects)) {
      const sources = listAt(pod, 'spec', 'volumes').flatMap((volume) => listAt(volume, 'projected', 'sources'));
      for (const source of sources) expect(at(source, 'secret', 'name')).toBe('socketfleet-secrets');
    }
  });

  it('production: three servers behind an Ingress with affinity, no Redis of its own, no secret in the folder', () => {
    const objects = build('production');
    expect(at(server(objects), 'replicas')).toBe(3);
    expect(env(objects).REDIS_URL).toMatch(/^rediss:/);
    expect(
      objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`).filter((name) => /redis|^Secret/.test(name)),
    ).toEqual([]);
    const { annotations } = find(objects, 'Ingress').metadata;
    expect(annotations['haproxy-ingress.github.io/session-cookie-dynamic']).toBe('false');
  });
});
