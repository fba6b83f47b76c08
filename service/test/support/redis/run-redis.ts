/** What all fixtures with a real redis-server are made of: one process on ports of its own, and the handle to it. */
import { readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RedisOptions } from 'ioredis';
import { findRedis, signalCommand } from '../../../scripts/find-redis.mjs';
import { createReaper } from '../../../scripts/reaper.mjs';
import { eventually } from '../eventually.ts';
import { atTestEnd } from './at-test-end.ts';
import type { CertificateFiles } from './make-certificates.ts';
import { parseClients, type RedisClientInfo, redisCli } from './redis-cli.ts';
import { createRedisProcess, type RedisProcess } from './redis-process.ts';
import { stablePorts } from './stable-ports.ts';

const HOST = '127.0.0.1';
const ATTEMPTS = 5;
const BALLAST_KEYS = 64;

export interface RedisSpec {
  /** Lines of redis.conf. */
  config(place: RedisPlace): readonly string[];
  /** Ports it needs; the first is the one that clients use. */
  readonly portCount?: number;
  /** Further arguments of the command line. */
  readonly args?: readonly string[];
  /** A folder to work in, which stays. */
  readonly dir?: string;
  /** How the fixture itself logs in. */
  readonly login?: { readonly username?: string; readonly password: string };
  certificates?(folder: string): Promise<CertificateFiles>;
}

export interface RedisPlace {
  readonly folder: string;
  readonly ports: readonly number[];
  readonly certificates: CertificateFiles | undefined;
}

export interface StartedRedis {
  /** With the password, unless there are ACL users. */
  readonly url: string;
  readonly port: number;
  /** All ports it was given, `port` first. */
  readonly ports: readonly number[];
  /** Where it works and keeps its data. */
  readonly folder: string;
  readonly certificates: CertificateFiles | undefined;
  /** Undefined while it is down, and in a container. */
  pid(): number | undefined;
  /** Whether its process is there, paused or not. */
  isRunning(): boolean;
  /** Its log since it was last started. */
  output(): string;
  /** Sends one command as administrator. Rejects when the answer is an error or does not come within 5 s. */
  cli(...command: (string | number | Buffer)[]): Promise<unknown>;
  /** CLIENT LIST without the fixture itself. */
  clients(): Promise<RedisClientInfo[]>;
  /** SIGSTOP: connections stay open, and nothing answers. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** An outage: ends it until `up`; port and data stay. */
  down(signal?: NodeJS.Signals): Promise<void>;
  up(): Promise<void>;
  /** `down` and `up`. */
  restart(signal?: NodeJS.Signals): Promise<void>;
  /** Restarts it and resolves when it answers LOADING, which it does for about `ms`. Needs `appendOnly`. */
  restartLoading(ms: number): Promise<void>;
  /** Answers READONLY to writes, as the replica of a master that is not there, until it is called with false. */
  readOnly(on: boolean): Promise<void>;
  /** Ends it for good and removes what it left. Safe to call twice. Comes by itself after the test in which it was started. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts one redis-server as specified and resolves when it answers. */
export async function runRedis(spec: RedisSpec): Promise<StartedRedis> {
  const found = await findRedis({ own: true });
  const folder = spec.dir ?? (await mkdtemp(join(tmpdir(), 'socketfleet-redis-')));
  const reaper = createReaper({
    folder: spec.dir === undefined ? folder : undefined,
    end: signalCommand(found, 'SIGKILL'),
  });
  const server = createRedisProcess(found, { folder, reaper });
  async function stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await server.end(signal);
    await reaper.reap();
  }
  atTestEnd(() => stop());
  try {
    const certificates = await spec.certificates?.(folder);
    return { ...(await startOnFreePorts(server, spec, { folder, certificates })), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startOnFreePorts(
  server: RedisProcess,
  spec: RedisSpec,
  place: Omit<RedisPlace, 'ports'>,
): Promise<Omit<StartedRedis, 'stop'>> {
  const file = join(place.folder, 'redis.conf');
  for (let attempt = 1; ; attempt++) {
    const ports = await stablePorts(spec.portCount ?? 1);
    await writeFile(file, `${spec.config({ ...place, ports }).join('\n')}\n`, { mode: 0o600 });
    const handle = createHandle(server, { ...place, ports, args: [file, ...(spec.args ?? [])], login: spec.login });
    try {
      await handle.up();
      return handle;
    } catch (error) {
      // Somebody else was quicker between the look for a free port and its use.
      if (attempt === ATTEMPTS || !server.output().includes('Address already in use')) throw error;
    }
  }
}

interface Running extends RedisPlace {
  /** The command line. */
  readonly args: readonly string[];
  readonly login: RedisSpec['login'];
}

function createHandle(server: RedisProcess, running: Running): Omit<StartedRedis, 'stop'> {
  const { folder, ports, certificates, login } = running;
  const [port = 0] = ports;
  const options: RedisOptions = {
    host: HOST,
    port,
    ...login,
    ...(certificates ? { tls: clientTls(certificates) } : {}),
  };
  const cli: StartedRedis['cli'] = (...command) => redisCli(options, command);
  const up = () => server.start(running.args, async () => (await cli('PING')) === 'PONG');
  const down = (signal: NodeJS.Signals = 'SIGTERM') => server.end(signal);
  return {
    url: `${certificates ? 'rediss' : 'redis'}://${userInfo(login)}${HOST}:${port}`,
    port,
    ports,
    folder,
    certificates,
    pid: server.pid,
    isRunning: server.isRunning,
    output: server.output,
    cli,
    clients: async () => parseClients(await cli('CLIENT', 'LIST')),
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
    down,
    up,
    async restart(signal) {
      await down(signal);
      await up();
    },
    async restartLoading(ms) {
      const slowly = await prepareSlowLoading(options, ms);
      await down();
      await server.start([...running.args, ...slowly], async () => {
        const answer = await cli('PING').catch((error: Error) => error.message);
        return String(answer).startsWith('LOADING');
      });
    },
    readOnly: async (on) => void (await cli('REPLICAOF', ...(on ? [HOST, 1] : ['NO', 'ONE']))),
  };
}

/** Gives Redis something to load, in a database that no test uses; returns the arguments with which that takes `ms`. */
async function prepareSlowLoading(options: RedisOptions, ms: number): Promise<string[]> {
  await redisCli({ ...options, db: 15 }, ['DEBUG', 'POPULATE', BALLAST_KEYS, 'ballast', 1024]);
  // Only what is loaded from the base of the log is slowed down, and only there, once per 1024 bytes, are clients answered.
  await redisCli(options, ['CONFIG', 'SET', 'rdbcompression', 'no']);
  await redisCli(options, ['BGREWRITEAOF']);
  await eventually(async () => {
    const info = String(await redisCli(options, ['INFO', 'persistence']));
    return info.includes('aof_rewrite_in_progress:0') && info.includes('aof_rewrite_scheduled:0');
  }, 'the rewritten append-only file');
  const delayUs = Math.ceil((ms * 1_000) / BALLAST_KEYS);
  return ['--key-load-delay', String(delayUs), '--loading-process-events-interval-bytes', '1024'];
}

function clientTls({ ca, clientCertFile, clientKeyFile }: CertificateFiles): RedisOptions['tls'] {
  // Tests may give the server any name.
  const checkServerIdentity = () => undefined;
  return { ca, cert: readFileSync(clientCertFile), key: readFileSync(clientKeyFile), checkServerIdentity };
}

function userInfo(login: RedisSpec['login']): string {
  return login && login.username === undefined ? `:${encodeURIComponent(login.password)}@` : '';
}
