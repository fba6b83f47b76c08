/** Small bar charts as SVG, readable on light and dark pages. */
import type { Spread } from './stats.ts';
import { shortNumber } from './table.ts';

/** One series; its colour is fixed by its place. */
export interface Group {
  readonly label: string;
  /** One per series, in the order of the legend. */
  readonly bars: readonly Pick<Spread, 'median' | 'low' | 'high'>[];
}

/** What a chart shows. */
export interface Chart {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly legend: readonly string[];
  readonly groups: readonly Group[];
}

const WIDTH = 720;
const HEIGHT = 420;
const PLOT = { left: 80, right: WIDTH - 20, top: 80, bottom: HEIGHT - 70 };
const COLOURS = ['#2563eb', '#94a3b8', '#f59e0b', '#10b981'];
const TICKS = 5;

/** Grouped bars: height is the median, the whisker spans the rounds. */
export function barChart(chart: Chart): string {
  const peak = Math.max(0, ...chart.groups.flatMap((group) => group.bars.map((bar) => bar.high)));
  const step = niceStep(peak / TICKS);
  const top = Math.max(1, Math.ceil(peak / step)) * step;
  const yOf = (value: number) => PLOT.bottom - (Math.max(0, value) / top) * (PLOT.bottom - PLOT.top);
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, at) => at * step);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13">`,
    `<title>${escaped(chart.title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(chart.title, { x: PLOT.left, y: 28, size: 18 }),
    ...legend(chart.legend),
    ...ticks.flatMap((value) => tick(value, yOf(value))),
    ...chart.groups.flatMap((group, at) => groupOf(group, { at, of: chart.groups.length, yOf })),
    line([PLOT.left, PLOT.bottom, PLOT.right, PLOT.bottom], '#334155'),
    text(chart.x, { x: middle(PLOT.left, PLOT.right), y: HEIGHT - 16, anchor: 'middle' }),
    text(chart.y, { x: 22, y: middle(PLOT.top, PLOT.bottom), anchor: 'middle', isUpright: true }),
    '</svg>\n',
  ].join('\n');
}

/** The smallest of 1, 2, 5 times a power of ten that is not below `least`. */
export function niceStep(least: number): number {
  if (!(least > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  return (([1, 2, 5].find((factor) => factor * power >= least * (1 - 1e-9)) ?? 10) as number) * power;
}

interface Slot {
  readonly at: number;
  readonly of: number;
  yOf(value: number): number;
}

function groupOf({ label, bars }: Group, { at, of, yOf }: Slot): string[] {
  const room = (PLOT.right - PLOT.left) / of;
  const left = PLOT.left + at * room;
  const width = Math.min(80, (room * 0.7) / bars.length);
  const start = left + (room - width * bars.length) / 2;
  const drawn = bars.flatMap((bar, series) => {
    const x = start + series * width;
    const y = yOf(bar.median);
    const centre = x + width / 2;
    const fill = COLOURS[series % COLOURS.length];
    return [
      `<rect x="${round(x + 3)}" y="${round(y)}" width="${round(width - 6)}" height="${round(PLOT.bottom - y)}" fill="${fill}"/>`,
      line([centre, yOf(bar.low), centre, yOf(bar.high)], '#0f172a'),
      text(shortNumber(bar.median), { x: centre, y: yOf(bar.high) - 6, anchor: 'middle' }),
    ];
  });
  return [...drawn, text(label, { x: left + room / 2, y: PLOT.bottom + 20, anchor: 'middle' })];
}

function legend(names: readonly string[]): string[] {
  return names.flatMap((name, series) => {
    const x = PLOT.left + series * 180;
    const fill = COLOURS[series % COLOURS.length];
    return [`<rect x="${x}" y="42" width="14" height="14" fill="${fill}"/>`, text(name, { x: x + 20, y: 54 })];
  });
}

function tick(value: number, y: number): string[] {
  const label = Number(value.toPrecision(6)).toLocaleString('en-US');
  return [line([PLOT.left, y, PLOT.right, y], '#e2e8f0'), text(label, { x: PLOT.left - 8, y: y + 4, anchor: 'end' })];
}

interface TextPlace {
  readonly x: number;
  readonly y: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly size?: number;
  readonly isUpright?: boolean;
}

function text(content: string, { x, y, anchor = 'start', size = 13, isUpright = false }: TextPlace): string {
  const turn = isUpright ? ` transform="rotate(-90 ${x} ${round(y)})"` : '';
  const place = `x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" font-size="${size}"`;
  return `<text ${place} fill="#0f172a"${turn}>${escaped(content)}</text>`;
}

function line([x1, y1, x2, y2]: readonly [number, number, number, number], stroke: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${stroke}"/>`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function middle(from: number, to: number): number {
  return (from + to) / 2;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
