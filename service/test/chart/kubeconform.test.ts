import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CI_VALUES } from './support/ci-values.ts';
import { hasHelm, renderText } from './support/helm.ts';
import { writeSchemas } from './support/openapi-schemas.ts';

/** Kinds that an operator brings along; no cluster has a schema of them by itself. */
const CUSTOM = 'HTTPRoute,PrometheusRule,ScaledObject,ServiceMonitor';
const SAMPLE = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: sample }\n';

const folder = mkdtempSync(join(tmpdir(), 'socketfleet-schemas-'));
afterAll(() => rmSync(folder, { recursive: true }));

// The schemas that kubeconform looks for by itself are on the internet; a document of a cluster will do as well.
const openApi = process.env.KUBERNETES_OPENAPI;
const location = hasHelm && openApi ? ['-schema-location', writeSchemas(openApi, folder)] : [];

function kubeconform(manifests: string) {
  const args = ['-strict', '-summary', '-skip', CUSTOM, ...location];
  return spawnSync('kubeconform', args, { input: manifests, encoding: 'utf8' });
}

function whyNot(): string | undefined {
  if (!hasHelm) return 'helm is not on the PATH';
  const { error, status } = kubeconform(SAMPLE);
  if (error) return 'kubeconform is not on the PATH';
  return status === 0 ? undefined : 'no schemas: KUBERNETES_OPENAPI names no file of "kubectl get --raw /openapi/v2"';
}
const missing = whyNot();

describe.skipIf(missing !== undefined)(`kubeconform -strict${missing ? ` (${missing})` : ''}`, () => {
  it('finds nothing wrong in what any of the ci files makes', async () => {
    for (const { name, file } of CI_VALUES) {
      const { status, stdout } = kubeconform(await renderText({}, { files: [file] }));
      expect(status, `${name}: ${stdout}`).toBe(0);
      expect(stdout).toMatch(/Invalid: 0, Errors: 0/);
    }
  });

  it('would find a field that there is not, and a value of the wrong type', () => {
    const wrong = (spec: string) =>
      kubeconform(`apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec: ${spec}\n`);
    expect(wrong('{ ports: [{ port: 80, targetPort: http }] }').status).toBe(0);
    expect(wrong('{ port: 80 }').status).toBe(1);
    expect(wrong('{ ports: [{ port: "80" }] }').status).toBe(1);
  });
});
