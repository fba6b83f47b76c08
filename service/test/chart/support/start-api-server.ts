import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../../support/eventually.ts';

const run = promisify(execFile);
const isThere = (program: string) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
const NEEDED = ['etcd', 'kube-apiserver', 'kubectl'];

/** Programs that are not on the PATH. */
export const missingForApiServer = NEEDED.filter((program) => !isThere(program));

export interface StartedApiServer {
  readonly kubeconfig: string;
  kubectl(...args: readonly string[]): Promise<string>;
  /** A namespace as a cluster has it, with pod security enforced. */
  namespace(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** An API server with its etcd on the loopback: everything of a cluster that Helm talks to, and no pod. */
export async function startApiServer(): Promise<StartedApiServer> {
  const folder = mkdtempSync(join(tmpdir(), 'socketfleet-api-'));
  const [client, peer, secure] = [await freePort(), await freePort(), await freePort()];
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = file('sa.key', privateKey.export({ type: 'pkcs1', format: 'pem' }).toString());
  const etcdUrl = `http://127.0.0.1:${client}`;
  const server = { name: 'test', cluster: { server: `https://127.0.0.1:${secure}`, 'insecure-skip-tls-verify': true } };
  const kubeconfig = file(
    'kubeconfig',
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [server],
      users: [{ name: 'test', user: { token: 'test' } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      'current-context': 'test',
    }),
  );
  const env = { ...process.env, KUBECONFIG: kubeconfig, NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' };
  const children: ChildProcess[] = [];
  const start = (program: string, args: readonly string[]) => {
    children.push(spawn(program, [...args], { cwd: folder, stdio: 'ignore', env }));
  };
  start('etcd', [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${etcdUrl}`,
    `--advertise-client-urls=${etcdUrl}`,
    `--listen-peer-urls=http://127.0.0.1:${peer}`,
    `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
    `--initial-cluster=default=http://127.0.0.1:${peer}`,
    '--unsafe-no-fsync',
  ]);
  start('kube-apiserver', [
    `--etcd-servers=${etcdUrl}`,
    `--secure-port=${secure}`,
    '--bind-address=127.0.0.1',
    `--cert-dir=${join(folder, 'certs')}`,
    '--service-account-issuer=https://test',
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    `--token-auth-file=${file('tokens.csv', 'test,test,1,"system:masters"\n')}`,
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.96.0.0/16',
    // Nobody makes tokens for accounts here.
    '--disable-admission-plugins=ServiceAccount',
  ]);
  const kubectl = async (...args: readonly string[]) =>
    (await run('kubectl', [...args], { env, maxBuffer: 64 * 1024 * 1024 })).stdout;
  const stop = async () => {
    for (const child of children.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await eventually(async () => (await kubectl('get', '--raw', '/readyz')) === 'ok', 'the API server', 60_000);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    kubeconfig,
    kubectl,
    async namespace(name) {
      await kubectl('create', 'namespace', name);
      await kubectl('label', 'namespace', name, 'pod-security.kubernetes.io/enforce=restricted');
      await kubectl('-n', name, 'create', 'configmap', 'kube-root-ca.crt', '--from-literal=ca.crt=none');
    },
    stop,
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
