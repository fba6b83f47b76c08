/** Turns results into text, Markdown and JSON. */
import type { Measured, SuiteResult } from './run-suite.ts';
import { type Column, markdownTable, shortNumber, textTable } from './table.ts';

/** What has to be known to judge the figures. */
export interface Circumstances {
  readonly command: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly seconds: number;
  readonly commit: string;
  readonly node: string;
  readonly socketIo: string;
  readonly system: string;
  readonly cpu: string;
  readonly cores: string;
  /** Undefined when none was used. */
  readonly redis: string | undefined;
  readonly nodeFlags: readonly string[];
  readonly rounds: number;
  readonly isQuick: boolean;
}

/** Everything that a run has found. */
export interface Report {
  readonly circumstances: Circumstances;
  readonly suites: readonly SuiteResult[];
}

const COLUMNS: readonly Column[] = [
  { title: 'figure', align: 'left' },
  { title: 'unit', align: 'left' },
  { title: 'Socketfleet', align: 'right' },
  { title: 'stock Socket.IO', align: 'right' },
  { title: 'ratio', align: 'right' },
  { title: 'in single rounds', align: 'right' },
];

const RATIO_NOTE = 'Medians. A ratio above 1 says how many times better Socketfleet is than stock Socket.IO.';

/** What the terminal shows at the end. */
export function textReport({ circumstances, suites }: Report): string {
  const all = suites.flatMap((suite) => suite.figures);
  return [
    textTable(COLUMNS, all.filter((figure) => figure.isPrimary).map(row)),
    '',
    'Secondary: these depend on the clients and the machine as well.',
    textTable(COLUMNS, all.filter((figure) => !figure.isPrimary).map(row)),
    '',
    RATIO_NOTE,
    ...facts(circumstances).map(([name, value]) => `${name}: ${value}`),
  ].join('\n');
}

/** `summary.md`; the charts are expected beside it. */
export function markdownReport({ circumstances, suites }: Report): string {
  const sections = suites.flatMap(({ name, title, figures }) => [
    `## ${title}`,
    markdownTable(COLUMNS, figures.map(row)),
    `![${title}](${name}.svg)`,
  ]);
  const setup = facts(circumstances).map(([name, value]) => `- ${name}: ${value}`);
  return [`# Benchmark: ${circumstances.command}`, setup.join('\n'), RATIO_NOTE, ...sections, '']
    .join('\n\n')
    .trimEnd();
}

/** The report as JSON, with every single reading. */
export function jsonReport(report: Report): string {
  return `${JSON.stringify({ version: 1, ...report }, null, 2)}\n`;
}

function row(figure: Measured): string[] {
  const times = (ratio: number) => `${shortNumber(ratio)}x`;
  return [
    figure.label,
    figure.unit,
    shortNumber(figure.ours.median),
    shortNumber(figure.stock.median),
    times(figure.ratio),
    `${times(figure.ratioLow)} to ${times(figure.ratioHigh)}`,
  ];
}

function facts(it: Circumstances): [string, string][] {
  const redis = it.redis === undefined ? '' : `, Redis ${it.redis}`;
  return [
    ['rounds', `${it.rounds} per side, in turns${it.isQuick ? ' (quick: the figures mean little)' : ''}`],
    ['versions', `Socketfleet ${it.commit}, Socket.IO ${it.socketIo}, Node.js ${it.node}${redis}`],
    ['V8 flags of both', it.nodeFlags.length === 0 ? 'none' : it.nodeFlags.join(' ')],
    ['machine', `${it.cpu}, ${it.system}, ${it.cores}`],
    ['run', `${it.startedAt}, ${it.seconds} s`],
  ];
}
