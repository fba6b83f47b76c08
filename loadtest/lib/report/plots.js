/** Plots as SVG: no script, no font, no picture from elsewhere. Pure. */
import { readable, readableMs } from './words.js';

const WIDTH = 560;
const HEIGHT = 220;
const LEFT = 58;
const RIGHT = 14;
const TOP = 12;
const BOTTOM = 28;

/** For text that goes into HTML or SVG. */
export function escapeHtml(value) {
  return String(value).replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

/**
 * Values over the run. `lines` = `[{ name, color, values, isArea }]`, a value per slice, `null` where there is none;
 * `unit` is 'ms', '/s' or ''.
 */
export function timePlot({ title, about, sliceMs, lines, unit = '' }) {
  const length = Math.max(...lines.map(({ values }) => values.length));
  const top = niceTop(Math.max(0, ...lines.flatMap(({ values }) => values.filter((value) => value !== null))));
  const x = (i) => LEFT + (length === 1 ? 0.5 : i / (length - 1)) * (WIDTH - LEFT - RIGHT);
  const y = (value) => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM);
  const label = (value) => (unit === 'ms' ? readableMs(value) : `${readable(value)}${unit}`);
  const body = [
    ...[0, 0.25, 0.5, 0.75, 1].map((share) => gridLine(y(top * share), label(top * share))),
    ...timeTicks(length, sliceMs).map(
      ([i, words]) => `<text class="tick" x="${x(i)}" y="${HEIGHT - 8}" text-anchor="middle">${words}</text>`,
    ),
    ...lines.map((line) => drawn(line, { x, y })),
    ...hovers(lines, { x, length, sliceMs, label }),
  ];
  return figure({ title, about, body, keys: lines.length > 1 ? lines : [] });
}

/** One bar per entry: `[{ name, value, color }]`. */
export function barPlot({ title, about, bars }) {
  const height = Math.max(60, bars.length * 34 + 12);
  const most = Math.max(1, ...bars.map(({ value }) => value));
  const total = bars.reduce((sum, { value }) => sum + value, 0);
  const body = bars.map(({ name, value, color }, i) => {
    const y = i * 34 + 8;
    const width = Math.max(2, (value / most) * (WIDTH - 330));
    return (
      `<text class="bar-name" x="190" y="${y + 17}" text-anchor="end">${escapeHtml(shorten(name))}</text>` +
      `<rect x="200" y="${y}" width="${width}" height="24" rx="3" fill="var(${color})"><title>${escapeHtml(name)}</title></rect>` +
      `<text class="bar-value" x="${208 + width}" y="${y + 17}">${readable(value)} · ${Math.round((value / total) * 100)} %</text>`
    );
  });
  return figure({ title, about, body, keys: [], height });
}

function figure({ title, about, body, keys, height = HEIGHT }) {
  const legend = keys
    .map(({ name, color }) => `<span><i style="background:var(${color})"></i>${escapeHtml(name)}</span>`)
    .join('');
  return (
    `<figure><figcaption><b>${escapeHtml(title)}</b><small>${escapeHtml(about)}</small></figcaption>` +
    `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(title)}">${body.join('')}</svg>` +
    `<div class="legend">${legend}</div></figure>`
  );
}

function gridLine(y, words) {
  return (
    `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>` +
    `<text class="tick" x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${words}</text>`
  );
}

/** Lines break where there is no value; a value between two gaps is a dot. */
function drawn({ values, color, isArea }, { x, y }) {
  const runs = [];
  values.forEach((value, i) => {
    if (value === null) return;
    if (i === 0 || values[i - 1] === null) runs.push([]);
    runs.at(-1).push([x(i), y(value)]);
  });
  return runs
    .map((points) => {
      const path = points.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(' L');
      if (points.length === 1) return `<circle cx="${points[0][0]}" cy="${points[0][1]}" r="3" fill="var(${color})"/>`;
      const base = y(0).toFixed(1);
      const area = `<path d="M${points[0][0].toFixed(1)},${base} L${path} L${points.at(-1)[0].toFixed(1)},${base} Z" fill="var(${color})" opacity=".16"/>`;
      return `${isArea ? area : ''}<path d="M${path}" fill="none" stroke="var(${color})" stroke-width="2" stroke-linejoin="round"/>`;
    })
    .join('');
}

/** Invisible columns that tell the numbers of their slice. */
function hovers(lines, { x, length, sliceMs, label }) {
  const step = length > 1 ? x(1) - x(0) : 40;
  return Array.from({ length }, (_, i) => {
    const words = lines.map(
      ({ name, values }) => `${name}: ${values[i] === null || values[i] === undefined ? '-' : label(values[i])}`,
    );
    const title = [`at ${readableMs(i * sliceMs)}`, ...words].map(escapeHtml).join('\n');
    const left = x(i) - step / 2;
    return `<rect class="hover" x="${left}" y="${TOP}" width="${step}" height="${HEIGHT - TOP - BOTTOM}"><title>${title}</title></rect>`;
  });
}

function timeTicks(length, sliceMs) {
  const totalMs = (length - 1) * sliceMs;
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600];
  const stepMs = 1000 * (steps.find((step) => totalMs / (step * 1000) <= 7) ?? 43_200);
  const ticks = [];
  for (let ms = 0; ms <= totalMs; ms += stepMs) ticks.push([ms / sliceMs, readableMs(ms).replace(/^0 ms$/, '0')]);
  return ticks;
}

function niceTop(value) {
  if (value <= 0) return 1;
  const unit = 10 ** Math.floor(Math.log10(value));
  return unit * [1, 1.2, 1.6, 2, 3, 4, 6, 8, 10].find((step) => step * unit >= value);
}

function shorten(name) {
  return name.length > 26 ? `…${name.slice(-25)}` : name;
}
