/** Child processes of the bench: each on a core of its own where the system can pin. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Caller, type Calls, createCaller } from './channel.ts';

/** A script in a Node process of its own. */
export interface ChildOptions {
  /** For error messages. */
  readonly label: string;
  /** The compiled script. */
  readonly script: URL;
  readonly nodeFlags: readonly string[];
  /** The core to run on; undefined leaves it to the scheduler. */
  readonly core: number | undefined;
}

/** A running child. */
export interface Child<T extends Calls<T>> extends Caller<T> {
  /** Ends the process. Safe to call twice. */
  stop(): Promise<void>;
}

/** Starts a child process. A failure to start rejects its first call. */
export function startChild<T extends Calls<T>>({ label, script, nodeFlags, core }: ChildOptions): Child<T> {
  const node = [process.execPath, ...nodeFlags, fileURLToPath(script)];
  const [command = process.execPath, ...args] = core === undefined ? node : ['taskset', '-c', String(core), ...node];
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  return { ...createCaller<T>(child, label), stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, 'exit');
  if (child.connected) child.disconnect();
  const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await exited;
  clearTimeout(late);
}

/** Two cores to pin the server and its clients to; undefined where the system cannot pin or has only one. */
export function pinnableCores(): { readonly server: number; readonly clients: number } | undefined {
  if (process.platform !== 'linux' || availableParallelism() < 2) return undefined;
  const allowed: number[] = [];
  for (let core = 0; core < 256 && allowed.length < 2; core++) {
    if (spawnSync('taskset', ['-c', String(core), 'true']).status === 0) allowed.push(core);
  }
  const [server, clients] = allowed;
  return server === undefined || clients === undefined ? undefined : { server, clients };
}

/** Keeps this process away from the server's core; it only relays. */
export function pinSelf(core: number): void {
  spawnSync('taskset', ['-a', '-c', '-p', String(core), String(process.pid)]);
}
