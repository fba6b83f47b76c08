/** From k6's summary data to one plain result: totals, series, pods, checks and the verdict. Pure. */
import { METRICS, peakThresholds, SLICES, sliceMs } from '../metric-table.js';
import { numberToTail } from '../pods.js';

const RULE = /^(.*?)(==|<=|>=|<|>)(.*)$/;

/** `definition` = `{ name, question, params, plan, thresholds, secrets }`; `data` as k6 gives it to `handleSummary`. */
export function summarise({ name, question, params, plan, thresholds, secrets }, data) {
  const { metrics, setup_data: setup, state } = data;
  const checks = Object.entries(thresholds).flatMap(([metric, rules]) =>
    rules.map((rule) => checkOf(metric, rule, metrics[metric])),
  );
  if (plan.peak !== undefined) checks.push(peakCheck(plan, metrics));
  const shown = Object.entries(params).filter(([param]) => param !== 'OUT');
  return {
    format: 1,
    scenario: name,
    question,
    target: params.URL,
    startedAt: new Date(setup.startedAt).toISOString(),
    durationMs: Math.round(state.testRunDurationMs),
    verdict: verdictOf(checks),
    checks,
    facts: { ...plan.facts, VUs: plan.vus },
    params: Object.fromEntries(shown.map(([param, value]) => [param, secrets.includes(param) ? '(hidden)' : value])),
    pods: podsOf(metrics, setup.pods),
    values: valuesOf(metrics),
    series: seriesOf(metrics, sliceMs(plan.totalMs)),
  };
}

/** A generator that was the bottleneck makes every other number worthless. */
function verdictOf(checks) {
  const failed = checks.filter(({ ok }) => !ok);
  if (failed.some(({ isGenerator }) => isGenerator)) return 'invalid';
  return failed.length === 0 ? 'passed' : 'failed';
}

function checkOf(metric, rule, found) {
  const [, value = '', sign, limit] = RULE.exec(rule) ?? [];
  const key = value === 'med' ? 'med' : value;
  return {
    metric,
    rule: `${value} ${sign} ${limit}`,
    actual: found?.values[key],
    ok: found?.thresholds?.[rule]?.ok === true,
    isGenerator: metric.startsWith('gen_'),
    about: METRICS[metric]?.about ?? '',
  };
}

/** The fastest slice after the crowd has gathered; k6 judges each slice by a threshold of its own. */
function peakCheck({ peak, totalMs }, metrics) {
  const ms = sliceMs(totalMs);
  const counts = Object.keys(peakThresholds({ peak, totalMs })).map((key) => metrics[key]?.values.count ?? 0);
  const actual = Math.max(0, ...counts) / (ms / 1000);
  return {
    metric: 'sio_handshakes',
    rule: `peak per second <= ${peak.perSecond}`,
    actual,
    ok: actual <= peak.perSecond,
    isGenerator: false,
    about: `once the crowd has gathered, over ${ms / 1000} s`,
  };
}

/** One number per counter, share per rate, and the distribution of trends that have any values. */
function valuesOf(metrics) {
  const values = {};
  for (const [name, { type }] of Object.entries(METRICS)) {
    const found = metrics[name]?.values;
    if (type === 'counter') values[name] = found?.count ?? 0;
    else if (type === 'rate' && found !== undefined && found.passes + found.fails > 0) {
      values[name] = { yes: found.passes, of: found.passes + found.fails };
    } else if (type === 'trend' && found?.count > 0) {
      values[name] = rename(found);
    }
  }
  return values;
}

function rename({ count, avg, min, med, max, 'p(95)': p95, 'p(99)': p99 }) {
  return { count, avg, min, p50: med, p95, p99, max };
}

function podsOf(metrics, known) {
  const pods = [];
  for (const [key, { values }] of Object.entries(metrics)) {
    const slot = /^sio_pod\{pod:(\w+)\}$/.exec(key)?.[1];
    if (slot === undefined || values.count === 0) continue;
    const tail = metrics[`sio_pod_tail{pod:${slot}}`]?.values;
    if (slot[0] === 'k') pods.push({ name: known[Number(slot.slice(1))], connections: values.count });
    else if (tail.min === tail.max)
      pods.push({ name: `…${numberToTail(tail.value)}`, connections: values.count, isNew: true });
    else pods.push({ name: 'several new pods', connections: values.count, isNew: true });
  }
  return pods.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function seriesOf(metrics, ms) {
  const last = lastSlice(metrics);
  const counters = {};
  const trends = {};
  for (const [name, { type, timed }] of Object.entries(METRICS)) {
    if (!timed) continue;
    const slices = Array.from({ length: last + 1 }, (_, i) => metrics[`${name}{t:${i}}`]?.values);
    if (type === 'counter') counters[name] = slices.map((values) => values?.count ?? 0);
    else if (slices.some((values) => values?.count > 0)) {
      trends[name] = slices.map((values) => (values?.count > 0 ? rename(values) : null));
    }
  }
  return { sliceMs: ms, counters, trends };
}

function lastSlice(metrics) {
  for (let i = SLICES - 1; i > 0; i--) if (metrics[`gen_lag{t:${i}}`]?.values.count > 0) return i;
  return 0;
}
