/** Composition root of one Socket.IO process. */
import { loadApp } from './app/load-app.ts';
import { systemClock } from './clock.ts';
import { createCompanions } from './companions.ts';
import type { Config } from './config.ts';
import type { App, Clock, Inlet, Log, Services, Startable } from './contracts.ts';
import { createIdentities } from './identity/identities.ts';
import { createDrain, type DrainCause } from './lifecycle/drain.ts';
import { createPhase } from './lifecycle/phase.ts';
import { createLog } from './ops/log.ts';
import { createMetrics } from './ops/metrics.ts';
import { createOps } from './ops/ops.ts';
import { createSummary } from './ops/summary.ts';
import { createOwnPort } from './realtime/own-port.ts';
import { createRealtime, type HttpLimits } from './realtime/realtime.ts';
import { roomName } from './realtime/room-names.ts';
import { createRotatingSecrets } from './rotating-secrets.ts';
import { VERSION } from './version.ts';

export interface ServerOptions {
  /** Where relative paths in the configuration start. */
  readonly folder: string;
  /** Lets terminus handle SIGTERM and SIGINT and end the process; off in tests, where one process holds several servers. */
  readonly signals: boolean;
  /** Whether logs go to a terminal. */
  readonly isTty: boolean;
  readonly app?: App;
  readonly log?: Log;
  readonly clock?: Clock;
  readonly inlet?: Inlet;
  readonly httpLimits?: HttpLimits;
}

export interface RunningServer extends Startable {
  readonly log: Log;
  publicUrl(): string | undefined;
  internalUrl(): string | undefined;
  /** Drains after a fault: clients are let go over the window. Resolves when none is left. */
  drain(): Promise<void>;
  /** Skips the waits of a drain, now or later. */
  hurry(): void;
}

/** Builds a server; nothing runs before `start()`, which rejects when the app module or a port cannot be had. */
export function createServer(config: Config, options: ServerOptions): RunningServer {
  const clock = options.clock ?? systemClock;
  const log = options.log ?? createLog({ level: config.logLevel, format: logFormat(config, options), pod: config.pod });
  const meter = createMetrics({ version: VERSION }, { clock });
  const summary = createSummary(meter.metrics, { clock, log });
  const { metrics } = summary;
  const phase = createPhase({ readyWhileDraining: config.readyWhileDraining });
  const secrets = createRotatingSecrets(config, { clock, log });
  const identities = createIdentities(
    { auth: config.auth, issuer: config.jwtIssuer, audience: config.jwtAudience, jwksUrl: config.jwksUrl },
    { secrets: secrets.of('jwtSecret'), publicKeys: secrets.of('jwtPublicKey'), clock, metrics, log },
  );
  let facts = () => ({ address: '', connections: 0 });
  const companions = createCompanions(config, {
    clock,
    log,
    metrics,
    secrets,
    facts: () => facts(),
  });
  const { fanout, presence } = companions;
  const inlet = options.inlet ?? createOwnPort({ host: config.host, port: config.port });
  const realtime = createRealtime(
    {
      ...config,
      recoveryWindowMs: companions.recoveryWindowMs,
      httpLimits: options.httpLimits,
    },
    {
      inlet,
      fanout,
      identities,
      clock,
      log,
      metrics,
      eventLoopDelayMs: meter.eventLoopDelayMs,
      ownTag: companions.ownTag,
      claim: companions.claim,
      unclaim: companions.unclaim,
      directoryOver: companions.directoryOver,
      refusesSessions: () => drain.refusesSessions(),
    },
  );
  const drain = createDrain(
    { endpointWaitMs: config.endpointWaitMs, windowMs: config.drainWindowMs, deadlineMs: config.drainDeadlineMs },
    { clock, log, metrics, connections: realtime.connections, count: realtime.count },
  );
  const services: Services = {
    log,
    pod: config.pod,
    worker: 0,
    publish: realtime.publisher.publish,
    presence,
    limits: { roomsPerSocket: config.roomsPerSocket },
    roomName,
    identityOf: realtime.identityOf,
    refresh: realtime.refresh,
    answered: metrics.answered,
  };
  async function start(): Promise<void> {
    for (const line of remarks(config)) log.warn({}, line);
    await meter.start();
    await summary.start();
    secrets.start();
    // Probes answer "not yet" while the rest comes up.
    await ops.start();
    facts = () => ({ address: ops.url()?.slice('http://'.length) ?? '', connections: realtime.count() });
    await identities.start();
    await companions.start();
    const app = options.app ?? (await loadApp(config.app, options.folder));
    await app(realtime.io, services);
    // A signal may have come meanwhile: what is being stopped must not begin to listen.
    if (isStopping) return;
    await realtime.start();
    phase.advance('ready');
    log.info({ url: inlet.url(), internal: ops.url(), fanout: fanout.kind, tokens: config.auth }, 'listening');
  }
  let starting: Promise<void> | undefined;
  let isStopping = false;
  const stop = once(async () => {
    isStopping = true;
    // Who started it has heard why it failed.
    await starting?.catch(() => undefined);
    phase.advance('stopped');
    await realtime.stop();
    await companions.stop();
    await identities.stop();
    secrets.stop();
    await summary.stop();
    await meter.stop();
  });
  const leave = async (cause: DrainCause) => {
    phase.advance('draining');
    await drain.run(cause);
  };
  const ops = createOps(
    {
      host: config.internalHost,
      port: config.internalPort,
      version: VERSION,
      apiMaxBodyBytes: config.apiMaxBodyBytes,
      signals: options.signals,
      pod: config.pod,
    },
    {
      log,
      clock,
      phase,
      metrics,
      metricsText: meter.text,
      metricsContentType: meter.contentType,
      checks: [...identities.checks, ...companions.checks],
      apiKeys: secrets.of('apiKey'),
      publisher: realtime.publisher,
      directory: realtime.directory,
      presence,
      drain() {
        phase.withdraw();
        void leave('api');
      },
      async beforeShutdown() {
        await leave('signal');
        await stop();
      },
    },
  );

  return {
    log,
    publicUrl: inlet.url,
    internalUrl: ops.url,
    start() {
      starting ??= start();
      return starting;
    },
    async stop() {
      await stop();
      await ops.stop();
    },
    drain: () => leave('fault'),
    hurry: drain.hurry,
  };
}

/** What an operator should know about the chosen settings, said once at the start. */
function remarks(config: Config): string[] {
  const lines: string[] = [];
  if (config.auth === 'none')
    lines.push('SOCKETFLEET_AUTH=none: everybody who reaches the public port may join and publish to every room');
  if (config.redisUrl.values.length === 0)
    lines.push('no REDIS_URL: everything is in memory and this process is alone');
  else if (config.recovery) lines.push('SOCKETFLEET_RECOVERY=on has no effect over Redis yet');
  if (config.apiKey.values.length === 0) lines.push('the HTTP API is off: no SOCKETFLEET_API_KEY');
  return lines;
}

function logFormat(config: Config, options: ServerOptions): 'json' | 'pretty' {
  if (config.logFormat !== 'auto') return config.logFormat;
  return options.isTty ? 'pretty' : 'json';
}

function once(call: () => Promise<void>): () => Promise<void> {
  let result: Promise<void> | undefined;
  return () => {
    result ??= call();
    return result;
  };
}
