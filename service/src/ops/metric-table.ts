/**
 * Every metric of our own: name, type, labels and one sentence. The README's reference is held against it.
 * prom-client adds the `socketfleet_process_*` and `socketfleet_nodejs_*` metrics of the process.
 */
import { REFUSALS } from '../refusals.ts';
import { DELAY_QUANTILES } from './event-loop-delay.ts';
import { API_ROUTES } from './routes.ts';

/** The closed list of a label's values, or where its values come from. */
export type LabelValues = readonly string[] | { readonly from: string; readonly atMost: number };

export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: Readonly<Record<string, LabelValues>>;
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

/** What a label shows whose value is not on its list. */
export const OTHER = 'other';

const codes = Object.keys(REFUSALS);
const answers = ['ok', ...codes];
const statuses = ['200', '202', ...new Set(Object.values(REFUSALS).map(({ status }) => String(status)))];
const transports = ['polling', 'websocket', 'webtransport', OTHER];
const events = ['join', 'leave', 'publish', 'presence', 'whoami', 'refresh', OTHER];
const nsp = { from: 'namespaces that the server defines, the first 20; then other', atMost: 21 };
// What Engine.IO and Socket.IO call the end of a connection, and the code of a refusal where we ended it.
const reasons = [
  'transport close',
  'transport error',
  'ping timeout',
  'parse error',
  'forced close',
  'forced server close',
  'server shutting down',
  'client namespace disconnect',
  'server namespace disconnect',
  ...codes,
  OTHER,
];

export const METRICS = {
  socketfleet_build_info: {
    type: 'gauge',
    help: 'Always 1; the label is the version that runs.',
    labels: { version: { from: 'package.json', atMost: 1 } },
  },
  socketfleet_ready: { type: 'gauge', help: '1 while /readyz says yes.', labels: {} },
  socketfleet_connections: {
    type: 'gauge',
    help: 'Open Engine.IO connections.',
    labels: { transport: transports },
  },
  socketfleet_sockets: { type: 'gauge', help: 'Sockets in a Socket.IO namespace.', labels: { nsp } },
  socketfleet_handshakes_total: {
    type: 'counter',
    help: 'Requests for a new session, accepted or refused by code.',
    labels: { outcome: ['accepted', ...codes, OTHER] },
  },
  socketfleet_closes_total: {
    type: 'counter',
    help: 'Connections that ended.',
    labels: { transport: transports, reason: reasons },
  },
  socketfleet_messages_received_total: { type: 'counter', help: 'Messages from clients.', labels: {} },
  socketfleet_received_bytes_total: { type: 'counter', help: 'Bytes of messages from clients.', labels: {} },
  socketfleet_messages_sent_total: { type: 'counter', help: 'Messages written to clients.', labels: {} },
  socketfleet_sent_bytes_total: { type: 'counter', help: 'Bytes of messages written to clients.', labels: {} },
  socketfleet_broadcast_recipients: {
    type: 'histogram',
    help: 'Clients of this server that a broadcast went to.',
    labels: {},
    buckets: [0, 1, 10, 100, 1_000, 10_000],
  },
  socketfleet_broadcast_seconds: {
    type: 'histogram',
    help: 'Time to hand a broadcast to the clients of this server.',
    labels: {},
    buckets: [0.0001, 0.001, 0.01, 0.1, 1],
  },
  socketfleet_published_total: {
    type: 'counter',
    help: 'Messages that someone asked to publish.',
    labels: { source: ['api', 'socket'], outcome: ['sent', 'duplicate', 'refused'] },
  },
  socketfleet_answers_total: {
    type: 'counter',
    help: 'Answers to events of clients.',
    labels: { event: events, code: [...answers, OTHER] },
  },
  socketfleet_refusals_total: {
    type: 'counter',
    help: 'Refusals of connections and events.',
    labels: { code: [...codes, OTHER] },
  },
  socketfleet_handler_faults_total: {
    type: 'counter',
    help: 'Handlers of the app module that threw.',
    labels: { nsp },
  },
  socketfleet_recoveries_total: {
    type: 'counter',
    help: 'Clients that came back with a session: recovered, or started afresh.',
    labels: { outcome: ['recovered', 'fresh'] },
  },
  socketfleet_token_verifications_total: {
    type: 'counter',
    help: 'Tokens that were checked.',
    labels: { outcome: ['ok', 'expired', 'invalid', 'missing'] },
  },
  socketfleet_key_fetches_total: {
    type: 'counter',
    help: 'Fetches of the key set of the identity provider.',
    labels: { outcome: ['ok', 'error'] },
  },
  socketfleet_api_requests_total: {
    type: 'counter',
    help: 'Requests to the HTTP API; unmatched is a path that does not exist.',
    labels: {
      route: [...API_ROUTES.map(({ path }) => path), 'unmatched', OTHER],
      status: [...statuses, OTHER],
    },
  },
  socketfleet_drain_remaining: { type: 'gauge', help: 'Connections that a drain has still to let go.', labels: {} },
  socketfleet_drain_closed_total: { type: 'counter', help: 'Connections that a drain has let go.', labels: {} },
  socketfleet_brake_tokens: { type: 'gauge', help: 'New sessions that the brake would let in now.', labels: {} },
  socketfleet_buffered_bytes: { type: 'gauge', help: 'Bytes that wait for slow clients.', labels: {} },
  socketfleet_slow_readers: { type: 'gauge', help: 'Clients above the soft limit of unsent bytes.', labels: {} },
  socketfleet_redis_up: { type: 'gauge', help: '1 while the canary comes back from Redis.', labels: {} },
  socketfleet_redis_lag_seconds: {
    type: 'histogram',
    help: 'Time of the canary from publishing to hearing it.',
    labels: {},
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2],
  },
  socketfleet_redis_lost_total: {
    type: 'counter',
    help: 'Messages for other servers that did not reach Redis.',
    labels: {},
  },
  socketfleet_redis_foreign_total: {
    type: 'counter',
    help: 'Messages on our channels that were not ours: another application uses the same prefix.',
    labels: {},
  },
  socketfleet_servers: {
    type: 'gauge',
    help: 'Servers of the installation that hold a lease, as this one last heard.',
    labels: {},
  },
  socketfleet_lease_failures_total: {
    type: 'counter',
    help: 'Renewals of the lease of this server that failed.',
    labels: {},
  },
  socketfleet_partial_answers_total: {
    type: 'counter',
    help: 'Answers about the whole installation that lack what some servers hold.',
    labels: {},
  },
  socketfleet_redis_rebuilds_total: { type: 'counter', help: 'Deaf subscriptions that were replaced.', labels: {} },
  socketfleet_event_loop_delay_seconds: {
    type: 'gauge',
    help: 'Delay of the event loop over the last complete 10 s.',
    labels: { quantile: DELAY_QUANTILES },
  },
} as const satisfies Record<string, MetricRow>;

/** Name of a metric in the table. */
export type MetricName = keyof typeof METRICS;

/** Names of the metrics of one type. */
export type MetricNameOf<T extends MetricRow['type']> = {
  [N in MetricName]: (typeof METRICS)[N]['type'] extends T ? N : never;
}[MetricName];
