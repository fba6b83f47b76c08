/** A server that speaks enough RESP for ioredis and answers what a test chooses: errors that a real Redis gives only in bad states. */
import { createServer, type Socket } from 'node:net';
import { atTestEnd } from './at-test-end.ts';
import { createCommandReader, encodeReply, RedisError, type Reply } from './resp.ts';
import { stablePorts } from './stable-ports.ts';

/** How Redis words its refusals. */
export const REDIS_ERRORS = {
  loading: new RedisError('LOADING Redis is loading the dataset in memory'),
  readOnly: new RedisError("READONLY You can't write against a read only replica."),
  outOfMemory: new RedisError("OOM command not allowed when used memory > 'maxmemory'."),
  wrongPassword: new RedisError('WRONGPASS invalid username-password pair or user is disabled.'),
  noAuth: new RedisError('NOAUTH Authentication required.'),
  noPermission: new RedisError('NOPERM this user has no permissions to access one of the channels used as arguments'),
  unknownCommand: new RedisError("ERR unknown command 'X', with args beginning with: "),
  noScript: new RedisError('NOSCRIPT No matching script. Please use EVAL.'),
  busy: new RedisError('BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.'),
  misconfigured: new RedisError(
    'MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist on disk.',
  ),
  masterDown: new RedisError("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."),
  noReplicas: new RedisError('NOREPLICAS Not enough good replicas to write.'),
  clusterDown: new RedisError('CLUSTERDOWN The cluster is down'),
  maxClients: new RedisError('ERR max number of clients reached'),
} as const;

/** What a command gets: a reply, silence (also for what follows on its connection, since answers come in order), the end of its connection, or what a function of its arguments says. */
export type FakeAnswer = Reply | 'silence' | 'close' | ((args: readonly string[]) => Reply | 'silence' | 'close');

export interface StartedFakeRedis {
  readonly url: string;
  readonly port: number;
  /** Commands received, lower case name first. */
  readonly commands: readonly (readonly string[])[];
  /** From now on `command` (lower case; `*` for every one) gets this. Undefined: as at first. */
  answer(command: string, answer: FakeAnswer | undefined): void;
  /** Closes every connection. */
  disconnectAll(): void;
  /** Comes by itself after the test in which it was started. */
  stop(): Promise<void>;
}

/**
 * Starts on a free port of the loopback. Unless told otherwise it is a healthy, empty Redis 7: it lets everybody in,
 * knows subscriptions to named channels and publishes to them, and answers `unknown command` to the rest.
 */
export async function startFakeRedis(answers: Readonly<Record<string, FakeAnswer>> = {}): Promise<StartedFakeRedis> {
  const [port = 0] = await stablePorts(1);
  const chosen = new Map(Object.entries(answers));
  const commands: string[][] = [];
  const channels = new Map<Socket, Set<string>>();
  const silent = new WeakSet<Socket>();

  function builtIn(socket: Socket, [name = '', ...args]: readonly string[]): Reply[] {
    const own = channels.get(socket) ?? new Set();
    switch (name) {
      case 'ping':
        return ['PONG'];
      case 'info':
        return ['redis_version:7.0.0\r\nrole:master\r\nloading:0\r\nmaster_replid:fake\r\n'];
      case 'auth':
      case 'select':
      case 'client':
        return ['OK'];
      case 'subscribe':
      case 'ssubscribe':
        return args.map((channel) => [name, channel, own.add(scoped(name, channel)).size]);
      case 'unsubscribe':
      case 'sunsubscribe':
        return args.map((channel) => {
          own.delete(scoped(name, channel));
          return [name, channel, own.size];
        });
      case 'publish':
      case 'spublish':
        return [deliver(name, args[0] ?? '', args[1] ?? '')];
      default:
        return [new RedisError(`ERR unknown command '${name}', with args beginning with: `)];
    }
  }
  function deliver(command: string, channel: string, payload: string): number {
    const kind = command === 'spublish' ? 'smessage' : 'message';
    const receivers = [...channels].filter(([, own]) => own.has(scoped(command, channel)));
    for (const [socket] of receivers) socket.write(encodeReply([kind, channel, Buffer.from(payload, 'latin1')]));
    return receivers.length;
  }
  function serve(socket: Socket, command: string[]): void {
    commands.push(command);
    const choice = chosen.get(command[0] ?? '') ?? chosen.get('*');
    const answer = typeof choice === 'function' ? choice(command.slice(1)) : choice;
    if (answer === 'silence') silent.add(socket);
    if (answer === 'silence' || silent.has(socket)) return;
    if (answer === 'close') return void socket.destroy();
    for (const reply of answer === undefined ? builtIn(socket, command) : [answer]) socket.write(encodeReply(reply));
  }

  const server = createServer((socket) => {
    channels.set(socket, new Set());
    const read = createCommandReader();
    socket.on('data', (chunk: Buffer) => {
      for (const [name = Buffer.alloc(0), ...args] of read(chunk)) {
        serve(socket, [name.toString().toLowerCase(), ...args.map((arg) => arg.toString('latin1'))]);
      }
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => channels.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
  function disconnectAll(): void {
    for (const socket of channels.keys()) socket.destroy();
  }
  async function stop(): Promise<void> {
    server.close();
    disconnectAll();
  }
  atTestEnd(stop);
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    commands,
    answer: (command, answer) => void (answer === undefined ? chosen.delete(command) : chosen.set(command, answer)),
    disconnectAll,
    stop,
  };
}

/** Sharded channels are apart from the others. */
function scoped(command: string, channel: string): string {
  const isSharded = command === 'spublish' || command === 'ssubscribe' || command === 'sunsubscribe';
  return `${isSharded ? 'sharded' : 'plain'} ${channel}`;
}
