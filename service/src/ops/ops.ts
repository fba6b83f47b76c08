/** The internal port: probes, metrics and the HTTP API; and, through terminus, the end of the process on a signal. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTerminus } from '@godaddy/terminus';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import type { Check, Clock, Metrics, Startable } from '../contracts.ts';
import { refusalBody } from '../refusals.ts';
import { type ApiDeps, mountApi } from './api.ts';
import { createCheckRunner } from './check-runner.ts';
import { healthReport } from './health.ts';
import { mountProbes } from './probes.ts';
import { refuse } from './router.ts';

export interface OpsOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly pod: string;
  readonly version: string;
  readonly apiMaxBodyBytes: number;
  /** Whether SIGTERM and SIGINT run `beforeShutdown` and end the process. */
  readonly signals: boolean;
  /** How long a client may take to send one request; 10 s unless given. */
  readonly requestTimeoutMs?: number;
}

export interface OpsDeps extends ApiDeps {
  readonly clock: Clock;
  readonly phase: { isReady(): boolean; name(): string };
  readonly checks: readonly Check[];
  metricsText(): Promise<string>;
  readonly metricsContentType: string;
  readonly metrics: Pick<Metrics, 'apiRequest' | 'observe' | 'published'>;
  /** Everything that has to happen before the process ends. A rejection makes it end with 1. */
  beforeShutdown(): Promise<void>;
}

export interface Ops extends Startable {
  /** Where the port is. Undefined before `start`. */
  url(): string | undefined;
}

const CHECKS = { timeoutMs: 2_000, cacheMs: 1_000 };
const REQUEST_TIMEOUT_MS = 10_000;
// For answers that are being written when the port closes.
const CLOSE_TIMEOUT_MS = 1_000;

/** Creates the port. `start` rejects when it cannot be had, for instance with EADDRINUSE. */
export function createOps(options: OpsOptions, deps: OpsDeps): Ops {
  const server = createHttpServer(options, createApp(options, deps));
  let isEnding = false;
  let stopped: Promise<void> | undefined;

  function takeSignals(): void {
    createTerminus(server, {
      signals: ['SIGTERM', 'SIGINT'],
      useExit0: true,
      timeout: CLOSE_TIMEOUT_MS,
      beforeShutdown() {
        isEnding = true;
        return deps.beforeShutdown();
      },
      logger: (event, err) => deps.log.error({ err }, event),
    });
  }

  return {
    async start() {
      if (options.signals) takeSignals();
      await listen(server, options);
    },
    async stop() {
      // terminus closes the server itself, and takes a server that is closed already for a failed shutdown.
      if (isEnding) return;
      if (server.listening) stopped = close(server, deps.clock);
      await stopped;
    },
    url: () => urlOf(server),
  };
}

function createApp(options: OpsOptions, deps: OpsDeps): Hono {
  const checks = createCheckRunner(CHECKS, deps);
  const state = () => ({
    isReady: deps.phase.isReady(),
    phase: deps.phase.name(),
    pod: options.pod,
    version: options.version,
  });
  deps.metrics.observe({ ready: () => healthReport(state(), checks.latest()).status === 'ok' });

  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    context.header('Cache-Control', 'no-store');
  });
  mountProbes(app, { ...deps, checks, state });
  mountApi(app, { maxBodyBytes: options.apiMaxBodyBytes }, deps);
  app.notFound((context) => refuse(context, refusalBody('not_found')));
  app.onError((err, context) => {
    deps.log.error({ err }, 'internal request failed');
    return refuse(context, refusalBody('internal'));
  });
  return app;
}

function createHttpServer(options: OpsOptions, app: Hono): Server {
  const requestTimeout = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
  const limits = { requestTimeout, headersTimeout: requestTimeout, connectionsCheckingInterval: requestTimeout / 10 };
  // A probe may come without a Host header; and the globals belong to everybody.
  const listener = getRequestListener(app.fetch, { hostname: 'internal', overrideGlobalObjects: false });
  return createServer(limits, listener);
}

function listen(server: Server, { host, port }: OpsOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function close(server: Server, clock: Clock): Promise<void> {
  const cancel = clock.after(CLOSE_TIMEOUT_MS, () => server.closeAllConnections());
  await new Promise((resolve) => {
    server.close(resolve);
  });
  cancel();
}

function urlOf(server: Server): string | undefined {
  const address = server.address() as AddressInfo | null;
  if (address === null) return undefined;
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}
