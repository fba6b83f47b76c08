/** Where tests and scripts get a Redis from, and that nothing of it stays when they are killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type FindRedisOptions, findRedis, redisCommand, signalCommand } from '../../scripts/find-redis.mjs';
import { eventually } from '../support/eventually.ts';

const SCRIPTS = join(import.meta.dirname, '../../scripts');
const SHELL_FOLDER = '/bin';

/** A machine on which only these programs are there, as shell scripts. */
async function machine(
  programs: Record<string, string>,
): Promise<Required<Pick<FindRedisOptions, 'env'>> & FindRedisOptions & { folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'socketfleet-support-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(folder, name), `#!${SHELL_FOLDER}/sh\nPATH=$PATH${delimiter}${SHELL_FOLDER}\n${script}\n`);
    await chmod(join(folder, name), 0o755);
  }
  return { folder, env: { PATH: folder }, platform: 'linux', isRoot: true, say: () => undefined };
}

const REDIS_7 = 'echo "Redis server v=7.0.15 sha=00000000:0 malloc=libc"';
const REDIS_6 = 'echo "Redis server v=6.0.16 sha=00000000:0 malloc=libc"';
const VALKEY_8 = 'echo "Valkey server v=8.1.1 sha=00000000:0 malloc=libc"';

describe('findRedis', () => {
  it("takes REDIS_URL before anything else, but not when a Redis of one's own is needed", async () => {
    const { env, folder, ...rest } = await machine({ 'redis-server': REDIS_7 });
    const withUrl = { ...rest, env: { ...env, REDIS_URL: 'redis://somewhere' } };
    expect(await findRedis(withUrl)).toEqual({ kind: 'url', url: 'redis://somewhere' });
    const own = { kind: 'binary', file: join(folder, 'redis-server'), version: '7.0.15' };
    expect(await findRedis({ ...withUrl, own: true })).toEqual(own);
  });

  it('takes valkey-server when there is no redis-server, or too old a one', async () => {
    const valkey = await machine({ 'redis-server': REDIS_6, 'valkey-server': VALKEY_8, docker: 'exit 0' });
    const found = await findRedis(valkey);
    expect(found).toEqual({ kind: 'binary', file: join(valkey.folder, 'valkey-server'), version: '8.1.1' });
  });

  it('takes Docker when its daemon answers, and pulls the image once', async () => {
    const calls = 'echo "$@" >> "$(dirname "$0")/calls"';
    const docker = await machine({ docker: `${calls}; [ "$1 $2" != "image inspect" ]`, 'apt-get': 'exit 1' });
    const found = await findRedis(docker);
    expect(found).toMatchObject({ kind: 'docker', image: expect.stringContaining('redis') });
    const said: string[] = [];
    await findRedis({ ...docker, say: (line) => said.push(line) });
    expect(said).toEqual([expect.stringContaining('pulling')]);
  });

  it('installs redis-server as root, when the daemon of Docker does not answer', async () => {
    // Stands for the script that it is given, which would change this machine.
    const flock = `case "$4" in *'apt-get install -y --no-install-recommends redis-server'*) cd "$(dirname "$0")" && mv later redis-server;; esac`;
    const debian = await machine({ docker: 'exit 1', 'apt-get': 'exit 1', flock, later: REDIS_7 });
    const nobody = findRedis({ ...debian, isRoot: false });
    await expect(nobody).rejects.toThrow('There is no Redis');
    expect(await findRedis(debian)).toMatchObject({ kind: 'binary', version: '7.0.15' });
  });

  it('says in one sentence how to get one when there is none', async () => {
    const none = await machine({ 'redis-server': REDIS_6 });
    await expect(findRedis(none)).rejects.toThrow(
      /^There is no Redis: set REDIS_URL, or put .*apt-get.* start Docker \(.*redis-server is 6\.0\.16\)\.$/,
    );
    const onlyUrl = { ...none, env: { ...none.env, REDIS_URL: 'redis://somewhere' }, own: true };
    await expect(findRedis(onlyUrl)).rejects.toThrow(/^REDIS_URL is not enough here/);
  });

  it('runs and signals a container like a process', () => {
    const found = { kind: 'docker', image: 'some-image' } as const;
    const { file, args } = redisCommand(found, {
      folder: '/tmp/socketfleet-redis-x',
      args: ['/tmp/x.conf', '--sentinel'],
    });
    expect(file).toBe('docker');
    expect(args.join(' ')).toMatch(
      /--name socketfleet-redis-x .*--entrypoint redis-server some-image \/tmp\/x\.conf --sentinel$/,
    );
    expect(signalCommand(found, 'SIGSTOP')).toEqual(['docker', 'kill', '--signal', 'STOP']);
    expect(signalCommand({ kind: 'binary', file: 'x', version: '7' }, 'SIGKILL')).toEqual(['kill', '-KILL']);
  });
});

describe('createReaper', () => {
  it('ends what it watches and removes the folder when its process is killed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'socketfleet-support-'));
    // Both ends of the pipe that the parent and the watched process share have to close.
    const script = `
      import { spawn } from 'node:child_process';
      import { createReaper } from ${JSON.stringify(pathToFileURL(join(SCRIPTS, 'reaper.mjs')).href)};
      const reaper = createReaper({ folder: ${JSON.stringify(folder)}, end: ['kill', '-KILL'] });
      reaper.watch(1234567890);
      reaper.watch(spawn('sleep', ['600'], { stdio: ['ignore', 'inherit', 'ignore'] }).pid);
      console.log('ready');
    `;
    const args = ['--input-type=module', '-e', script];
    const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void parent.kill('SIGKILL'));
    await once(parent.stdout, 'data');
    const allGone = once(parent.stdout, 'end');
    parent.stdout.resume();
    parent.kill('SIGKILL');
    await allGone;
    await eventually(() => !existsSync(folder), 'the end of the folder');
  });
});
