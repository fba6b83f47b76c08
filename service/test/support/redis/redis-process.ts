import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { type RedisServer, redisCommand, signalCommand } from '../../../scripts/find-redis.mjs';
import type { Reaper } from '../../../scripts/reaper.mjs';
import { eventually } from '../eventually.ts';

const run = promisify(execFile);
const START_MS = 15_000;
const END_MS = 15_000;

export interface RedisProcess {
  /** Undefined while it is down, and in a container. */
  pid(): number | undefined;
  /** Everything printed by the run that is, or was the last. */
  output(): string;
  isRunning(): boolean;
  /** Resolves when `isUp` says so. Rejects with what it printed when it ends before. */
  start(args: readonly string[], isUp: () => Promise<boolean>): Promise<void>;
  signal(signal: NodeJS.Signals): Promise<void>;
  /** Resolves when it is gone, by SIGKILL when the signal did not do within 15 s. Safe when it is down. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** One redis-server at a time, in a `folder` of its own. */
export function createRedisProcess(
  found: RedisServer,
  { folder, reaper }: { folder: string; reaper: Reaper },
): RedisProcess {
  let child: ChildProcess | undefined;
  let gone: Promise<void> = Promise.resolve();
  let output = '';

  function spawnIt(args: readonly string[]): ChildProcess {
    const command = redisCommand(found, { folder, args });
    const started = spawn(command.file, command.args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    output = '';
    for (const stream of [started.stdout, started.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    reaper.watch(found.kind === 'binary' ? started.pid : basename(folder));
    gone = new Promise((resolve) => {
      const onGone = () => {
        child = undefined;
        reaper.watch(undefined);
        resolve();
      };
      started.once('error', (error) => {
        output += error.message;
        onGone();
      });
      started.once('close', onGone);
    });
    return started;
  }

  async function signal(name: NodeJS.Signals): Promise<void> {
    if (found.kind === 'binary') child?.kill(name);
    else if (child) {
      const [file, ...args] = signalCommand(found, name);
      await run(file, [...args, basename(folder)]);
    }
  }

  return {
    pid: () => (found.kind === 'binary' ? child?.pid : undefined),
    output: () => output,
    isRunning: () => child !== undefined,
    async start(args, isUp) {
      if (child) throw new Error('this Redis is up already');
      child = spawnIt(args);
      await eventually(async () => child === undefined || (await isUp()), 'Redis', START_MS);
      if (child === undefined) throw new Error(`Redis ended at its start:\n${output}`);
    },
    signal,
    async end(name) {
      if (!child) return;
      // A container that is just beginning takes no signal yet, but its command line passes SIGTERM on.
      await signal(name).catch(() => child?.kill());
      // A stopped process takes no other signal than SIGKILL.
      if (name !== 'SIGKILL') await signal('SIGCONT').catch(() => undefined);
      const timer = setTimeout(() => void signal('SIGKILL').catch(() => child?.kill('SIGKILL')), END_MS);
      await gone;
      clearTimeout(timer);
    },
  };
}
