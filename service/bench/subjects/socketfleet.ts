/** Our server, built by its composition root with the defaults. */
import { createServer } from '../../src/server.ts';
import { createBenchApp } from './bench-app.ts';
import { benchConfig } from './bench-config.ts';
import { serveSubject } from './serve-subject.ts';

const bench = createBenchApp();
const server = createServer(benchConfig, { folder: process.cwd(), signals: false, isTty: false, app: bench.app });

serveSubject(bench, async () => {
  await server.start();
  const url = server.publicUrl();
  if (url === undefined) throw new Error('the server does not say where it listens');
  return url;
});
