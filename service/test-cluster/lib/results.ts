import { textTable } from '../../bench/lib/table.ts';
import type { CrowdReport } from './crowd.ts';
import type { Outcome } from './scenario.ts';

/** How one scenario went. */
export interface Result {
  readonly what: string;
  readonly seconds: number;
  readonly outcome: Outcome;
}

const left = (title: string) => ({ title, align: 'left' as const });
const right = (title: string) => ({ title, align: 'right' as const });
const COLUMNS = [
  left('scenario'),
  right('time'),
  left('result'),
  right('outages'),
  right('p50'),
  right('p95'),
  right('max'),
  right('new/s'),
  right('per pod'),
  right('owed'),
  right('delivered'),
  right('lost away'),
  right('lost here'),
  right('doubled'),
  left('refusals'),
];

/** What happened to clients in each scenario, then what is worth a sentence. */
export function resultTable(results: readonly Result[]): string {
  const rows = results.map(({ what, seconds, outcome }) => [
    what,
    `${seconds.toFixed(0)} s`,
    verdictOf(outcome),
    ...(outcome.report === undefined ? [] : cellsOf(outcome.report)),
  ]);
  const notes = results.flatMap(({ what, outcome: { note, problems } }) => [
    ...(note === undefined ? [] : [`${what}: ${note}`]),
    ...problems.map((problem) => `${what} FAILED: ${problem}`),
  ]);
  return ['', textTable(COLUMNS, rows), '', ...notes, ''].join('\n');
}

function verdictOf({ skipped, problems }: Outcome): string {
  if (skipped !== undefined) return 'skipped';
  return problems.length === 0 ? 'ok' : 'FAILED';
}

function cellsOf(report: CrowdReport): string[] {
  const seconds = (ms: number) => (report.outages === 0 ? '' : `${(ms / 1_000).toFixed(1)} s`);
  const refusals = Object.entries(report.refusals).map(([status, times]) => `${times} x ${status}`);
  if (report.upgradeErrors > 0) refusals.push(`${report.upgradeErrors} upgrades`);
  return [
    String(report.outages),
    seconds(report.p50),
    seconds(report.p95),
    seconds(report.max),
    String(report.handshakePeak),
    String(report.podPeak),
    ...[report.owed, report.delivered, report.lostAway, report.lostHere, report.doubled].map(String),
    refusals.join(', '),
  ];
}
