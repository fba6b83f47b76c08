import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { CHART } from './support/helm.ts';

const run = promisify(execFile);
const isThere = (command: string) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
const hasRedis = isThere('redis-server') && isThere('redis-cli');
const ODD = `it's "odd" $(date) \\ #1`;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Runs the chart's start.sh as the pod does, in folders of the test and with a quicker clock. */
async function startPod(password: string) {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'socketfleet-redis-'));
  for (const name of ['config', 'secret', 'run', 'data']) mkdirSync(join(folder, name));
  const local = (text: string) =>
    text
      .replaceAll('/etc/redis-secret', join(folder, 'secret'))
      .replaceAll('/etc/redis', join(folder, 'config'))
      .replaceAll('/run/redis', join(folder, 'run'))
      .replaceAll('-h 127.0.0.1', `-h 127.0.0.1 -p ${port}`)
      .replace('sleep 5', 'sleep 0.05')
      .replace('left=120', 'left=100');
  const file = (name: string) => readFileSync(join(CHART, 'redis', name), 'utf8');
  for (const name of ['start.sh', 'ping.sh']) writeFileSync(join(folder, 'config', name), local(file(name)));
  const config = file('redis.conf')
    .replace(/\{\{ ternary [^}]*\}\}/, 'no')
    .replace('{{ .maxmemory }}', '100000000')
    .replace(/\{\{[^}]*\}\}/, '')
    .replace('port 6379', `port ${port}`)
    .replace('dir /data', `dir ${join(folder, 'data')}`);
  writeFileSync(join(folder, 'config/redis.conf'), config);
  const secret = join(folder, 'secret/redis-password');
  writeFileSync(secret, password);
  const lines: string[] = [];
  const pod: ChildProcess = spawn('sh', [join(folder, 'config/start.sh')], { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [pod.stdout, pod.stderr]) stream?.on('data', (chunk) => lines.push(String(chunk)));
  onTestFinished(async () => {
    if (pod.exitCode === null && pod.signalCode === null) {
      pod.kill('SIGTERM');
      await once(pod, 'exit');
    }
    rmSync(folder, { recursive: true });
  });
  const cli = async (given: string, ...args: string[]) => {
    const env = { ...process.env, REDISCLI_AUTH: given };
    const { stdout, stderr } = await run('redis-cli', ['-h', '127.0.0.1', '-p', String(port), ...args], { env });
    return `${stdout}${stderr}`.trim();
  };
  return {
    pod,
    lines,
    cli,
    ping: () => spawnSync('sh', [join(folder, 'config/ping.sh')]).status,
    rotate: (next: string) => writeFileSync(secret, next),
    config: () => readFileSync(join(folder, 'run/redis.conf'), 'utf8'),
  };
}

const why = hasRedis ? '' : ' (redis-server and redis-cli are not on the PATH)';

describe.skipIf(!hasRedis)(`the start of the chart's Redis${why}`, () => {
  it('asks for the password, whatever characters it has, and shows it nowhere', async () => {
    const redis = await startPod(`${ODD}\n`);
    await eventually(() => redis.ping() === 0, 'Redis');
    expect(await redis.cli(ODD, 'ping')).toBe('PONG');
    expect(await redis.cli('wrong', 'ping')).toContain('NOAUTH');
    expect(await redis.cli(ODD, 'config', 'get', 'maxmemory')).toContain('100000000');
    expect(redis.config()).not.toContain('odd');
    expect(redis.lines.join('')).not.toContain('odd');
  });

  it('is not well before it answers, although redis-cli ends with 0 then', async () => {
    const redis = await startPod('first-password');
    await eventually(() => redis.ping() === 0, 'Redis');
    expect(await redis.cli('first-password', 'ACL', 'SETUSER', 'default', 'resetpass', '>another')).toBe('OK');
    expect(redis.ping()).not.toBe(0);
  });

  it('takes a changed password without a restart, and the old one for a while', async () => {
    const redis = await startPod('first-password');
    await eventually(() => redis.ping() === 0, 'Redis');
    redis.rotate('second-password');
    await eventually(async () => (await redis.cli('second-password', 'ping')) === 'PONG', 'the new password');
    expect(await redis.cli('first-password', 'ping')).toBe('PONG');
    expect(redis.ping()).toBe(0);
    const isOld = async () => (await redis.cli('first-password', 'ping')) === 'PONG';
    await eventually(async () => !(await isOld()), 'the end of the old', 40_000);
    expect(await redis.cli('second-password', 'ping')).toBe('PONG');
    expect(redis.ping()).toBe(0);
    expect(redis.pod.exitCode).toBeNull();
    expect(redis.lines.join('')).toContain('the old one counts for 10 more minutes');
  });

  it('ends with 1 and a reason when the Secret is empty', async () => {
    const redis = await startPod('');
    const [code] = (await once(redis.pod, 'exit')) as [number];
    expect(code).toBe(1);
    expect(redis.lines.join('')).toContain('redis-password is empty');
  });

  it('stops at SIGTERM: the process of the container is Redis itself', async () => {
    const redis = await startPod('first-password');
    await eventually(() => redis.ping() === 0, 'Redis');
    redis.pod.kill('SIGTERM');
    const [code] = (await once(redis.pod, 'exit')) as [number];
    expect(code).toBe(0);
  });
});
