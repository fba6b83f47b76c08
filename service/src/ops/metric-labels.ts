/** Keeps label values inside the closed lists of the metric table. */
import { type LabelValues, type MetricRow, OTHER } from './metric-table.ts';

type Labels = Readonly<Record<string, string>>;

/** Returns a function that replaces every value outside its label's list by `other`. */
export function closedLabels(row: MetricRow): (labels: Labels) => Record<string, string> {
  const close = Object.entries(row.labels).map(([label, values]) => [label, closer(values)] as const);
  return (labels) => Object.fromEntries(close.map(([label, admit]) => [label, admit(labels[label] ?? OTHER)]));
}

function closer(values: LabelValues): (value: string) => string {
  if ('from' in values) return firstSeen(values.atMost);
  const known = new Set(values);
  return (value) => (known.has(value) ? value : OTHER);
}

/** Admits the first values it sees, keeping one place for `other`. */
function firstSeen(atMost: number): (value: string) => string {
  const seen = new Set<string>();
  return (value) => {
    if (!seen.has(value) && seen.size < atMost - 1) seen.add(value);
    return seen.has(value) ? value : OTHER;
  };
}

const MOST_SERIES = 50;

/** Every combination of a row's labels; none when a list is open or there would be more than 50. */
export function everySeries(row: MetricRow): Record<string, string>[] {
  let series: Record<string, string>[] = [{}];
  for (const [label, values] of Object.entries(row.labels)) {
    if ('from' in values) return [];
    series = series.flatMap((labels) => values.map((value) => ({ ...labels, [label]: value })));
    if (series.length > MOST_SERIES) return [];
  }
  return series;
}
