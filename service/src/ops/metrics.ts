/** The Metrics port on prom-client, with a registry of its own. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Clock, Gauges, Metrics, Startable } from '../contracts.ts';
import { createEventLoopDelay } from './event-loop-delay.ts';
import { closedLabels, everySeries } from './metric-labels.ts';
import { METRICS, type MetricName, type MetricNameOf, type MetricRow } from './metric-table.ts';

/** Metrics and their text. `start` measures the event loop and the process; `stop` ends the former. */
export interface ServerMetrics extends Startable {
  readonly metrics: Metrics;
  /** All metrics in the format of `contentType`. */
  text(): Promise<string>;
  readonly contentType: string;
  /** Delay of the event loop over the last second; 0 before the first has passed. */
  eventLoopDelayMs(): number;
}

/** Creates every metric of the table at once, closed series at zero, so that a first increment is seen as one. */
export function createMetrics(options: { readonly version: string }, deps: { readonly clock: Clock }): ServerMetrics {
  const registry = new Registry();
  const make = metricsOn(registry);
  const delay = createEventLoopDelay(deps);
  make.gauge('socketfleet_build_info').set({ version: options.version }, 1);
  make.gauge('socketfleet_event_loop_delay_seconds', (gauge) => {
    gauge.reset();
    for (const [quantile, seconds] of delay.latest()) gauge.set({ quantile }, seconds);
  });
  const metrics: Metrics = {
    ...connectionVerbs(make),
    ...messageVerbs(make),
    ...outcomeVerbs(make),
    ...redisVerbs(make),
    ...fleetVerbs(make),
    observe: observeVerb(make),
  };
  let hasDefaults = false;
  return {
    metrics,
    contentType: registry.contentType,
    text: () => registry.metrics(),
    eventLoopDelayMs: delay.recentMs,
    async start() {
      // Here and not above: prom-client starts observers that it never ends.
      if (!hasDefaults) collectDefaultMetrics({ register: registry, prefix: 'socketfleet_' });
      hasDefaults = true;
      delay.start();
    },
    async stop() {
      delay.stop();
    },
  };
}

type Make = ReturnType<typeof metricsOn>;

function metricsOn(registry: Registry) {
  const config = (name: MetricName) => {
    const { help, labels }: MetricRow = METRICS[name];
    return { name, help, labelNames: Object.keys(labels), registers: [registry] };
  };
  return {
    /** Adds one, or `by`, to the series of these labels. */
    counter(name: MetricNameOf<'counter'>) {
      const counter = new Counter(config(name));
      const close = closedLabels(METRICS[name]);
      for (const labels of everySeries(METRICS[name])) counter.inc(labels, 0);
      return (labels: Readonly<Record<string, string>> = {}, by = 1) => counter.inc(close(labels), by);
    },
    /** A counter that is only read, so that counting in a hot path is an addition. */
    total(name: MetricNameOf<'counter'>, read: () => number) {
      new Counter({
        ...config(name),
        collect() {
          this.reset();
          this.inc(read());
        },
      });
    },
    gauge(name: MetricNameOf<'gauge'>, collect?: (gauge: Gauge) => void) {
      return new Gauge(
        collect === undefined
          ? config(name)
          : {
              ...config(name),
              collect() {
                collect(this);
              },
            },
      );
    },
    histogram(name: MetricNameOf<'histogram'>) {
      return new Histogram({ ...config(name), buckets: [...METRICS[name].buckets] });
    },
  };
}

type ConnectionVerb =
  | 'handshake'
  | 'connectionOpened'
  | 'connectionUpgraded'
  | 'connectionClosed'
  | 'namespaceJoined'
  | 'namespaceLeft'
  | 'drainRemaining'
  | 'drainClosed';

function connectionVerbs(make: Make): Pick<Metrics, ConnectionVerb> {
  const handshakes = make.counter('socketfleet_handshakes_total');
  const connections = make.gauge('socketfleet_connections');
  const closeTransport = closedLabels(METRICS.socketfleet_connections);
  const closes = make.counter('socketfleet_closes_total');
  const sockets = make.gauge('socketfleet_sockets');
  const closeNsp = closedLabels(METRICS.socketfleet_sockets);
  const remaining = make.gauge('socketfleet_drain_remaining');
  const drained = make.counter('socketfleet_drain_closed_total');
  for (const labels of everySeries(METRICS.socketfleet_connections)) connections.set(labels, 0);
  return {
    handshake: (outcome) => handshakes({ outcome }),
    connectionOpened: (transport) => connections.inc(closeTransport({ transport })),
    connectionUpgraded() {
      connections.dec({ transport: 'polling' });
      connections.inc({ transport: 'websocket' });
    },
    connectionClosed(transport, reason) {
      connections.dec(closeTransport({ transport }));
      closes({ transport, reason });
    },
    namespaceJoined: (nsp) => sockets.inc(closeNsp({ nsp })),
    namespaceLeft: (nsp) => sockets.dec(closeNsp({ nsp })),
    drainRemaining: (count) => remaining.set(count),
    drainClosed: () => drained(),
  };
}

