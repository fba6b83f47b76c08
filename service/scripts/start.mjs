// `npm start`: installs what is missing, builds what is old, and runs the gateway with everything in memory.
import { prepare } from './prepare.mjs';

await prepare();
// npm ends without passing a signal on; a server that nobody watches any more should not hold its port.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM');
}, 1_000).unref();
process.env.SOCKETFLEET_DEMO ??= 'on';
process.env.SOCKETFLEET_RECOVERY ??= 'on';
process.env.LOG_LEVEL ??= 'warn';
// Dynamic, because it does not exist before it is built.
await import('../../dist/main.js');
