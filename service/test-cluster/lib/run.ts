import { spawn } from 'node:child_process';

export interface Command {
  readonly args: readonly string[];
  /** SIGKILL after this. */
  readonly deadlineMs: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program to its end and resolves with what it printed to stdout; rejects with the end of all that it printed. */
export function run(program: string, { args, deadlineMs, env }: Command): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      timeout: deadlineMs,
      killSignal: 'SIGKILL',
    });
    const out: string[] = [];
    const err: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => out.push(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => err.push(text));
    child.on('error', (cause) => reject(new Error(`${program} cannot be run: ${cause.message}`, { cause })));
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(out.join(''));
      const end = signal === 'SIGKILL' ? `did not end within ${deadlineMs} ms` : `ended with ${code ?? signal}`;
      const tail = `${out.join('')}${err.join('')}`.trim().split('\n').slice(-25).join('\n');
      reject(new Error(`${[program, ...args].join(' ')} ${end}\n${tail}`));
    });
  });
}
