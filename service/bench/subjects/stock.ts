/** The rival: a bare Socket.IO server, as its documentation writes it, with the time-outs and limits of ours. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { createBenchApp } from './bench-app.ts';
import { benchConfig } from './bench-config.ts';
import { serveSubject } from './serve-subject.ts';

const bench = createBenchApp();

serveSubject(bench, async () => {
  const http = createServer();
  const io = new Server(http, {
    serveClient: false,
    perMessageDeflate: false,
    pingInterval: benchConfig.pingIntervalMs,
    pingTimeout: benchConfig.pingTimeoutMs,
    connectTimeout: benchConfig.connectTimeoutMs,
    maxHttpBufferSize: benchConfig.maxPayloadBytes,
  });
  bench.app(io);
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(benchConfig.port, benchConfig.host, resolve);
  });
  return `http://${benchConfig.host}:${(http.address() as AddressInfo).port}`;
});
