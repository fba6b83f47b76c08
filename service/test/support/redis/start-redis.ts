import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type CertificateFiles, makeCertificates } from './make-certificates.ts';
import { type RedisPlace, runRedis, type StartedRedis } from './run-redis.ts';

export interface StartRedisOptions {
  /** Further arguments of the command line, for instance `--client-output-buffer-limit`, `pubsub 32kb 16kb 1`. */
  readonly args?: readonly string[];
  /** Further lines of redis.conf. */
  readonly config?: readonly string[];
  /** A folder to work in, which stays. A temporary one otherwise. */
  readonly dir?: string;
  /** Keeps the data over `restart` and `down`, also by SIGKILL. */
  readonly appendOnly?: boolean;
  readonly password?: string;
  /** ACL users as in redis.conf, without the word `user`: `app on >secret ~app:* &app:* +@all`. The default user stays unless named. */
  readonly acl?: readonly string[];
  /** TLS only, with a certificate authority of its own; see `certificates` of the result. */
  readonly tls?: true | RedisTls;
}

export interface RedisTls {
  /** Whether clients have to show a certificate; `no` unless told otherwise. */
  readonly clientCertificates?: 'yes' | 'no' | 'optional';
  /** subjectAltNames of the server, to be wrong about them. */
  readonly names?: readonly string[];
}

const FIXTURE_USER = 'socketfleet-fixture';

/**
 * A redis-server on a free port of the loopback, without persistence unless asked, for this test alone: it ends with
 * the test in which it is started; started in a hook of a whole file, it ends with `stop`.
 * Rejects with one sentence that says how to get Redis when there is none.
 */
export function startRedis(options: StartRedisOptions = {}): Promise<StartedRedis> {
  const tls = options.tls === true ? {} : options.tls;
  const login = loginOf(options);
  return runRedis({
    config: (place) => [
      ...baseConfig(place.folder),
      ...portConfig(place, tls),
      `appendonly ${options.appendOnly ? 'yes' : 'no'}`,
      ...(options.password === undefined ? [] : [`requirepass ${options.password}`]),
      ...aclConfig(options.acl, login?.password),
      ...(options.config ?? []),
    ],
    ...(options.args ? { args: options.args } : {}),
    ...(options.dir === undefined ? {} : { dir: options.dir }),
    ...(login ? { login } : {}),
    ...(tls ? { certificates: (folder) => makeCertificates(join(folder, 'tls'), tls.names) } : {}),
  });
}

/** Lines that every server of the tests begins with. */
export function baseConfig(folder: string): string[] {
  return [
    'bind 127.0.0.1',
    'protected-mode no',
    'daemonize no',
    `dir ${folder}`,
    'save ""',
    'enable-debug-command local',
    // A replica that comes is served at once; the default waits 5 s for others.
    'repl-diskless-sync-delay 0',
  ];
}

function portConfig({ ports, certificates }: RedisPlace, tls: RedisTls | undefined): string[] {
  const port = ports[0] ?? 0;
  if (!certificates) return [`port ${port}`];
  return ['port 0', `tls-port ${port}`, `tls-auth-clients ${tls?.clientCertificates ?? 'no'}`, ...files(certificates)];
}

function files({ serverCertFile, serverKeyFile, caFile }: CertificateFiles): string[] {
  return [`tls-cert-file ${serverCertFile}`, `tls-key-file ${serverKeyFile}`, `tls-ca-cert-file ${caFile}`];
}

function loginOf({ acl, password }: StartRedisOptions): { username?: string; password: string } | undefined {
  // The test may take everything away from the default user.
  if (acl) return { username: FIXTURE_USER, password: randomBytes(16).toString('hex') };
  return password === undefined ? undefined : { password };
}

function aclConfig(acl: readonly string[] | undefined, password: string | undefined): string[] {
  return acl ? [...acl, `${FIXTURE_USER} on >${password} ~* &* +@all`].map((user) => `user ${user}`) : [];
}
