/** Loads the app module that a team brings, or the built-in gateway. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { App } from '../contracts.ts';
import { gateway } from './gateway.ts';

/** Rejects with an Error that names the file and what is wrong with it: missing, throwing, or without a default export. */
export async function loadApp(file: string | undefined, folder: string): Promise<App> {
  if (file === undefined) return gateway;
  const path = resolve(folder, file);
  if (!existsSync(path)) throw new Error(`SOCKETFLEET_APP=${file}: there is no file ${path}`);
  const module = await importModule(file, path);
  if (typeof module.default !== 'function') {
    throw new Error(
      `SOCKETFLEET_APP=${file} has no default export that is a function; write: export default (io, services) => { ... }`,
    );
  }
  return module.default as App;
}

async function importModule(file: string, path: string): Promise<{ default?: unknown }> {
  try {
    return (await import(pathToFileURL(path).href)) as { default?: unknown };
  } catch (cause) {
    throw new Error(`SOCKETFLEET_APP=${file} failed while loading: ${(cause as Error)?.message ?? String(cause)}`, {
      cause,
    });
  }
}
