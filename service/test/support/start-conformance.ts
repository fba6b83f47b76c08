import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type StartedServer, startServer } from './start-server.ts';

const APP = join(import.meta.dirname, 'conformance-app.mjs');

/** A server in process with the settings and the app of `npm run conformance`. */
export async function startConformance(env: Record<string, string> = {}): Promise<StartedServer> {
  const { CONFORMANCE_ENV } = (await import(pathToFileURL(APP).href)) as {
    CONFORMANCE_ENV: Record<string, string>;
  };
  return startServer({ ...CONFORMANCE_ENV, SOCKETFLEET_APP: APP, ...env });
}
