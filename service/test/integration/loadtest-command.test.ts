import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { NO_K6 } from '../support/run-k6.ts';
import { startServer } from '../support/start-server.ts';

const COMMAND = join(import.meta.dirname, '../../../loadtest/run.mjs');

async function command(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [COMMAND, ...args], { env: { ...process.env, ...env } });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { code, output };
}

function folder(): string {
  const parent = mkdtempSync(join(tmpdir(), 'socketfleet-loadtest-'));
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }));
  return join(parent, 'made-by-the-run');
}

describe('npm run loadtest', () => {
  it('lists the scenarios with their questions when it is not told which', async () => {
    const { code, output } = await command(['no-such-thing']);
    expect(code).toBe(2);
    expect(output).toContain('there is no scenario "no-such-thing"');
    for (const name of [
      'chatty',
      'connect-ramp',
      'fan-out',
      'polling-affinity',
      'reconnect-storm',
      'rollout',
      'room-churn',
    ]) {
      expect(output).toMatch(new RegExp(`${name} +[A-Z].*\\?`));
    }
    expect(output).not.toContain('undefined');
  });

  it('says that k6 is missing', async () => {
    const OUT = folder();
    const { code, output } = await command(['fan-out', '-e', 'URL=http://127.0.0.1:1', '-e', `OUT=${OUT}`], {
      K6: 'no-such-k6',
    });
    expect([code, output.trim(), existsSync(OUT)]).toEqual([
      127,
      'k6 is not on PATH: install it, or name it in K6',
      false,
    ]);
  });

  it.skipIf(NO_K6 !== undefined)(
    `writes the reports into a folder that it makes, with the CPU of k6${NO_K6 === undefined ? '' : ` (${NO_K6})`}`,
    async () => {
      const { url } = await startServer();
      const OUT = folder();
      const params = { URL: url, OUT, SOCKETS: '5', HOLD: '2s', MAX_LAG_MS: '2000' };
      const given = Object.entries(params).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
      const { code, output } = await command(['connect-ramp', '--quiet', ...given]);
      expect([code, output.match(/verdict: .*/)?.[0]]).toEqual([0, 'verdict: PASSED']);
      const result = JSON.parse(readFileSync(join(OUT, 'result.json'), 'utf8'));
      expect(result.checks.at(-1)).toMatchObject({ metric: 'gen_cpu', ok: true });
      expect(readFileSync(join(OUT, 'report.html'), 'utf8')).toContain('gen_cpu');
      expect(readFileSync(join(OUT, 'summary.txt'), 'utf8')).toContain('gen_cpu');
    },
  );

  it.skipIf(NO_K6 !== undefined)(
    `passes on the exit code of k6 and leaves nothing behind a run that never began, and no URL of the environment counts${NO_K6 === undefined ? '' : ` (${NO_K6})`}`,
    async () => {
      const OUT = folder();
      const { code, output } = await command(['fan-out', '--quiet', '-e', `OUT=${OUT}`], { URL: 'http://127.0.0.1:1' });
      expect([code, existsSync(OUT)]).toEqual([107, false]);
      expect(output).toContain('URL is missing');
    },
  );
});
