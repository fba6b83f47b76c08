import { onTestFinished } from 'vitest';
import { parseConfig } from '../../src/config.ts';
import type { App } from '../../src/contracts.ts';
import { createServer, type RunningServer, type ServerOptions } from '../../src/server.ts';
import { createRecordingLog, type LogLine } from './silent-log.ts';

export const API_KEY = 'test-key-0123456789abcdef';

export interface StartedServer {
  readonly url: string;
  readonly internalUrl: string;
  readonly lines: LogLine[];
  readonly server: RunningServer;
  /** Calls the HTTP API with the key. */
  api(method: string, path: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown> }>;
  metrics(): Promise<string>;
  /** Value of one metric line, by its name with labels; 0 when it is not there. */
  metric(name: string): Promise<number>;
}

/** Starts a whole server on free ports of the loopback, with drains that do not wait, and stops it after the test. */
export async function startServer(
  env: Record<string, string> = {},
  app?: App,
  options: Partial<ServerOptions> = {},
): Promise<StartedServer> {
  const log = createRecordingLog();
  const config = parseConfig({
    PORT: '0',
    HOST: '127.0.0.1',
    SOCKETFLEET_INTERNAL_PORT: '0',
    SOCKETFLEET_API_KEY: API_KEY,
    SOCKETFLEET_ENDPOINT_WAIT_MS: '0',
    SOCKETFLEET_DRAIN_WINDOW_MS: '0',
    ...env,
  });
  const server = createServer(config, {
    folder: process.cwd(),
    signals: false,
    isTty: false,
    log,
    ...(app ? { app } : {}),
    ...options,
  });
  await server.start();
  onTestFinished(() => server.stop());
  const internalUrl = server.internalUrl() ?? '';
  const metrics = async () => (await fetch(`${internalUrl}/metrics`)).text();
  return {
    url: server.publicUrl() ?? '',
    internalUrl,
    lines: log.lines,
    server,
    async api(method, path, body) {
      const response = await fetch(`${internalUrl}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${API_KEY}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
    metrics,
    async metric(name) {
      const line = (await metrics()).split('\n').find((text) => text.startsWith(`${name} `));
      return line === undefined ? 0 : Number(line.slice(name.length + 1));
    },
  };
}
