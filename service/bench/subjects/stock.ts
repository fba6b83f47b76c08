/** The rival: a bare Socket.IO server, as its documentation writes it, with the time-outs and limits of ours. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { createBenchApp } from './bench-app.ts';
import { benchConfig } from './bench-config.ts';
import { serveSubject } from './serve-subject.ts';

const bench = createBenchApp();

serveSubject(bench, async (redis) => {
  const config = benchConfig(redis);
  // What one server alone does not need is not loaded.
  const adapter = redis && (await import('./stock-adapter.ts')).createStockAdapter(redis);
  const http = createServer();
  const io = new Server(http, {
    ...(adapter && { adapter: await adapter }),
    serveClient: false,
    perMessageDeflate: false,
    pingInterval: config.pingIntervalMs,
    pingTimeout: config.pingTimeoutMs,
    connectTimeout: config.connectTimeoutMs,
    maxHttpBufferSize: config.maxPayloadBytes,
  });
  bench.app(io);
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(config.port, config.host, resolve);
  });
  return `http://${config.host}:${(http.address() as AddressInfo).port}`;
});
