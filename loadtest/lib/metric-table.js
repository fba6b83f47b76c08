/** Every metric of a run, in one table. Pure: the reports read it in Node, too. */

/** `timed` ones are also kept for each slice of the run, for the plots. */
export const METRICS = {
  sio_attempts: { type: 'counter', timed: true, about: 'connections tried' },
  sio_handshakes: { type: 'counter', timed: true, about: 'Engine.IO sessions opened' },
  sio_connects: { type: 'counter', timed: true, about: 'sockets connected (a socket that comes back counts again)' },
  sio_disconnects: { type: 'counter', timed: true, about: 'sockets gone, ours and theirs' },
  sio_connect_failed: { type: 'counter', about: 'clients that were not connected and joined in time' },
  sio_refused: { type: 'counter', about: 'clients that were refused for good' },
  sio_time_to_connected: { type: 'trend', timed: true, about: 'from the first request until connected, ms' },
  sio_upgrade_ms: { type: 'trend', about: 'from the probe until WebSocket carries the session, ms' },
  sio_upgrade_failed: { type: 'counter', about: 'upgrades that failed; the session stayed on polling' },
  sio_http_400: {
    type: 'counter',
    timed: true,
    about: 'polling requests answered with 400: a request missed its session',
  },
  sio_http_503: { type: 'counter', timed: true, about: 'polling requests answered with 503: brake, drain, proxy' },
  sio_http_other: { type: 'counter', about: 'polling requests answered with something else, or not at all' },
  sio_socket_errors: { type: 'counter', about: 'WebSocket connections that could not be opened' },
  sio_broken: { type: 'counter', about: 'what was not Engine.IO or Socket.IO' },
  sio_sent: { type: 'counter', timed: true, about: 'messages published' },
  sio_unconfirmed: { type: 'counter', about: 'published, never acknowledged: owed to nobody' },
  sio_publish_refused: { type: 'counter', about: 'refused by the server' },
  sio_not_sent: { type: 'counter', about: 'not published because the publisher was away' },
  sio_expected: { type: 'counter', about: 'pairs of an acknowledged message and a client that was a member before it' },
  sio_arrived: { type: 'counter', timed: true, about: 'first arrivals of messages of this run' },
  sio_delivered: {
    type: 'counter',
    about: 'of the expected pairs, those that arrived; told when the books are closed',
  },
  sio_duplicated: { type: 'counter', about: 'arrivals of what had arrived' },
  sio_out_of_order: { type: 'counter', about: 'arrivals after a later one of the same publisher' },
  sio_lost: { type: 'counter', about: 'expected, never delivered' },
  sio_lost_connected: { type: 'counter', about: 'of those, while the client saw no outage' },
  sio_alien: { type: 'counter', about: 'messages that nobody of this run sent like that, or not to this client' },
  sio_unverified: { type: 'counter', about: 'accounts that could not be closed, because the total never came' },
  sio_latency: { type: 'trend', timed: true, about: 'from publish to arrival, ms' },
  sio_rtt: { type: 'trend', timed: true, about: 'from emit to ack, ms' },
  sio_ack_timeouts: { type: 'counter', about: 'acks that did not come in time' },
  sio_outages: { type: 'counter', about: 'times that a connected client lost its connection' },
  sio_outage_ms: { type: 'trend', timed: true, about: 'from the loss until connected and in its rooms again, ms' },
  sio_still_out: { type: 'counter', about: 'clients that had not come back at the end' },
  sio_recovered: { type: 'rate', about: 'share of returns with the session recovered' },
  sio_pings: { type: 'counter', about: 'heartbeats from the server' },
  sio_ping_delay: { type: 'trend', about: 'how late they were, ms' },
  sio_ping_timeouts: { type: 'counter', about: 'clients that gave up a server without heartbeats' },
  sio_answers: { type: 'counter', about: 'answers from the pod that holds the session' },
  sio_moved: { type: 'counter', about: 'answers from another pod than the one that opened the session' },
  sio_slow_closed: { type: 'counter', about: 'slow readers that the server let go' },
  sio_memory: { type: 'trend', timed: true, about: 'resident memory by METRICS_URL, MiB' },
  sio_memory_samples: { type: 'counter', about: 'answers of METRICS_URL' },
  sio_memory_growth: { type: 'trend', about: 'its slope over the second half, % per hour' },
  sio_pod: { type: 'counter', about: 'connections by pod' },
  sio_pod_tail: { type: 'gauge', about: 'names of pods that were not there at the start, as numbers' },
  gen_lag: { type: 'trend', timed: true, about: 'event-loop lag of the generator, ms' },
  gen_on_time: { type: 'rate', about: 'share of publishes that left when they were due' },
  gen_finished: { type: 'counter', about: 'VUs that kept their accounts to the end' },
};

export const SLICES = 90;
export const KNOWN_PODS = 16;
export const NEW_PODS = 32;

/** Length of a slice: 90 of them hold the run, none is shorter than a second. */
export function sliceMs(totalMs) {
  return Math.max(1000, Math.ceil(totalMs / SLICES / 1000) * 1000);
}

function slicesOf(totalMs) {
  return Math.min(SLICES, Math.ceil(totalMs / sliceMs(totalMs)) + 1);
}

/** Thresholds that cannot fail: they make k6 keep a metric for each slice and pod, so that the reports can draw them. */
export function kept(names, totalMs) {
  const slices = slicesOf(totalMs);
  const keys = [];
  for (const name of names) {
    if (METRICS[name].timed) for (let i = 0; i < slices; i++) keys.push(`${name}{t:${i}}`);
  }
  for (let i = 0; i < KNOWN_PODS; i++) keys.push(`sio_pod{pod:k${i}}`);
  for (let i = 0; i < NEW_PODS; i++) keys.push(`sio_pod{pod:n${i}}`, `sio_pod_tail{pod:n${i}}`);
  return Object.fromEntries(keys.map((key) => [key, []]));
}

/** A bound on handshakes per second in each slice after `peak.fromMs`. */
export function peakThresholds({ peak, totalMs }) {
  if (peak === undefined) return {};
  const ms = sliceMs(totalMs);
  const most = Math.floor(peak.perSecond * (ms / 1000));
  const slices = Array.from({ length: slicesOf(totalMs) }, (_, i) => i).filter((i) => i * ms >= peak.fromMs);
  return Object.fromEntries(slices.map((i) => [`sio_handshakes{t:${i}}`, [`count<=${most}`]]));
}
