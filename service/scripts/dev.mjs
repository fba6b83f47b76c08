// Entry of the image's dev target: runs the sources and starts them anew when one changes.
// With arguments it is the program itself, so that sub-commands end.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = new URL('../src/main.ts', import.meta.url);

if (process.argv.length > 2) {
  await import(main.href);
} else {
  const watch = ['--watch', '--watch-preserve-output', '--watch-kill-signal=SIGINT'];
  // Not by NODE_OPTIONS: this process would take the port before the one that is to be debugged.
  const inspect = process.env.INSPECT ? [`--inspect=${process.env.INSPECT}`] : [];
  const args = [...process.execArgv, ...watch, ...inspect, fileURLToPath(main)];
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 0));
}
