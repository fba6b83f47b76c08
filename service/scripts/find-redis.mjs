// Finds a Redis for tests, the bench and the local fleet. Plain Node, because scripts use it before anything is built.
import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

// Sharded Pub/Sub came with 7.
const OLDEST_REDIS = 7;
const IMAGE = 'redis:7-alpine';
const HOW_TO_GET_ONE =
  'put redis-server or valkey-server (7 or newer) on the PATH, for instance with "apt-get install redis-server" or "brew install redis", or start Docker';

// Debian's package starts and enables a service; only its binary is wanted. The lock is for tests that run side by side.
const INSTALL = `
set -e
command -v redis-server > /dev/null 2>&1 && exit 0
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' HUP INT TERM
  printf '#!/bin/sh\\nexit 101\\n' > "$policy"
  chmod 755 "$policy"
fi
apt-get update -qq
apt-get install -y --no-install-recommends redis-server
update-rc.d redis-server disable > /dev/null 2>&1 || true
`;

/**
 * Finds a Redis: REDIS_URL, else redis-server or valkey-server on the PATH, else Docker, else apt-get as root.
 * With `own`, REDIS_URL does not count: the caller wants to stop, pause and configure it.
 * Rejects with one sentence that says how to get one.
 */
export async function findRedis({
  own = false,
  env = process.env,
  platform = process.platform,
  isRoot = process.getuid?.() === 0,
  say = (line) => console.error(line),
} = {}) {
  if (!own && env.REDIS_URL) return { kind: 'url', url: env.REDIS_URL };
  const problems = [];
  const found =
    (await findServer(env, problems)) ??
    (await findDocker(env, platform, say)) ??
    (platform === 'linux' && isRoot ? await installServer(env, say, problems) : undefined);
  if (found) return found;
  const why = problems.length > 0 ? ` (${problems.join('; ')})` : '';
  throw new Error(
    own && env.REDIS_URL
      ? `REDIS_URL is not enough here, because this Redis is stopped, paused and configured: ${HOW_TO_GET_ONE}${why}.`
      : `There is no Redis: set REDIS_URL, or ${HOW_TO_GET_ONE}${why}.`,
  );
}

/**
 * The command line that runs a found server in the foreground. It works in `folder`, sees no other,
 * and has its name as a container.
 */
export function redisCommand(found, { folder, args }) {
  if (found.kind === 'binary') return { file: found.file, args };
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  const place = ['--network', 'host', '--user', user, '--volume', `${folder}:${folder}`, '--workdir', folder];
  const container = ['run', '--rm', '--name', basename(folder), ...place, '--entrypoint', 'redis-server'];
  return { file: 'docker', args: [...container, found.image, ...args] };
}

/** The command line that sends a signal to a server that `redisCommand` runs; the last argument, `id` of the server, is to be added. */
export function signalCommand(found, signal) {
  const name = signal.replace(/^SIG/, '');
  return found.kind === 'binary' ? ['kill', `-${name}`] : ['docker', 'kill', '--signal', name];
}

async function findServer(env, problems) {
  for (const name of ['redis-server', 'valkey-server']) {
    const file = onPath(name, env);
    if (file === undefined) continue;
    const { stdout } = await run(file, ['--version'], { env }).catch((error) => ({ stdout: error.message }));
    const version = /\bv=(\d+)[\d.]*/.exec(stdout);
    if (Number(version?.[1]) >= OLDEST_REDIS) return { kind: 'binary', file, version: version[0].slice(2) };
    problems.push(version ? `${file} is ${version[0].slice(2)}` : `${file} does not tell its version`);
  }
  return undefined;
}

async function findDocker(env, platform, say) {
  // Elsewhere Docker's host is a virtual machine, and its ports are not ours.
  if (platform !== 'linux' || onPath('docker', env) === undefined) return undefined;
  const docker = (args, timeout) => run('docker', args, { env, timeout }).then(Boolean, () => false);
  if (!(await docker(['info'], 10_000))) return undefined;
  if (!(await docker(['image', 'inspect', IMAGE], 10_000))) {
    say(`pulling ${IMAGE} ...`);
    if (!(await docker(['pull', IMAGE], 300_000))) return undefined;
  }
  return { kind: 'docker', image: IMAGE };
}

async function installServer(env, say, problems) {
  if (onPath('apt-get', env) === undefined) return undefined;
  say('installing redis-server with apt-get ...');
  const options = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' }, timeout: 300_000, maxBuffer: 16 * 1024 * 1024 };
  try {
    await run('flock', ['/var/lib/dpkg', 'sh', '-c', INSTALL], options);
  } catch (error) {
    problems.push(`apt-get said: ${(error.stderr || error.message).trim().split('\n').at(-1)}`);
    return undefined;
  }
  return findServer(env, problems);
}

function onPath(name, env) {
  return (env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return statSync(file).isFile();
      } catch {
        return false;
      }
    });
}
