// Used by .ci/run: `npm test`, then the cluster test in a lab, a Kubernetes on this machine that LAB names. Ends with
// one line of counts over both. Without a lab the cluster test is skipped by name.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LAB = resolve(ROOT, process.env.LAB || '../shared/lab');
const PROGRAM = join(LAB, 'lab');
const IMAGE = 'socketfleet:dev';
const COUNTS = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm;

const total = { passed: 0, failed: 0, skipped: 0 };
const skipped = [];
const why = whyNoLab();
if (why === undefined) {
  // helm and the like for the tests of the chart; what is installed here goes first.
  step('lab: build', [PROGRAM, 'build']);
  process.env.PATH += delimiter + join(process.env.LAB_HOME || join(homedir(), '.cache/lab'), 'bin');
}
await count('npm test', ['npm', 'test']);
if (why === undefined) await clusterTest();
else {
  skipped.push(`cluster: ${why}`);
  total.skipped++;
}
for (const line of skipped) console.log(`SKIPPED ${line}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 ? 0 : 1);

function whyNoLab() {
  if (!existsSync(PROGRAM)) return 'no LAB';
  return process.getuid?.() === 0 ? undefined : 'the lab needs root';
}

async function clusterTest() {
  const folder = mkdtempSync(join(tmpdir(), 'socketfleet-lab-'));
  try {
    const isReady =
      step('lab: up', [PROGRAM, 'up', '--nodes', '2']) && step('lab: image', [PROGRAM, 'image', IMAGE, ROOT]);
    if (!isReady) return;
    const options = ['--image', IMAGE, '--url', 'http://sf.lab', '--pod-kill', `${PROGRAM} pod-kill`];
    const standIns = ['--stand-ins', standInsIn(folder)];
    const test = ['node', 'service/scripts/test-cluster.mjs', ...options, ...standIns];
    await count('cluster test', [PROGRAM, 'run', ...test]);
  } finally {
    step('lab: down', [PROGRAM, 'down']);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The quick start makes a cluster and loads the image into it, which the lab has done: kind and docker have nothing to do. */
function standInsIn(folder) {
  for (const name of ['kind', 'docker']) {
    writeFileSync(join(folder, name), `#!/bin/sh\necho "(instead of ${name} $*)" >&2\n`, { mode: 0o755 });
  }
  return folder;
}

function step(title, [command, ...args]) {
  console.log(`-- ${title}`);
  const ok = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
  if (!ok) {
    console.log(`${title} failed`);
    total.failed++;
  }
  return ok;
}

/** Runs something that ends with its counts and adds them; what ends without has failed. */
async function count(title, [command, ...args]) {
  console.log(`-- ${title}`);
  const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    process.stdout.write(text);
    output += text;
  });
  const [status] = await once(child, 'close');
  const [, ...numbers] = [...output.matchAll(COUNTS)].at(-1) ?? [];
  const [passed, failed, missed] = numbers.map(Number);
  total.passed += passed || 0;
  total.failed += failed || (status === 0 && numbers.length > 0 ? 0 : 1);
  total.skipped += missed || 0;
  skipped.push(...[...output.matchAll(/^SKIPPED (.*)$/gm)].map(([, what]) => what));
}
