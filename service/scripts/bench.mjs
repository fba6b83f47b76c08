/** npm run bench: compiles the benchmarks (and what they import of the service) into a cache folder and runs them there. */
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const built = at('node_modules/.cache/socketfleet-bench');

mkdirSync(built, { recursive: true });
// Node takes no package.json above a node_modules folder: without its own, the output would count as CommonJS.
copyFileSync(at('package.json'), `${built}/package.json`);

const tsc = spawnSync(process.execPath, [at('node_modules/typescript/bin/tsc'), '-p', at('service/bench')], {
  stdio: ['ignore', 2, 2],
});
if (tsc.status !== 0) process.exit(tsc.status ?? 1);

const bench = spawn(process.execPath, [`${built}/bench/bench.js`, ...process.argv.slice(2)], { stdio: 'inherit' });
// The terminal sends SIGINT to the whole group; SIGTERM comes to this process alone.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => bench.kill('SIGTERM'));
bench.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
