/** The numbers that every report shows first: label, text, a note. Pure. */
import { peakPerSecond, percent, readable, readableMs } from './words.js';

/** In the order of interest; what a scenario has nothing to say about is left out. */
export function highlights({ values, series, facts }) {
  const rows = [];
  const row = (label, text, note) => rows.push({ label, text, ...(note ? { note } : {}) });
  const slice = readableMs(series.sliceMs);

  if (values.sio_expected > 0 || values.sio_sent > 0) {
    row('sent', readable(values.sio_sent), sentNote(values));
    row('expected', readable(values.sio_expected));
    row('delivered', readable(values.sio_delivered), percent(values.sio_delivered, values.sio_expected));
    row(
      'lost',
      readable(values.sio_lost),
      values.sio_lost > 0 ? `${readable(values.sio_lost_connected)} of them outside outages` : '',
    );
    row('duplicated', readable(values.sio_duplicated));
    row('out of order', readable(values.sio_out_of_order));
  }
  if (values.sio_answers + values.sio_moved > 0)
    row('answered by its pod', readable(values.sio_answers), `${readable(values.sio_moved)} by another`);
  if (values.sio_latency) row('latency', spread(values.sio_latency));
  if (values.sio_rtt) row('emit to ack', spread(values.sio_rtt));
  row(
    'connected',
    readable(values.sio_connects),
    `peak ${readable(peakPerSecond(series, 'sio_handshakes'))} handshakes/s over ${slice}`,
  );
  if (values.sio_time_to_connected) row('time to connected', spread(values.sio_time_to_connected));
  if (values.sio_upgrade_ms) row('upgrade', spread(values.sio_upgrade_ms), failedNote(values.sio_upgrade_failed));
  row(
    'outages',
    readable(values.sio_outages),
    values.sio_still_out > 0 ? `${readable(values.sio_still_out)} never came back` : '',
  );
  if (values.sio_outage_ms) row('outage', spread(values.sio_outage_ms));
  row(
    'recovered',
    values.sio_recovered ? percent(values.sio_recovered.yes, values.sio_recovered.of) : '-',
    values.sio_recovered ? `of ${readable(values.sio_recovered.of)} returns` : 'nobody had to come back',
  );
  row(
    'HTTP 400 / 503 / other',
    [values.sio_http_400, values.sio_http_503, values.sio_http_other].map(readable).join(' / '),
  );
  if (values.sio_socket_errors > 0) row('WebSockets refused', readable(values.sio_socket_errors));
  if (values.sio_ping_delay)
    row('heartbeats', readable(values.sio_pings), `late by p99 ${readableMs(values.sio_ping_delay.p99)}`);
  if (facts['slow readers'] > 0)
    row('slow readers let go', readable(values.sio_slow_closed), `of ${readable(facts['slow readers'])}`);
  if (values.sio_memory)
    row('memory of the server', `${readable(values.sio_memory.min)} to ${readable(values.sio_memory.max)} MiB`);
  if (values.sio_memory_growth) row('its growth', `${readable(values.sio_memory_growth.max)} % per hour`);
  row('generator lag', values.gen_lag ? spread(values.gen_lag) : '-');
  return rows;
}

function spread({ p50, p95, p99, max }) {
  return `p50 ${readableMs(p50)}  p95 ${readableMs(p95)}  p99 ${readableMs(p99)}  max ${readableMs(max)}`;
}

function sentNote({ sio_publish_refused: refused, sio_unconfirmed: unconfirmed, sio_not_sent: notSent }) {
  const notes = [
    [refused, 'refused'],
    [unconfirmed, 'never acknowledged'],
    [notSent, 'not sent: publisher away'],
  ];
  return notes
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${readable(count)} ${what}`)
    .join(', ');
}

function failedNote(count) {
  return count > 0 ? `${readable(count)} failed` : '';
}
