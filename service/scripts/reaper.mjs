// Ends what a process started, also when that process is killed and can end nothing itself.
import { spawn } from 'node:child_process';

const SCRIPT = `
folder=$1
shift
current=
while read -r id; do current=$id; done
[ -z "$current" ] || "$@" "$current" > /dev/null 2>&1
[ -z "$folder" ] || rm -rf "$folder" || { sleep 1; rm -rf "$folder"; }
`;

/**
 * A small process of its own: once this one is gone, or on `reap`, it calls `end` (a command line) with the id that it
 * watches as last argument, and removes `folder` if there is one.
 */
export function createReaper({ folder, end }) {
  // Detached, so that a Ctrl-C in the terminal does not end it before the others.
  const child = spawn('sh', ['-c', SCRIPT, 'socketfleet-reaper', folder ?? '', ...end], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  const gone = new Promise((resolve) => child.once('close', () => resolve()));
  // Nobody is there to be told that the reaper itself is gone.
  child.stdin.on('error', () => undefined);
  child.unref();
  child.stdin.unref();
  return {
    watch: (id) => void child.stdin.write(`${id ?? ''}\n`),
    reap() {
      child.stdin.end();
      child.ref();
      return gone;
    },
  };
}
