import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CI_VALUES } from './support/ci-values.ts';
import { CHART, hasHelm, render } from './support/helm.ts';
import { podsOf } from './support/kube-object.ts';
import { missingForApiServer, type StartedApiServer, startApiServer } from './support/start-api-server.ts';

const run = promisify(execFile);
const missing = hasHelm ? missingForApiServer : ['helm', ...missingForApiServer];
const why = missing.length > 0 ? ` (not on the PATH: ${missing.join(', ')})` : '';
const SECRET = 'sf-socketfleet-secrets';

describe.skipIf(missing.length > 0)(`releases on an API server${why}`, () => {
  let api: StartedApiServer;
  beforeAll(async () => {
    api = await startApiServer();
  }, 90_000);
  afterAll(() => api.stop());

  const helm = async (...args: readonly string[]) => {
    const env = { ...process.env, KUBECONFIG: api.kubeconfig, NO_PROXY: '127.0.0.1' };
    return (await run(process.env.HELM || 'helm', [...args], { env })).stdout;
  };
  const upgrade = (namespace: string, ...values: readonly string[]) =>
    helm('upgrade', '--install', 'sf', CHART, '-n', namespace, ...values.flatMap((value) => ['--set', value]));
  const refusal = (namespace: string, ...values: readonly string[]) => {
    return upgrade(namespace, ...values).then(
      () => 'taken',
      (error: { stderr: string }) => error.stderr,
    );
  };
  const data = async (namespace: string) => {
    const text = await api.kubectl('-n', namespace, 'get', 'secret', SECRET, '-o', 'jsonpath={.data}');
    const encoded = Object.entries(JSON.parse(text) as Record<string, string>);
    return Object.fromEntries(encoded.map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
  };
  const patch = (namespace: string, change: object) =>
    api.kubectl('-n', namespace, 'patch', 'secret', SECRET, '--type=merge', '-p', JSON.stringify(change));
  const replicas = async (namespace: string) =>
    Number(
      await api.kubectl('-n', namespace, 'get', 'deployment', 'sf-socketfleet', '-o', 'jsonpath={.spec.replicas}'),
    );

  it('keep what was generated over upgrades, over a reinstall, and what was rotated over a rollback', async () => {
    await api.namespace('keep');
    await upgrade('keep');
    const first = await data('keep');
    expect(Object.keys(first).sort()).toEqual(['api-key', 'jwt-secret', 'redis-password']);
    await upgrade('keep', 'settings.logLevel=debug');
    expect(await data('keep')).toEqual(first);
    const rotated = `${'new-'.repeat(10)},${first['jwt-secret']}`;
    await patch('keep', { stringData: { 'jwt-secret': rotated } });
    await helm('rollback', 'sf', '1', '-n', 'keep');
    expect(await data('keep')).toEqual({ ...first, 'jwt-secret': rotated });
    await helm('uninstall', 'sf', '-n', 'keep');
    const kinds = 'all,configmap,secret,pvc,networkpolicy,poddisruptionbudget,ingress,serviceaccount';
    const left = await api.kubectl('-n', 'keep', 'get', kinds, '-l', 'app.kubernetes.io/instance=sf', '-o', 'name');
    expect(left.trim()).toBe(`secret/${SECRET}`);
    await upgrade('keep');
    expect(await data('keep')).toEqual({ ...first, 'jwt-secret': rotated });
  });

  it('add what is missing in the Secret and leave the rest of it alone', async () => {
    await api.namespace('mend');
    await upgrade('mend', 'api.enabled=false');
    const first = await data('mend');
    expect(first).not.toHaveProperty('api-key');
    await patch('mend', { stringData: { mine: 'too' } });
    await upgrade('mend', 'api.enabled=true');
    expect(await data('mend')).toEqual({ ...first, mine: 'too', 'api-key': expect.stringMatching(/^\w{40}$/) });
  });

  it('never show fewer servers when autoscaling is switched on, and none that the minimum forbids', async () => {
    await api.namespace('scale');
    await upgrade('scale', 'replicaCount=4');
    await upgrade('scale', 'replicaCount=4', 'autoscaling.hpa.enabled=true');
    expect(await replicas('scale')).toBe(4);
    await upgrade('scale', 'autoscaling.hpa.enabled=true', 'autoscaling.minReplicas=5');
    expect(await replicas('scale')).toBe(5);
  });

  it('leave the number alone that the autoscaler has set', async () => {
    await api.namespace('theirs');
    await upgrade('theirs', 'autoscaling.hpa.enabled=true');
    await api.kubectl('-n', 'theirs', 'scale', 'deployment/sf-socketfleet', '--replicas=7');
    await upgrade('theirs', 'autoscaling.hpa.enabled=true', 'replicaCount=2');
    expect(await replicas('theirs')).toBe(7);
    // Lifting it is the autoscaler's business as well.
    await upgrade('theirs', 'autoscaling.hpa.enabled=true', 'autoscaling.minReplicas=9');
    expect(await replicas('theirs')).toBe(7);
  });

  it('are refused when a Secret that they name is missing, lacks the key, or holds what the server refuses', async () => {
    await api.namespace('refuse');
    expect(await refusal('refuse', 'auth.existingSecret.name=nope')).toContain(
      'auth.existingSecret.name: there is no Secret nope in namespace refuse',
    );
    const literals = ['jwt-secret=short', 'api-key=', 'redis-url=redis:6379', 'jwt-public-key=none'];
    const args = literals.map((literal) => `--from-literal=${literal}`);
    await api.kubectl('-n', 'refuse', 'create', 'secret', 'generic', 'weak', ...args);
    for (const [value, said] of [
      ['redis.auth.existingSecret.name=weak', 'redis.auth.existingSecret: the Secret weak has no key redis-password'],
      ['auth.existingSecret.name=weak', 'auth.existingSecret: key jwt-secret of the Secret weak has a value of less'],
      ['api.existingSecret.name=weak', 'api.existingSecret: key api-key of the Secret weak is empty'],
      ['auth.publicKeySecret.name=weak', 'auth.publicKeySecret: key jwt-public-key of the Secret weak has no PEM'],
      [
        'redis.enabled=false,externalRedis.urlSecret.name=weak',
        'externalRedis.urlSecret: key redis-url of the Secret weak has a value that is no URL',
      ],
    ] as const) {
      const text = await refusal('refuse', value);
      expect(text).toContain(said);
      expect(text).not.toMatch(/redis:6379|short,/);
    }
  });

  it('say how to change what Kubernetes does not change', async () => {
    await api.namespace('claim');
    await upgrade('claim');
    const text = await refusal('claim', 'redis.persistence.enabled=true');
    expect(text).toContain('redis.persistence.enabled: the StatefulSet was made with false');
    expect(text).toContain('kubectl -n claim delete statefulset sf-socketfleet-redis --cascade=orphan');
  });

  it('stand beside each other, also one that is called like the chart', async () => {
    await api.namespace('beside');
    await upgrade('beside');
    await helm('install', 'socketfleet', CHART, '-n', 'beside');
    const names = await api.kubectl('-n', 'beside', 'get', 'deployment', '-o', 'name');
    expect(names.trim().split('\n')).toEqual(['deployment.apps/sf-socketfleet', 'deployment.apps/socketfleet']);
  });

  it('make pods that a namespace under the restricted profile admits, with every file of values', async () => {
    await api.namespace('restricted');
    await api.kubectl('create', 'priorityclass', 'high', '--value=1');
    const pods: object[] = [];
    for (const { file } of CI_VALUES) {
      for (const { pod } of podsOf(await render({}, { files: [file] }))) {
        const { metadata, spec } = pod as { metadata: object; spec: { volumes?: object[] } };
        // Claims come from the template of a StatefulSet.
        const volumes = [...(spec.volumes ?? [])];
        if (JSON.stringify(spec).includes('"name":"data","mountPath"') && !JSON.stringify(volumes).includes('"data"')) {
          volumes.push({ name: 'data', emptyDir: {} });
        }
        const whole = { ...metadata, name: `pod-${pods.length}` };
        pods.push({ apiVersion: 'v1', kind: 'Pod', metadata: whole, spec: { ...spec, volumes } });
      }
    }
    const kubectl = run('kubectl', ['-n', 'restricted', 'create', '--dry-run=server', '--validate=strict', '-f', '-'], {
      env: { ...process.env, KUBECONFIG: api.kubeconfig, NO_PROXY: '127.0.0.1' },
    });
    kubectl.child.stdin?.end(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: pods }));
    const { stdout } = await kubectl;
    expect(stdout.match(/created \(server dry run\)/g)).toHaveLength(pods.length);
  });
});
