import type { SuiteResult } from './run-suite.ts';
import { barChart } from './svg.ts';

/** The chart of a suite: its primary figures, both sides. */
export function suiteChart({ title, axes, figures }: SuiteResult): string {
  const shown = figures.filter((figure) => figure.isPrimary);
  return barChart({
    title,
    ...axes,
    legend: ['Socketfleet', 'stock Socket.IO'],
    groups: shown.map(({ label, mark, ours, stock }) => ({ label: mark ?? label, bars: [ours, stock] })),
  });
}
