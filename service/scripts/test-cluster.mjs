// `npm run test:cluster`: compiles the cluster test into a cache folder and runs it there.
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { prepare } from './prepare.mjs';

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const built = at('node_modules/.cache/socketfleet-cluster');

await prepare();
mkdirSync(built, { recursive: true });
// Node takes no package.json above a node_modules folder: without its own, the output would count as CommonJS.
copyFileSync(at('package.json'), `${built}/package.json`);

const tsc = spawnSync(process.execPath, [at('node_modules/typescript/bin/tsc'), '-p', at('service/test-cluster')], {
  stdio: ['ignore', 2, 2],
});
if (tsc.status !== 0) process.exit(tsc.status ?? 1);

const args = [`${built}/test-cluster/test-cluster.js`, ...process.argv.slice(2)];
const test = spawn(process.execPath, args, { cwd: at('.'), stdio: 'inherit' });
// The terminal sends SIGINT to the whole group; SIGTERM comes to this process alone.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => test.kill('SIGTERM'));
test.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
