import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
const K6 = process.env.K6 ?? 'k6';

/** Why load tests cannot run here; undefined when they can. */
export const NO_K6 =
  spawnSync(K6, ['version'], { stdio: 'ignore' }).status === 0
    ? undefined
    : 'skipped: no k6 on PATH; install it, or name it in K6';

export interface K6Run {
  readonly code: number | null;
  /** What the script's handleSummary prints. */
  readonly stdout: string;
  /** Log lines as k6 writes them. */
  readonly stderr: string;
  /** `msg` of every log line, in order. */
  readonly messages: string[];
}

/** Runs a script of `loadtest/` with `-e` parameters, and nothing of this process's environment as parameters. Killed after the test. */
export async function runK6(script: string, params: Record<string, string>): Promise<K6Run> {
  const given = Object.entries(params).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
  const args = ['run', '--quiet', '--no-usage-report', '--include-system-env-vars=false', ...given, script];
  const child = spawn(K6, args, { cwd: join(ROOT, 'loadtest'), stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const messages = [...stderr.matchAll(/ msg=("(?:[^"\\]|\\.)*"|\S+)/g)].map(([, text = '']) =>
    text.startsWith('"') ? (JSON.parse(text) as string) : text,
  );
  return { code, stdout, stderr, messages };
}
