/** Makes a process a server under test: answers the bench and measures the process from inside. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { SubjectCalls } from '../lib/calls.ts';
import { serveCalls } from '../lib/channel.ts';
import type { BenchApp } from './bench-app.ts';

// The histogram holds whole timer intervals, so the interval itself is taken off again.
const RESOLUTION_MS = 10;

/** Serves `bench`; `start` starts the server that took its app and resolves with the public URL. */
export function serveSubject(bench: BenchApp, start: () => Promise<string>): void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  let opened = { cpu: process.cpuUsage(), at: 0 };
  serveCalls<SubjectCalls>(
    {
      start: async () => ({ url: await start() }),
      population: () => bench.population(),
      collectGarbage: () => collectGarbage(),
      memory() {
        const { rss, heapUsed } = process.memoryUsage();
        return { rss, heapUsed };
      },
      openWindow() {
        collectGarbage();
        delay.reset();
        delay.enable();
        opened = { cpu: process.cpuUsage(), at: performance.now() };
        return null;
      },
      closeWindow() {
        const { user, system } = process.cpuUsage(opened.cpu);
        const wallMs = performance.now() - opened.at;
        delay.disable();
        return { cpuUs: user + system, wallMs, delayP99Ms: Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION_MS) };
      },
      async emit(order) {
        await bench.emit(order);
        return null;
      },
    },
    () => bench.onTurnReceived(),
  );
}

function collectGarbage(): null {
  if (globalThis.gc === undefined) throw new Error('start with --expose-gc');
  globalThis.gc();
  return null;
}
