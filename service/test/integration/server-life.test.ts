import { expect, it, onTestFinished } from 'vitest';
import { parseConfig } from '../../src/config.ts';
import { createServer } from '../../src/server.ts';
import { connect } from '../support/connect.ts';
import { createRecordingLog } from '../support/silent-log.ts';
import { startServer } from '../support/start-server.ts';

it('a server that is stopped while it starts never begins to listen', async () => {
  const config = parseConfig({ PORT: '0', HOST: '127.0.0.1', SOCKETFLEET_INTERNAL_PORT: '0' });
  let loaded: () => void = () => undefined;
  const isLoaded = new Promise<void>((resolve) => {
    loaded = resolve;
  });
  const server = createServer(config, {
    folder: process.cwd(),
    signals: false,
    isTty: false,
    log: createRecordingLog(),
    app: () => isLoaded,
  });
  onTestFinished(() => server.stop());
  const started = server.start();
  const stopped = server.stop();
  loaded();
  await Promise.all([started, stopped]);
  expect(server.publicUrl()).toBeUndefined();
  expect(server.internalUrl()).toBeUndefined();
});

it('a drain counts whom it lets go as draining', async () => {
  const { url, server, metric } = await startServer({ SOCKETFLEET_DRAIN_DEADLINE_MS: '2000' });
  await connect(url, { transports: ['websocket'], reconnection: false });
  await server.drain();
  expect(await metric('socketfleet_closes_total{transport="websocket",reason="draining"}')).toBe(1);
});
