// `npm run conformance`: the real server with the settings and handlers that the public protocol suites expect.
// With --engine a bare Engine.IO server echoes on /engine.io/ of the same port.
import { fileURLToPath } from 'node:url';
import { CONFORMANCE_ENV, ENGINE_SWITCH } from '../test/support/conformance-app.mjs';
import { prepare } from './prepare.mjs';

const unknown = process.argv.slice(2).filter((argument) => argument !== '--engine');
if (unknown.length > 0) {
  console.error(`unknown argument ${unknown[0]}; there is only --engine`);
  process.exit(2);
}
if (process.argv.includes('--engine')) process.env[ENGINE_SWITCH] = 'on';
// The program has arguments of its own.
process.argv.length = 2;

await prepare();
const app = fileURLToPath(new URL('../test/support/conformance-app.mjs', import.meta.url));
for (const [name, value] of Object.entries({ SOCKETFLEET_APP: app, LOG_LEVEL: 'warn', ...CONFORMANCE_ENV })) {
  process.env[name] ??= value;
}
await import('../../dist/main.js');
