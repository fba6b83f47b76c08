import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { cpus, release, totalmem, type } from 'node:os';
import type { Options } from './options.ts';
import type { Circumstances } from './report.ts';
import type { Run } from './run-suite.ts';

/** Describes the machine and the run. `startedAt` is in milliseconds since 1970. */
export function circumstancesOf({
  options,
  run,
  startedAt,
}: {
  options: Options;
  run: Run;
  startedAt: number;
}): Circumstances {
  const require = createRequire(import.meta.url);
  return {
    command: options.command,
    startedAt: new Date(startedAt).toISOString(),
    seconds: Math.round((Date.now() - startedAt) / 1000),
    commit: commit(),
    node: process.version,
    socketIo: (require('socket.io/package.json') as { version: string }).version,
    system: `${type()} ${release()}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    cores:
      run.cores === undefined
        ? 'not pinned'
        : `server on core ${run.cores.server}, clients${run.redis ? ' and Redis' : ''} on core ${run.cores.clients}`,
    redis: run.redis && (run.redis.kind === 'binary' ? run.redis.version : run.redis.image),
    nodeFlags: run.nodeFlags,
    rounds: run.scale.rounds,
    isQuick: options.isQuick,
  };
}

function commit(): string {
  const { status, stdout } = spawnSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : 'unknown';
}
