/** Makes a process a server under test: answers the bench and measures the process from inside. */
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { RedisSeat, SubjectCalls } from '../lib/calls.ts';
import { serveCalls } from '../lib/channel.ts';
import type { BenchApp } from './bench-app.ts';

// The histogram holds whole timer intervals, so the interval itself is taken off again.
const RESOLUTION_MS = 10;

/** Serves `bench`; `start` starts the server that took its app and resolves with the public URL. */
export function serveSubject(bench: BenchApp, start: (redis: RedisSeat | undefined) => Promise<string>): void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const redisBytes = countOutbound();
  let opened = { cpu: process.cpuUsage(), at: 0, redisBytes: 0 };
  serveCalls<SubjectCalls>(
    {
      start: async (redis) => ({ url: await start(redis) }),
      population: () => bench.population(),
      collectGarbage: () => collectGarbage(),
      memory() {
        const { rss, heapUsed } = process.memoryUsage();
        return { rss, heapUsed };
      },
      openWindow({ watchDelay }) {
        collectGarbage();
        delay.reset();
        if (watchDelay) delay.enable();
        opened = { redisBytes: redisBytes(), cpu: process.cpuUsage(), at: performance.now() };
        return null;
      },
      closeWindow() {
        const { user, system } = process.cpuUsage(opened.cpu);
        const wallMs = performance.now() - opened.at;
        delay.disable();
        return {
          cpuUs: user + system,
          wallMs,
          delayP99Ms: Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION_MS),
          redisBytes: redisBytes() - opened.redisBytes,
        };
      },
      async emit(order) {
        await bench.emit(order);
        return null;
      },
      async emitSteadily(order) {
        const begin = performance.now();
        await bench.emitSteadily(order);
        return { wallMs: performance.now() - begin };
      },
    },
    () => bench.onTurnReceived(),
  );
}

/** Bytes received over the TCP connections that this process opens: a server under test opens none but to Redis. */
function countOutbound(): () => number {
  const sockets: Socket[] = [];
  subscribe('net.client.socket', (message) => void sockets.push((message as { socket: Socket }).socket));
  return () => sockets.reduce((sum, socket) => sum + socket.bytesRead, 0);
}

function collectGarbage(): null {
  if (globalThis.gc === undefined) throw new Error('start with --expose-gc');
  globalThis.gc();
  return null;
}
