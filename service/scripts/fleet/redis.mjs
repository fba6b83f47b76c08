// The Redis of a fleet: REDIS_URL when it is set, otherwise a process of our own on a free port.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { onPath } from './on-path.mjs';

export async function createFleetRedis(say) {
  if (process.env.REDIS_URL) {
    say('using REDIS_URL');
    return {
      url: process.env.REDIS_URL,
      command: () => say('this Redis is not ours: REDIS_URL is set'),
      stop: async () => undefined,
    };
  }
  const program = onPath('redis-server') ?? onPath('valkey-server');
  if (program === undefined)
    throw new Error('no Redis: install redis-server (apt-get install redis-server), or set REDIS_URL');
  const port = await freePort();
  let child;

  function start() {
    if (child !== undefined) throw new Error('Redis is running');
    child = spawn(program, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--daemonize', 'no'], {
      stdio: 'ignore',
    });
    child.once('exit', () => {
      child = undefined;
    });
    say(`Redis runs on port ${port}`);
  }
  async function stop() {
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    await ended;
    say('Redis has ended');
  }
  const commands = {
    start,
    stop,
    async restart() {
      await stop();
      start();
    },
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
  };
  start();
  return {
    url: `redis://127.0.0.1:${port}`,
    async command(name) {
      if (!Object.hasOwn(commands, name ?? '')) throw new Error('redis start, stop, restart, pause or resume');
      await commands[name]();
    },
    stop,
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
