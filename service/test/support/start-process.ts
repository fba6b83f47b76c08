import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { eventually } from './eventually.ts';

const ROOT = join(import.meta.dirname, '../../..');

export interface StartedProcess {
  readonly url: string;
  readonly internalUrl: string;
  readonly child: ChildProcess;
  /** Everything printed so far. */
  output(): string;
  /** Exit code, or the signal that ended it. */
  readonly exit: Promise<number | NodeJS.Signals | null>;
}

/** Two ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer();
          server.listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Spawns the built program. It is killed after the test if it still runs. */
export function spawnProgram(
  args: readonly string[],
  env: Record<string, string>,
): Omit<StartedProcess, 'url' | 'internalUrl'> {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('SOCKETFLEET_')),
  );
  const child = spawn(process.execPath, [join(ROOT, 'dist/main.js'), ...args], {
    env: { ...inherited, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const exit = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal)),
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, output: () => output, exit };
}

/** Spawns the built program as a server on free ports and waits until it is ready. Rejects with its output when it ends first. */
export async function startProcess(env: Record<string, string> = {}): Promise<StartedProcess> {
  const [port = 0, internalPort = 0] = await freePorts(2);
  const program = spawnProgram([], {
    PORT: String(port),
    HOST: '127.0.0.1',
    SOCKETFLEET_INTERNAL_PORT: String(internalPort),
    ...env,
  });
  let isOver = false;
  void program.exit.then(() => {
    isOver = true;
  });
  const internalUrl = `http://127.0.0.1:${internalPort}`;
  await eventually(
    async () => {
      if (isOver) return true;
      return (await fetch(`${internalUrl}/readyz`)).ok;
    },
    'readiness',
    15_000,
  );
  if (isOver) throw new Error(`the server ended:\n${program.output()}`);
  return { ...program, url: `http://127.0.0.1:${port}`, internalUrl };
}
