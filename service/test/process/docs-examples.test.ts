import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ask, connect } from '../support/connect.ts';
import { eventually } from '../support/eventually.ts';
import { startProcess } from '../support/start-process.ts';

const ROOT = join(import.meta.dirname, '../../..');
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** A code block of the README by its first line. */
function block(language: string, firstLine: string): string {
  const start = `\`\`\`${language}\n${firstLine}\n`;
  const at = readme.indexOf(start);
  if (at < 0) throw new Error(`the README has no ${language} block that begins with ${firstLine}`);
  return readme.slice(at + start.length).split('```')[0] ?? '';
}

/** A folder in which a module finds our packages, as it would in the folder of the repository. */
function exampleFolder(): string {
  const cache = join(ROOT, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'docs-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a block as the file that its first line names, with some of its words replaced. */
function writeExample(folder: string, name: string, words: Readonly<Record<string, string>> = {}): string {
  const text = Object.entries(words).reduce(
    (result, [word, other]) => {
      expect(result).toContain(word);
      return result.replaceAll(word, other);
    },
    block('js', `// ${name}`),
  );
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

function run(file: string): { output(): string; exit: Promise<number | null> } {
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return { output: () => output, exit: new Promise((resolve) => child.once('close', resolve)) };
}

describe('the examples of the README', () => {
  it('have an app module that does what the README shows', async () => {
    const folder = exampleFolder();
    const { url } = await startProcess({ SOCKETFLEET_APP: writeExample(folder, 'reactions.mjs') });
    const client = run(writeExample(folder, 'try.mjs', { 'http://localhost:3000': url }));
    expect(await client.exit).toBe(0);
    expect(client.output()).toBe(block('console', '$ node try.mjs'));
  });

  it('have a client that joins, publishes and hears itself', async () => {
    const { url } = await startProcess();
    const client = run(writeExample(exampleFolder(), 'client.mjs', { 'http://localhost:3000': url }));
    await eventually(() => /lobby: hello/.test(client.output()) && /^true$/m.test(client.output()), 'both lines');
  });

  it('have an app module that adds to the gateway', async () => {
    const gateway = pathToFileURL(join(ROOT, 'dist/app/gateway.js')).href;
    const file = writeExample(exampleFolder(), 'both.mjs', { './dist/app/gateway.js': gateway });
    const { url } = await startProcess({ SOCKETFLEET_APP: file });
    const socket = await connect(url);
    expect(await ask(socket, 'join', 'lobby')).toEqual({ ok: true, rooms: ['lobby'] });
    expect(await socket.timeout(5_000).emitWithAck('time')).toBeGreaterThan(0);
  });
});
