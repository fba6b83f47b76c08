import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { gateway } from '../../../src/app/gateway.ts';
import { loadApp } from '../../../src/app/load-app.ts';

function folderWith(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'socketfleet app %'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

describe('the app', () => {
  it('is the gateway when none is named', async () => {
    expect(await loadApp(undefined, '/')).toBe(gateway);
  });

  it('is the default export of the file, relative to the folder or absolute', async () => {
    const folder = folderWith({ 'app.mjs': 'export default () => "mine"' });
    for (const file of ['app.mjs', './app.mjs', join(folder, 'app.mjs')]) {
      const app = (await loadApp(file, folder)) as unknown as () => string;
      expect(app()).toBe('mine');
    }
  });

  it.each<[string, string, Record<string, string>, RegExp]>([
    ['is missing', 'app.mjs', {}, /SOCKETFLEET_APP=app\.mjs: there is no file .*app\.mjs/],
    ['has no default export', 'app.mjs', { 'app.mjs': 'export const app = () => 1' }, /no default export/],
    ['exports no function', 'app.mjs', { 'app.mjs': 'export default { app: 1 }' }, /no default export/],
    ['throws', 'app.mjs', { 'app.mjs': 'throw new Error("no database")' }, /failed while loading: no database/],
    ['throws no error', 'app.mjs', { 'app.mjs': 'throw null' }, /failed while loading: null/],
    [
      'imports what is not there',
      'app.mjs',
      { 'app.mjs': 'import "./nowhere.mjs"' },
      /SOCKETFLEET_APP=app\.mjs failed/,
    ],
  ])('that %s is refused by its name', async (_what, file, files, message) => {
    await expect(loadApp(file, folderWith(files))).rejects.toThrow(message);
  });
});