function messageVerbs(make: Make): Pick<Metrics, 'received' | 'sent' | 'broadcast'> {
  const sum = { received: 0, receivedBytes: 0, sent: 0, sentBytes: 0 };
  make.total('socketfleet_messages_received_total', () => sum.received);
  make.total('socketfleet_received_bytes_total', () => sum.receivedBytes);
  make.total('socketfleet_messages_sent_total', () => sum.sent);
  make.total('socketfleet_sent_bytes_total', () => sum.sentBytes);
  const recipientsOf = make.histogram('socketfleet_broadcast_recipients');
  const secondsOf = make.histogram('socketfleet_broadcast_seconds');
  return {
    received(bytes) {
      sum.received += 1;
      sum.receivedBytes += bytes;
    },
    sent(messages, bytes) {
      sum.sent += messages;
      sum.sentBytes += bytes;
    },
    broadcast(recipients, seconds) {
      recipientsOf.observe(recipients);
      secondsOf.observe(seconds);
    },
  };
}

type OutcomeVerb =
  | 'answered'
  | 'refused'
  | 'published'
  | 'handlerFault'
  | 'recovery'
  | 'tokenVerified'
  | 'keysFetched'
  | 'apiRequest';

function outcomeVerbs(make: Make): Pick<Metrics, OutcomeVerb> {
  const answers = make.counter('socketfleet_answers_total');
  const refusals = make.counter('socketfleet_refusals_total');
  const published = make.counter('socketfleet_published_total');
  const faults = make.counter('socketfleet_handler_faults_total');
  const recoveries = make.counter('socketfleet_recoveries_total');
  const tokens = make.counter('socketfleet_token_verifications_total');
  const keys = make.counter('socketfleet_key_fetches_total');
  const requests = make.counter('socketfleet_api_requests_total');
  return {
    answered: (event, code) => answers({ event, code }),
    refused: (code) => refusals({ code }),
    published: (source, outcome) => published({ source, outcome }),
    handlerFault: (nsp) => faults({ nsp }),
    recovery: (outcome) => recoveries({ outcome }),
    tokenVerified: (outcome) => tokens({ outcome }),
    keysFetched: (outcome) => keys({ outcome }),
    apiRequest: (route, status) => requests({ route, status: String(status) }),
  };
}

function redisVerbs(make: Make): Pick<Metrics, 'redisLag' | 'redisLost' | 'redisForeign' | 'redisRebuilt'> {
  const lag = make.histogram('socketfleet_redis_lag_seconds');
  const lost = make.counter('socketfleet_redis_lost_total');
  const foreign = make.counter('socketfleet_redis_foreign_total');
  const rebuilds = make.counter('socketfleet_redis_rebuilds_total');
  return {
    redisLag: (seconds) => lag.observe(seconds),
    redisLost: () => lost(),
    redisForeign: () => foreign(),
    redisRebuilt: () => rebuilds(),
  };
}

function fleetVerbs(make: Make): Pick<Metrics, 'leaseFailed' | 'partialAnswer'> {
  const failures = make.counter('socketfleet_lease_failures_total');
  const partial = make.counter('socketfleet_partial_answers_total');
  return { leaseFailed: () => failures(), partialAnswer: () => partial() };
}

/** Each call adds its gauges to those before; a gauge that nobody gave has no sample. */
function observeVerb(make: Make): Metrics['observe'] {
  const given: Gauges = {};
  const show = (name: MetricNameOf<'gauge'>, read: () => number | undefined) =>
    make.gauge(name, (gauge) => {
      const value = read();
      if (value === undefined) gauge.remove();
      else gauge.set(value);
    });
  show('socketfleet_brake_tokens', () => given.brakeTokens?.());
  show('socketfleet_buffered_bytes', () => given.bufferedBytes?.());
  show('socketfleet_slow_readers', () => given.slowReaders?.());
  show('socketfleet_ready', () => (given.ready === undefined ? undefined : Number(given.ready())));
  show('socketfleet_servers', () => given.servers?.());
  show('socketfleet_redis_up', () => (given.redisUp === undefined ? undefined : Number(given.redisUp())));
  return (gauges) => void Object.assign(given, gauges);
}
