// `npm start`: installs what is missing, builds what is old, and runs the gateway with everything in memory.
import { prepare } from './prepare.mjs';

await prepare();
process.env.SOCKETFLEET_DEMO ??= 'on';
process.env.SOCKETFLEET_RECOVERY ??= 'on';
process.env.LOG_LEVEL ??= 'warn';
// Dynamic, because it does not exist before it is built.
await import('../../dist/main.js');
