// `npm test`: installs, builds and runs everything that this machine can run, and ends with one line of counts.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findRedis } from './find-redis.mjs';
import { prepare } from './prepare.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BIN = join(ROOT, 'node_modules/.bin');

await prepare();
// Getting one may take long; without one the tests that need it fail and say so.
await findRedis({ own: true }).catch((error) => console.error(error.message));
const counts = { passed: 0, failed: 0, skipped: 0 };
const skipped = [];
for (const [name, args] of [
  ['lint', ['biome', 'check', '.']],
  ['types', ['tsc', '-p', 'service', '--noEmit']],
  ['types of tests', ['tsc', '-p', 'service/test', '--noEmit']],
]) {
  const ok = run(name, join(BIN, args[0]), args.slice(1)) === 0;
  counts[ok ? 'passed' : 'failed']++;
}
runVitest();
for (const reason of skipped) console.log(`SKIPPED ${reason}`);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(counts.failed === 0 ? 0 : 1);

function runVitest() {
  const folder = mkdtempSync(join(tmpdir(), 'socketfleet-test-'));
  const report = join(folder, 'report.json');
  const args = [
    'run',
    '--config',
    'service/vitest.config.ts',
    '--reporter=dot',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ];
  const status = run('tests', join(BIN, 'vitest'), [...args, ...process.argv.slice(2)]);
  try {
    const result = JSON.parse(readFileSync(report, 'utf8'));
    counts.passed += result.numPassedTests;
    counts.failed += result.numFailedTests;
    counts.skipped += result.numPendingTests + result.numTodoTests;
    for (const file of result.testResults) {
      for (const test of file.assertionResults) {
        if (test.status === 'pending' || test.status === 'skipped') skipped.push(test.fullName);
      }
    }
    // A file that cannot be loaded has no tests that could fail.
    if (status !== 0 && result.numFailedTests === 0) counts.failed++;
  } catch {
    counts.failed++;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(name, command, args) {
  console.log(`-- ${name}`);
  return spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] }).status ?? 1;
}
