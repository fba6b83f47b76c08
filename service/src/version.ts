import { existsSync, readFileSync } from 'node:fs';

// Beside dist/ when built; one folder further up when a test runs the sources.
const PACKAGE = ['../package.json', '../../package.json']
  .map((path) => new URL(path, import.meta.url))
  .find((url) => existsSync(url));

/** The version of this package, from the one package.json. */
export const VERSION =
  PACKAGE === undefined ? 'unknown' : (JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }).version;
