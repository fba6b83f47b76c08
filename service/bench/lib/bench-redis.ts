/** A Redis of the bench's own, which ends with it, also when the bench is killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type RedisServer, redisCommand, signalCommand } from '../../scripts/find-redis.mjs';
import { createReaper, type Reaper } from '../../scripts/reaper.mjs';
import { until } from './until.ts';

const HOST = '127.0.0.1';
const ATTEMPTS = 5;
const START_MS = 15_000;
const ANSWER_MS = 1_000;

/** A running Redis. */
export interface BenchRedis {
  /** With its password. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts `found` on a free port, pinned to `core` where that is possible; resolves when it answers. */
export async function startBenchRedis(found: RedisServer, core: number | undefined): Promise<BenchRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'socketfleet-bench-'));
  const reaper = createReaper({ folder, end: signalCommand(found, 'SIGKILL') });
  // A password of its own: whoever took the port in the meantime does not know it.
  const password = randomBytes(16).toString('hex');
  try {
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      const args = ['--port', `${port}`, '--bind', HOST, '--save', '', '--requirepass', password];
      const child = spawnRedis(found, { folder, core, args });
      reaper.watch(found.kind === 'binary' ? child.pid : basename(folder));
      if (await answers(child, { port, password })) {
        return { url: `redis://:${password}@${HOST}:${port}`, stop: () => end(child, reaper) };
      }
      if (attempt === ATTEMPTS) throw new Error(`Redis ended at its start ${ATTEMPTS} times`);
    }
  } catch (error) {
    await reaper.reap();
    throw error;
  }
}

interface Place {
  readonly folder: string;
  readonly core: number | undefined;
  readonly args: readonly string[];
}

function spawnRedis(found: RedisServer, { folder, core, args }: Place): ChildProcess {
  const command = redisCommand(found, { folder, args: [...args] });
  const pinned = ['-c', `${core}`, command.file, ...command.args];
  const [file, all] = core === undefined ? [command.file, command.args] : ['taskset', pinned];
  const child = spawn(file, all, { cwd: folder, stdio: 'ignore' });
  // Seen as an early end.
  child.on('error', () => undefined);
  return child;
}

/** False when the process has ended before it answered. */
async function answers(child: ChildProcess, door: { port: number; password: string }): Promise<boolean> {
  const isGone = () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
  let isUp = false;
  await until({
    what: 'Redis answers',
    deadlineMs: START_MS,
    async ask() {
      isUp = await ping(door);
      return isUp || isGone();
    },
  });
  return isUp;
}

async function ping({ port, password }: { port: number; password: string }): Promise<boolean> {
  const socket = connect(port, HOST).setTimeout(ANSWER_MS, () => socket.destroy());
  let answer = '';
  socket.setEncoding('utf8').on('data', (text) => {
    answer += text;
    if (answer.includes('PONG') || answer.includes('-')) socket.destroy();
  });
  // Seen as no answer.
  socket.on('error', () => undefined);
  socket.write(`AUTH ${password}\r\nPING\r\n`);
  await new Promise((resolve) => socket.once('close', resolve));
  return answer.includes('+PONG');
}

async function end(child: ChildProcess, reaper: Reaper): Promise<void> {
  const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
  await reaper.reap();
  await exited;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
