import { expect, test } from 'vitest';
import { runAll } from '../../src/cli/check.ts';
import { API_KEY, startServer } from '../support/start-server.ts';

test('the affinity check comes again when the brake is on, as stock clients do', async () => {
  // Twenty sessions one after the other are faster than this.
  const server = await startServer({ SOCKETFLEET_HANDSHAKES_PER_SECOND: '10' });
  const lines: string[] = [];
  const context = {
    url: server.url,
    api: server.internalUrl,
    apiKey: API_KEY,
    token: undefined,
    patienceMs: 2_000,
    findServers: async () => [{ publicUrl: server.url, internalUrl: server.internalUrl }],
  };
  const code = await runAll(['affinity'], context, { out: (text) => void lines.push(text) });
  expect(lines.join('')).toContain('1 passed, 0 failed');
  expect(code).toBe(0);
});
