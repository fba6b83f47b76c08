/** The report as one HTML file that needs nothing else. Pure. */
import { drawings } from './drawings.js';
import { highlights } from './highlights.js';
import { escapeHtml } from './plots.js';
import { STYLE } from './style.js';
import { percent, readable, readableMs } from './words.js';

const VERDICTS = {
  passed: ['Passed', 'Every check held.'],
  failed: ['Failed', 'Not every check held:'],
  invalid: [
    'Invalid',
    'The generator was the bottleneck, or did not finish. These numbers say nothing about the server.',
  ],
};

/** `result` as `summarise` makes it; the wrapper adds `generator`. */
export function renderHtml(result) {
  const [word, sentence] = VERDICTS[result.verdict];
  const failed = result.checks.filter(({ ok }) => !ok).map(failure);
  const { scenario, question, target, startedAt, durationMs } = result;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escapeHtml(scenario)}: ${word.toLowerCase()}</title><style>${STYLE}</style></head><body>
<header><p class="kicker">Socketfleet load test · ${escapeHtml(scenario)}</p><h1>${escapeHtml(question)}</h1>
<p class="where">${escapeHtml(target)} · ${escapeHtml(startedAt.slice(0, 16).replace('T', ' '))} UTC · ${readableMs(durationMs)}</p></header>
<section class="verdict ${result.verdict}"><b>${word}</b><span>${sentence}${failed.join('')}</span></section>
<section class="tiles">${tiles(result).map(tile).join('')}</section>
<section class="facts">${Object.entries(result.facts).map(fact).join('')}</section>
<section class="plots">${drawings(result).join('')}</section>
<section><h2>Checks</h2><table><thead><tr><th></th><th>metric</th><th>must be</th><th>was</th><th>what it is</th></tr></thead>
<tbody>${result.checks.map(check).join('')}</tbody></table></section>
<section><h2>Numbers</h2><table><tbody>${highlights(result).map(number).join('')}</tbody></table></section>
<section><h2>Set-up</h2><table><tbody>${Object.entries({ ...result.params, ...result.generator })
    .map(setting)
    .join('')}</tbody></table></section>
</body></html>
`;
}

/** The four numbers that answer the question. */
function tiles({ values, scenario }) {
  const connected = { label: 'connected', big: readable(values.sio_connects), small: timeTo(values) };
  const outages = { label: 'outages', big: readable(values.sio_outages), small: outageNote(values) };
  if (!(values.sio_expected > 0)) {
    const rtt = {
      label: 'emit to ack, p99',
      big: readableMs(values.sio_rtt?.p99),
      small: `p50 ${readableMs(values.sio_rtt?.p50)}`,
    };
    const refused = {
      label: 'HTTP 400',
      big: readable(values.sio_http_400),
      small: `${readable(values.sio_http_503)} times 503`,
    };
    return [connected, rtt, refused, outages];
  }
  const delivered = {
    label: 'delivered',
    big: percent(values.sio_delivered, values.sio_expected),
    small: `${readable(values.sio_delivered)} of ${readable(values.sio_expected)} expected`,
  };
  const faults = values.sio_lost + values.sio_duplicated + values.sio_out_of_order;
  const wrong = {
    label: 'lost · doubled · out of order',
    big: readable(faults),
    small: [values.sio_lost, values.sio_duplicated, values.sio_out_of_order].map(readable).join(' · '),
  };
  const timing = values.sio_latency ?? values.sio_rtt;
  const latency = {
    label: scenario === 'chatty' ? 'round trip, p99' : 'latency, p99',
    big: readableMs(timing?.p99),
    small: `p50 ${readableMs(timing?.p50)}, p95 ${readableMs(timing?.p95)}`,
  };
  return [delivered, wrong, latency, values.sio_outages > 0 ? outages : connected];
}

function timeTo({ sio_time_to_connected: time }) {
  return time === undefined ? '' : `p99 ${readableMs(time.p99)} each`;
}

function outageNote({ sio_outage_ms: outage, sio_recovered: recovered }) {
  if (outage === undefined) return 'nobody was cut off';
  const share = recovered === undefined ? '' : `, ${percent(recovered.yes, recovered.of)} recovered`;
  return `p99 ${readableMs(outage.p99)}${share}`;
}

function tile({ label, big, small }) {
  return `<div><span>${escapeHtml(label)}</span><b>${escapeHtml(big)}</b><small>${escapeHtml(small)}</small></div>`;
}

function fact([name, value]) {
  return `<span><b>${escapeHtml(typeof value === 'number' ? readable(value) : value)}</b> ${escapeHtml(name)}</span>`;
}

function failure({ metric, actual, rule, about }) {
  return `<br>${escapeHtml(about)}: <b>${readable(actual)}</b>, must be ${escapeHtml(rule)} <code>${metric}</code>`;
}

function check({ ok, metric, rule, actual, about }) {
  const mark = ok ? '<td class="ok">✓</td>' : '<td class="no">✗</td>';
  return `<tr>${mark}<td><code>${metric}</code></td><td>${escapeHtml(rule)}</td><td>${readable(actual)}</td><td>${escapeHtml(about)}</td></tr>`;
}

function number({ label, text, note = '' }) {
  return `<tr><td>${escapeHtml(label)}</td><td>${escapeHtml(text)}</td><td>${escapeHtml(note)}</td></tr>`;
}

function setting([name, value]) {
  return `<tr><td><code>${escapeHtml(name)}</code></td><td>${escapeHtml(value)}</td></tr>`;
}
