import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseConfig } from '../../src/config.ts';
import { createRotatingSecrets } from '../../src/rotating-secrets.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { createRecordingLog } from '../support/silent-log.ts';

const OLD = 'o'.repeat(32);
const NEW = 'n'.repeat(32);

function rig() {
  const folder = mkdtempSync(join(tmpdir(), 'socketfleet-secrets-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'secret');
  writeFileSync(file, OLD);
  const config = parseConfig({ SOCKETFLEET_AUTH: 'jwt', SOCKETFLEET_JWT_SECRET_FILE: file });
  const clock = createFakeClock();
  const log = createRecordingLog();
  const secrets = createRotatingSecrets(config, { clock, log });
  secrets.start();
  const write = (text: string) => {
    writeFileSync(file, text);
    clock.advance(5_000);
  };
  return { secrets, values: secrets.of('jwtSecret'), write, log, clock, file };
}

describe('a secret in a file', () => {
  it('is taken up when the file changes, and the log says how many there are but not what', () => {
    const { values, write, log, file } = rig();
    write(`${NEW}\n${OLD}\n`);
    expect(values()).toEqual([NEW, OLD]);
    expect(log.lines).toEqual([{ level: 'info', event: 'secret changed', fields: { file, values: 2 } }]);
  });

  it.each([
    ['a value that can be guessed', 'abc', 'less than 32 bytes'],
    ['nothing', '', 'is empty'],
    ['only separators', ',,\n', 'is empty'],
  ])('stays in force when the file comes to hold %s, which is said once', (_what, text, problem) => {
    const { values, write, log, clock } = rig();
    write(text);
    clock.advance(60_000);
    expect(values()).toEqual([OLD]);
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { problem: expect.stringContaining(problem) } }]);
    expect(JSON.stringify(log.lines)).not.toContain('"abc"');
    write(NEW);
    expect(values()).toEqual([NEW]);
  });

  it('is looked at no more after the end', () => {
    const { secrets, clock } = rig();
    secrets.stop();
    expect(clock.pending()).toBe(0);
  });
});
