import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { CHART } from './support/helm.ts';
import { at } from './support/kube-object.ts';

const ROOT = join(CHART, '../..');

interface Machine {
  readonly programs: readonly string[];
  readonly clusters?: readonly string[];
}

/** Runs kind.mjs on a machine whose programs only write down how they are called. */
function kind(command: string, { programs, clusters = [] }: Machine) {
  const folder = mkdtempSync(join(tmpdir(), 'socketfleet-kind-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const bin = join(folder, 'bin');
  const log = join(folder, 'calls');
  mkdirSync(bin);
  writeFileSync(log, '');
  const list = join(folder, 'clusters');
  writeFileSync(list, clusters.map((name) => `${name}\n`).join(''));
  for (const name of programs) {
    const file = join(bin, name);
    writeFileSync(
      file,
      `#!/bin/sh
[ "$1" = --help ] && exit 0
echo "${name} $*" >> ${log}
case "$1 $2" in
  'get clusters') while read -r name; do echo "$name"; done < ${list} ;;
  'create cluster') echo "$4" >> ${list} ;;
  'image inspect') echo sha256:0123456789abcdef0123 ;;
esac
`,
    );
    chmodSync(file, 0o755);
  }
  const env = { PATH: bin, TMPDIR: folder };
  const script = join(ROOT, 'service/scripts/kind.mjs');
  const { status, stderr, stdout } = spawnSync(process.execPath, [script, command], { env, encoding: 'utf8' });
  const calls = readFileSync(log, 'utf8').trim().split('\n');
  return { status, stderr, stdout, calls: calls.map((call) => call.replace(/\/\S+image\.tar/, 'TAR')) };
}

const docker = ['kind', 'helm', 'kubectl', 'docker'];
const upgrade = (repository: string) =>
  `helm upgrade --install sf helm/socketfleet --kube-context kind-socketfleet --namespace socketfleet --create-namespace --values helm/socketfleet/ci/kind-values.yaml --set image.repository=${repository} --set-string image.tag=dev-0123456789ab --wait --timeout 5m`;

describe('npm run kind:*', () => {
  it('up makes a cluster, brings the image there and installs the chart with it', () => {
    const { status, calls, stdout } = kind('up', { programs: docker });
    expect(status).toBe(0);
    expect(calls.slice(0, 2)).toEqual(['kind get clusters', 'kind create cluster --name socketfleet --wait 3m']);
    expect(calls.at(-1)).toBe(upgrade('socketfleet'));
    expect(stdout).toContain('port-forward service/sf-socketfleet 3000:80');
  });

  it('up leaves a cluster alone that is there already', () => {
    const { calls } = kind('up', { programs: docker, clusters: ['socketfleet'] });
    expect(calls.filter((call) => call.startsWith('kind create'))).toEqual([]);
    expect(calls.at(-1)).toBe(upgrade('socketfleet'));
  });

  it('reload builds, loads and upgrades; a new image has a new tag', () => {
    const { status, calls } = kind('reload', { programs: docker, clusters: ['other', 'socketfleet'] });
    expect(status).toBe(0);
    expect(calls).toEqual([
      'kind get clusters',
      'docker build --tag socketfleet:dev .',
      'docker image inspect --format {{.Id}} socketfleet:dev',
      'docker tag socketfleet:dev socketfleet:dev-0123456789ab',
      'kind load docker-image --name socketfleet socketfleet:dev-0123456789ab',
      upgrade('socketfleet'),
    ]);
  });

  it('works with podman, whose images have another name', () => {
    const programs = ['kind', 'helm', 'kubectl', 'podman'];
    const { status, calls } = kind('reload', { programs, clusters: ['socketfleet'] });
    expect(status).toBe(0);
    expect(calls.slice(-3)).toEqual([
      'podman save --output TAR localhost/socketfleet:dev-0123456789ab',
      'kind load image-archive --name socketfleet TAR',
      upgrade('localhost/socketfleet'),
    ]);
  });

  it('down deletes the cluster', () => {
    expect(kind('down', { programs: docker }).calls).toEqual(['kind delete cluster --name socketfleet']);
  });

  it('names every program that is missing, before anything is done', () => {
    const { status, stderr, calls } = kind('up', { programs: ['kubectl'] });
    expect(status).toBe(1);
    expect(stderr).toBe('not on the PATH: kind, helm, docker or podman\n');
    expect(calls).toEqual(['']);
  });

  it('says that there is no cluster to reload', () => {
    const { status, stderr } = kind('reload', { programs: docker });
    expect({ status, stderr }).toEqual({ status: 1, stderr: 'there is no cluster yet: npm run kind:up\n' });
  });
});

describe('skaffold.yaml', () => {
  const config = parse(readFileSync(join(ROOT, 'skaffold.yaml'), 'utf8')) as unknown;
  const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');

  it('builds targets that the Dockerfile has, from the Node image that it names', () => {
    const targets = [...dockerfile.matchAll(/^FROM \S+ AS (\w+)$/gm)].map(([, target]) => target);
    expect(targets).toContain(at(config, 'build', 'artifacts', 0, 'docker', 'target'));
    expect(targets).toContain(at(config, 'profiles', 0, 'patches', 0, 'value'));
    const [, image] = /^ARG NODE_IMAGE=(\S+)$/m.exec(dockerfile) ?? [];
    expect(at(config, 'build', 'artifacts', 0, 'docker', 'buildArgs', 'NODE_IMAGE')).toContain(`"${image}"`);
  });

  it('forwards to the Service that the chart makes for its release', () => {
    expect(at(config, 'deploy', 'helm', 'releases', 0, 'name')).toBe('sf');
    expect(at(config, 'portForward', 0, 'resourceName')).toBe('sf-socketfleet');
  });
});
