// Brings a checkout into a state in which it runs: dependencies as in the lockfile, dist as in the sources.
// Plain Node, because nothing is installed when it first runs.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const OLDEST_NODE = [20, 19];

/** Throws nothing: what is wrong is printed, and the process ends with 1. */
export async function prepare() {
  checkNode();
  if (isOlder(join(ROOT, 'node_modules/.package-lock.json'), [join(ROOT, 'package-lock.json')])) {
    step('installing dependencies', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  }
  const sources = filesBelow(join(ROOT, 'service/src'));
  if (
    isOlder(join(ROOT, 'dist/.built'), [
      ...sources,
      join(ROOT, 'service/tsconfig.json'),
      join(ROOT, 'package-lock.json'),
    ])
  ) {
    build(sources);
  }
}

/** Compiles service/src to dist and copies what is no TypeScript beside it. */
export function build(sources = filesBelow(join(ROOT, 'service/src'))) {
  step('building', process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', join(ROOT, 'service')]);
  for (const file of sources.filter((name) => !name.endsWith('.ts'))) {
    const target = join(ROOT, 'dist', relative(join(ROOT, 'service/src'), file));
    mkdirSync(dirname(target), { recursive: true });
    cpSync(file, target);
  }
  writeFileSync(join(ROOT, 'dist/.built'), '');
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  console.error(`Node ${process.versions.node} is too old: ${OLDEST_NODE.join('.')} or newer is needed`);
  process.exit(1);
}

function step(title, command, args) {
  console.error(`${title} ...`);
  const result = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  if (result.status === 0) return;
  console.error(`${title} failed: ${result.error?.message ?? `exit code ${result.status}`}`);
  process.exit(1);
}

function isOlder(product, sources) {
  if (!existsSync(product)) return true;
  const made = statSync(product).mtimeMs;
  return sources.some((source) => existsSync(source) && statSync(source).mtimeMs > made);
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}
