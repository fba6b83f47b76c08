// A real HAProxy in front of a fleet, when it is installed.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onPath } from './on-path.mjs';

/** HAProxy's configuration: one backend with a slot for every server that may come. */
export function haproxyConfig({ port, slots, balance }) {
  const isSticky = balance === 'cookie';
  return [
    'global',
    '  maxconn 9000',
    'defaults',
    '  mode http',
    '  timeout connect 2s',
    '  timeout client 60s',
    '  timeout server 60s',
    '  timeout tunnel 1h',
    '  option redispatch',
    '  retries 2',
    'frontend public',
    `  bind 127.0.0.1:${port}`,
    '  default_backend servers',
    'backend servers',
    '  balance roundrobin',
    '  option httpchk GET /readyz',
    ...(isSticky ? ['  cookie sf insert indirect nocache httponly'] : []),
    ...slots.map(
      (slot) =>
        `  server s${slot.n} 127.0.0.1:${slot.port} check port ${slot.internalPort} inter 500 fall 2 rise 1${isSticky ? ` cookie s${slot.n}` : ''}`,
    ),
    '',
  ].join('\n');
}

export function createBalancer({ port, slots, balance, say }) {
  const program = onPath('haproxy');
  let child;
  let folder;
  return {
    url: program === undefined ? undefined : `http://127.0.0.1:${port}`,
    async start() {
      if (program === undefined) return say('haproxy is not installed: clients connect to the servers directly');
      folder = mkdtempSync(join(tmpdir(), 'socketfleet-fleet-'));
      const file = join(folder, 'haproxy.cfg');
      writeFileSync(file, haproxyConfig({ port, slots, balance }));
      child = spawn(program, ['-W', '-q', '-f', file], { stdio: 'inherit', detached: true });
      child.once('exit', (code) => {
        child = undefined;
        if (code) say(`haproxy has ended with ${code}; is port ${port} in use?`);
      });
      say(`haproxy (${balance}) on http://127.0.0.1:${port}`);
    },
    async stop() {
      if (child !== undefined) {
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGTERM');
        await ended;
      }
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}
