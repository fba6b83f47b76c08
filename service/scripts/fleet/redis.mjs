// The Redis of a fleet: REDIS_URL when it is set, otherwise a server of our own on a free port.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { findRedis, redisCommand, signalCommand } from '../find-redis.mjs';

export async function createFleetRedis(say) {
  const found = await findRedis({ say });
  if (found.kind === 'url') {
    say('using REDIS_URL');
    const command = () => say('this Redis is not ours: REDIS_URL is set');
    return { url: found.url, command, stop: async () => undefined };
  }
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'socketfleet-fleet-redis-'));
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--daemonize', 'no'];
  let child;

  function start() {
    if (child !== undefined) throw new Error('Redis is running');
    const { file, args: all } = redisCommand(found, { folder, args });
    // A group of its own, so that Ctrl-C in the terminal does not reach it before the servers.
    child = spawn(file, all, { stdio: 'ignore', detached: true });
    child.once('exit', () => {
      child = undefined;
    });
    say(`Redis runs on port ${port}`);
  }
  function signal(name) {
    if (child === undefined) throw new Error('Redis is not running');
    const [file, ...rest] = signalCommand(found, name);
    execFileSync(file, [...rest, found.kind === 'docker' ? basename(folder) : String(child.pid)]);
  }
  async function down() {
    const ended = new Promise((resolve) => child?.once('exit', resolve));
    signal('SIGCONT');
    signal('SIGTERM');
    await ended;
    say('Redis has ended');
  }
  const commands = {
    start,
    stop: down,
    async restart() {
      await down();
      start();
    },
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
  };
  start();
  return {
    url: `redis://127.0.0.1:${port}`,
    async command(name) {
      if (!Object.hasOwn(commands, name ?? '')) throw new Error('redis start, stop, restart, pause or resume');
      await commands[name]();
    },
    async stop() {
      if (child !== undefined) await down();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
