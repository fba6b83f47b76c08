/** Our server, built by its composition root with the defaults. */
import { createServer } from '../../src/server.ts';
import { createBenchApp } from './bench-app.ts';
import { benchConfig } from './bench-config.ts';
import { serveSubject } from './serve-subject.ts';

const bench = createBenchApp();

serveSubject(bench, async (redis) => {
  const options = { folder: process.cwd(), signals: false, isTty: false, app: bench.app };
  const server = createServer(benchConfig(redis), options);
  await server.start();
  const url = server.publicUrl();
  if (url === undefined) throw new Error('the server does not say where it listens');
  return url;
});
