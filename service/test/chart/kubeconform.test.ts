import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CI_VALUES } from './support/ci-values.ts';
import { hasHelm, renderText } from './support/helm.ts';
import { writeSchemas } from './support/openapi-schemas.ts';
import { missingForApiServer, startApiServer } from './support/start-api-server.ts';

/** Kinds that an operator brings along; no cluster has a schema of them by itself. */
const CUSTOM = 'HTTPRoute,PrometheusRule,ScaledObject,ServiceMonitor';
const SAMPLE = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: sample }\n';

// Where kubeconform looks by itself is on the internet. What a cluster says of itself will do as well.
const openApi = process.env.KUBERNETES_OPENAPI;
const canStart = missingForApiServer.length === 0;
let location: string[] = [];

function kubeconform(manifests: string) {
  const args = ['-strict', '-summary', '-skip', CUSTOM, ...location];
  return spawnSync('kubeconform', args, { input: manifests, encoding: 'utf8' });
}

function whyNot(): string | undefined {
  if (!hasHelm) return 'helm is not on the PATH';
  if (spawnSync('kubeconform', ['-v']).error) return 'kubeconform is not on the PATH';
  if (openApi !== undefined || canStart || kubeconform(SAMPLE).status === 0) return undefined;
  return 'no schemas: KUBERNETES_OPENAPI names no file of "kubectl get --raw /openapi/v2"';
}
const missing = whyNot();

describe.skipIf(missing !== undefined)(`kubeconform -strict${missing ? ` (${missing})` : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'socketfleet-schemas-'));
  beforeAll(async () => {
    const file = openApi ?? (canStart ? join(folder, 'openapi.json') : undefined);
    if (file === undefined) return;
    if (openApi === undefined) {
      const api = await startApiServer();
      writeFileSync(file, await api.kubectl('get', '--raw', '/openapi/v2'));
      await api.stop();
    }
    location = ['-schema-location', writeSchemas(file, join(folder, 'schemas'))];
  }, 90_000);
  afterAll(() => rmSync(folder, { recursive: true }));

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
