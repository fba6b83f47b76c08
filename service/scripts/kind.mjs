// `npm run kind:up`, `kind:reload` and `kind:down`: the service on a cluster of one machine, with kind, docker (or podman),
// helm and kubectl. What skaffold.yaml does, without Skaffold.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CLUSTER = 'socketfleet';
const NAMESPACE = 'socketfleet';
const CONTEXT = `kind-${CLUSTER}`;
const SERVICE = 'sf-socketfleet';
const COMMANDS = { up, reload, down };

const [name = ''] = process.argv.slice(2);
const command = COMMANDS[name];
if (command === undefined) end(`node service/scripts/kind.mjs ${Object.keys(COMMANDS).join('|')}`, 2);
const docker = ['docker', 'podman'].find(isThere);
const missing = ['kind', 'helm', 'kubectl'].filter((program) => !isThere(program));
if (docker === undefined) missing.push('docker or podman');
if (missing.length > 0) end(`not on the PATH: ${missing.join(', ')}`, 1);
// kind asks for Docker unless it is told otherwise.
if (docker === 'podman') process.env.KIND_EXPERIMENTAL_PROVIDER ??= 'podman';
command();

function up() {
  if (!hasCluster()) run('kind', ['create', 'cluster', '--name', CLUSTER, '--wait', '3m']);
  reload();
  console.log(`
reach it:       kubectl --context ${CONTEXT} -n ${NAMESPACE} port-forward service/${SERVICE} 3000:80
then:           TOKEN=$(kubectl --context ${CONTEXT} -n ${NAMESPACE} exec deployment/${SERVICE} -- node dist/main.js token --sub me --rooms '*') \\
                npm run client -- --room lobby
check it:       helm test sf --kube-context ${CONTEXT} -n ${NAMESPACE} --logs
after a change: npm run kind:reload
remove it:      npm run kind:down`);
}

function reload() {
  if (!hasCluster()) end('there is no cluster yet: npm run kind:up', 1);
  const { repository, tag } = build();
  const values = ['--values', 'helm/socketfleet/ci/kind-values.yaml'];
  const image = ['--set', `image.repository=${repository}`, '--set-string', `image.tag=${tag}`];
  const where = ['--kube-context', CONTEXT, '--namespace', NAMESPACE, '--create-namespace'];
  run('helm', [
    'upgrade',
    '--install',
    'sf',
    'helm/socketfleet',
    ...where,
    ...values,
    ...image,
    '--wait',
    '--timeout',
    '5m',
  ]);
}

function down() {
  run('kind', ['delete', 'cluster', '--name', CLUSTER]);
}

/** Builds the image, brings it to the nodes, and returns where it is there. A new content has a new tag, so that pods change. */
function build() {
  run(docker, ['build', '--tag', 'socketfleet:dev', '.']);
  const id = read(docker, ['image', 'inspect', '--format', '{{.Id}}', 'socketfleet:dev']);
  const tag = `dev-${id.replace(/^sha256:/, '').slice(0, 12)}`;
  run(docker, ['tag', 'socketfleet:dev', `socketfleet:${tag}`]);
  if (docker === 'docker') {
    run('kind', ['load', 'docker-image', '--name', CLUSTER, `socketfleet:${tag}`]);
    return { repository: 'socketfleet', tag };
  }
  // Podman keeps images below localhost/, and kind cannot ask it for them.
  const folder = mkdtempSync(join(tmpdir(), 'socketfleet-kind-'));
  try {
    const archive = join(folder, 'image.tar');
    run('podman', ['save', '--output', archive, `localhost/socketfleet:${tag}`]);
    run('kind', ['load', 'image-archive', '--name', CLUSTER, archive]);
  } finally {
    rmSync(folder, { recursive: true });
  }
  return { repository: 'localhost/socketfleet', tag };
}

function hasCluster() {
  return read('kind', ['get', 'clusters']).split('\n').includes(CLUSTER);
}

function isThere(program) {
  return spawnSync(program, ['--help'], { stdio: 'ignore' }).error === undefined;
}

function run(program, args) {
  console.log(`$ ${program} ${args.join(' ')}`);
  const { status } = spawnSync(program, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) end(`${program} ended with ${status}`, 1);
}

function read(program, args) {
  const { status, stdout } = spawnSync(program, args, {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) end(`${program} ${args.join(' ')} ended with ${status}`, 1);
  return stdout.trim();
}

function end(text, code) {
  console.error(text);
  process.exit(code);
}
