/** Which plots a result has. Pure. */
import { barPlot, timePlot } from './plots.js';
import { readableMs } from './words.js';

/** SVG figures, the most telling first; what has no data is left out. */
export function drawings(result) {
  const { series, values, pods } = result;
  const { sliceMs, counters, trends } = series;
  const perSecond = (name) => counters[name].map((count) => count / (sliceMs / 1000));
  const happened = (name) => values[name] > 0;
  const plots = [];
  const plot = (title, about, lines, unit) => plots.push(timePlot({ title, about, sliceMs, lines, unit }));

  if (trends.sio_latency) plot('Latency', 'from publish to verified arrival', percentiles(trends.sio_latency), 'ms');
  if (happened('sio_arrived')) {
    const members = result.facts['members each'];
    const due = { name: 'sent × members', color: '--c2', values: perSecond('sio_sent').map((rate) => rate * members) };
    plot(
      'Messages',
      'verified arrivals per second',
      [
        ...(members === undefined ? [] : [due]),
        { name: 'arrived', color: '--c1', values: perSecond('sio_arrived'), isArea: true },
      ],
      '/s',
    );
  }
  plot('Clients connected', 'connects minus disconnects', [
    { name: 'connected', color: '--c1', values: level(counters.sio_connects, counters.sio_disconnects), isArea: true },
  ]);
  plot(
    'Handshakes',
    `tried and opened, per second over ${readableMs(sliceMs)}`,
    [
      { name: 'tried', color: '--c3', values: perSecond('sio_attempts') },
      { name: 'opened', color: '--c1', values: perSecond('sio_handshakes'), isArea: true },
      ...(happened('sio_http_503') ? [{ name: '503', color: '--c4', values: perSecond('sio_http_503') }] : []),
      ...(happened('sio_http_400') ? [{ name: '400', color: '--c2', values: perSecond('sio_http_400') }] : []),
    ],
    '/s',
  );
  if (trends.sio_outage_ms)
    plot('Outages', 'from the loss until back in all rooms', percentiles(trends.sio_outage_ms), 'ms');
  if (trends.sio_time_to_connected) {
    plot('Time to connected', 'from the first request', percentiles(trends.sio_time_to_connected), 'ms');
  }
  if (trends.sio_rtt) plot('Emit to ack', 'round trip of every request', percentiles(trends.sio_rtt), 'ms');
  if (trends.sio_memory) {
    plot('Memory of the server', 'resident, MiB', [
      { name: 'memory', color: '--c1', values: trends.sio_memory.map((slice) => slice?.max ?? null), isArea: true },
    ]);
  }
  if (pods.length > 0) {
    const bars = pods.map(({ name, connections, isNew }) => ({
      name,
      value: connections,
      color: isNew ? '--c3' : '--c1',
    }));
    plots.push(barPlot({ title: 'Connections by pod', about: 'as the pods say themselves (whoami)', bars }));
  }
  if (trends.gen_lag)
    plot('Generator', 'lag of its event loop: what it adds to every number', percentiles(trends.gen_lag), 'ms');
  return plots;
}

function percentiles(slices) {
  const line = (name, color, key) => ({ name, color, values: slices.map((slice) => slice?.[key] ?? null) });
  return [line('p99', '--c2', 'p99'), line('p95', '--c3', 'p95'), line('p50', '--c1', 'p50')];
}

function level(up, down) {
  let now = 0;
  return up.map((count, i) => {
    now += count - down[i];
    return Math.max(0, now);
  });
}
