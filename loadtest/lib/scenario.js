/** What all scenarios share: parameters, a plan of VUs, the probe, the accounts' end, and the verdict. */
import exec from 'k6/execution';
import { watchLag } from './generator.js';
import { kept, METRICS, peakThresholds, sliceMs } from './metric-table.js';
import { readParams } from './params.js';
import { probe } from './probe.js';
import { writeReports } from './report/write-reports.js';
import { createTally } from './tally.js';

/** Between the probe and the first client: all VUs have begun by then. */
const LEAD_MS = 500;
/** Sockets that are closed end within a heartbeat; a run that lasts longer is cut off and fails. */
const SLACK_MS = 60_000;

const ALWAYS = {
  sio_connect_failed: ['count==0'],
  sio_refused: ['count==0'],
  sio_http_400: ['count==0'],
  sio_broken: ['count==0'],
};

/**
 * Makes the four exports of a k6 script.
 *
 * @param {object} definition
 *   `name`, `question` (one sentence);
 *   `params` (a table as COMMON in params.js);
 *   `plan(params)` -> `{ vus, totalMs, thresholds, tolerated, peak, facts }`: `tolerated` names metrics that are shown, but judge
 *   nothing; `facts` are shown as set-up;
 *   `prepare(params)` for setup, optional;
 *   `run(ctx)`: one VU, `ctx` = `{ params, run, vu, vus, tally, plan, now(), at(ms) }`; times count from the start in milliseconds.
 */
export function defineScenario({ name, question, params: table = {}, plan: makePlan, prepare, run }) {
  const params = withToken(readParams(__ENV, table));
  const plan = makePlan(params);
  const thresholds = {
    gen_finished: [`count==${plan.vus}`],
    gen_lag: [`p(99)<${params.MAX_LAG_MS}`],
    ...ALWAYS,
    ...plan.thresholds,
  };
  for (const metric of plan.tolerated ?? []) delete thresholds[metric];
  const timed = Object.keys(METRICS).filter((metric) => METRICS[metric].timed);
  const options = {
    scenarios: {
      [name]: {
        executor: 'per-vu-iterations',
        vus: plan.vus,
        iterations: 1,
        maxDuration: `${Math.ceil((plan.totalMs + LEAD_MS + SLACK_MS) / 1000)}s`,
        gracefulStop: '1s',
      },
    },
    thresholds: { ...kept(timed, plan.totalMs), ...thresholds, ...peakThresholds(plan) },
    summaryTrendStats: ['avg', 'min', 'med', 'p(95)', 'p(99)', 'max', 'count'],
    insecureSkipTLSVerify: params.INSECURE === '1',
    noCookiesReset: true,
    setupTimeout: '60s',
  };

  async function setup() {
    const { pods, handshake } = await probe(params);
    prepare?.(params);
    const id = Math.random().toString(36).slice(2, 10);
    return { id, startedAt: Date.now() + LEAD_MS, pods, pingIntervalMs: handshake.pingInterval };
  }

  async function main(data) {
    const tally = createTally({ ...data, sliceMs: sliceMs(plan.totalMs) });
    const endWatch = watchLag(tally);
    const now = () => Date.now() - data.startedAt;
    const ctx = {
      params,
      plan,
      tally,
      now,
      endWatch,
      run: data.id,
      vu: exec.vu.idInTest - 1,
      vus: plan.vus,
      at: (ms) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms - now()))),
    };
    await run(ctx);
    endWatch();
    tally.count('gen_finished');
    tally.end();
  }

  function handleSummary(data) {
    return writeReports({ name, question, params, plan, thresholds, secrets: secretsOf(table) }, data);
  }

  return { options, setup, main, handleSummary };
}

function withToken({ TOKEN_FILE, ...params }) {
  if (TOKEN_FILE === undefined) return params;
  try {
    return { ...params, TOKEN: open(TOKEN_FILE).trim() };
  } catch (error) {
    throw `loadtest: TOKEN_FILE=${TOKEN_FILE} cannot be read: ${error}`;
  }
}

function secretsOf(table) {
  return ['TOKEN', ...Object.keys(table).filter((name) => table[name].isSecret)];
}
