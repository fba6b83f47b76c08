import { METRICS, type MetricRow } from '../../../src/ops/metric-table.ts';

/** What a scrape adds, and what a histogram has. */
const SCRAPED = ['namespace', 'service', 'pod', 'instance', 'job', 'endpoint', 'container'];
const BUCKET = 'le';
/** prom-client's own about the process; their names are its business. */
const PROCESS = /^socketfleet_(?:process|nodejs)_/;
const COUNTING = ['rate', 'increase', 'irate'];

const rows = METRICS as Readonly<Record<string, MetricRow>>;

interface Use {
  readonly name: string;
  readonly matchers: string;
  /** The function around it, if any. */
  readonly within: string | undefined;
}

/** What is wrong with a query, held against the table of metrics. Empty: nothing. */
export function problemsOf(query: string): string[] {
  const uses = [...query.matchAll(/(?:(\w+)\()?(socketfleet_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, within, name = '', matchers = '']): Use => ({ name, matchers, within }),
  );
  if (uses.length === 0) return ['it asks for no metric of ours'];
  return [...uses.flatMap(problemsOfUse), ...groupingProblems(query, uses)];
}

function problemsOfUse({ name, matchers, within }: Use): string[] {
  if (PROCESS.test(name)) return [];
  const found = rowOf(name);
  if (found === undefined) return [`there is no metric ${name}`];
  const { row, isPart } = found;
  if (row.type === 'histogram' && !isPart) return [`${name} is a histogram: ask for its _bucket, _sum or _count`];
  const isCounting = within !== undefined && COUNTING.includes(within);
  if (row.type === 'gauge' && isCounting) return [`${name} is a gauge, and ${within} is for counters`];
  if (row.type !== 'gauge' && !isCounting) return [`${name} only ever grows; ask for its rate`];
  return [...matchers.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)].flatMap(([, label = '', , text = '']) =>
    matcherProblem(name, row, label, text),
  );
}

function matcherProblem(name: string, row: MetricRow, label: string, text: string): string[] {
  if (SCRAPED.includes(label)) return [];
  const values = row.labels[label];
  if (values === undefined) return [`${name} has no label ${label}`];
  if ('from' in values) return [];
  return text
    .split('|')
    .filter((value) => !values.includes(value))
    .map((value) => `${label} of ${name} is never "${value}"`);
}

function groupingProblems(query: string, uses: readonly Use[]): string[] {
  const known = new Set([
    ...SCRAPED,
    BUCKET,
    ...uses.flatMap(({ name }) => Object.keys(rowOf(name)?.row.labels ?? {})),
  ]);
  return [...query.matchAll(/\bby\s*\(([^)]*)\)/g)]
    .flatMap(([, list = '']) => list.split(',').map((label) => label.trim()))
    .filter((label) => !known.has(label))
    .map((label) => `nothing there has a label ${label}`);
}

function rowOf(name: string): { row: MetricRow; isPart: boolean } | undefined {
  const whole = rows[name];
  if (whole !== undefined) return { row: whole, isPart: false };
  const row = rows[name.replace(/_(?:bucket|sum|count)$/, '')];
  return row?.type === 'histogram' ? { row, isPart: true } : undefined;
}
