import { expect, test } from 'vitest';
import { barChart, niceStep } from '../../../bench/lib/svg.ts';

const CHART = {
  title: 'CPU & "messages"',
  x: 'load',
  y: 'CPU <µs>',
  legend: ['ours', 'stock'],
  groups: [
    {
      label: '1 event',
      bars: [
        { median: 7, low: 6, high: 8 },
        { median: 9, low: 9, high: 9.5 },
      ],
    },
    {
      label: '10 events',
      bars: [
        { median: 0.9, low: 0.9, high: 1 },
        { median: 6.8, low: 6, high: 7 },
      ],
    },
  ],
};

const heights = (svg: string) =>
  [...svg.matchAll(/<rect x=.*? height="([\d.]+)" fill/g)].map(([, height]) => Number(height));

test('a chart names both axes, both sides and every group', () => {
  const svg = barChart(CHART);
  for (const text of ['load', 'CPU &lt;µs&gt;', 'ours', 'stock', '1 event', '10 events', '7.00', '0.90', '6.80']) {
    expect(svg).toContain(`>${text}</text>`);
  }
});

test('text cannot break the markup', () => {
  expect(barChart(CHART)).toContain('<title>CPU &amp; &quot;messages&quot;</title>');
});

test('the height of a bar is in proportion to its median', () => {
  const [, , one = 0, two = 0] = heights(barChart(CHART));
  expect(two / one).toBeCloseTo(9 / 7, 2);
});

test('the scale reaches the highest whisker', () => {
  const ticks = [...barChart(CHART).matchAll(/text-anchor="end"[^>]*>([\d.]+)</g)].map(([, tick]) => Number(tick));
  expect(ticks).toEqual([0, 2, 4, 6, 8, 10]);
});

test('a value below zero is drawn as none instead of upwards', () => {
  const group = { label: 'memory', bars: [{ median: -1, low: -2, high: 1 }] };
  expect(heights(barChart({ ...CHART, groups: [group] })).at(-1)).toBe(0);
});

test('a chart without values is still a chart', () => {
  expect(barChart({ ...CHART, groups: [] })).toMatch(/^<svg[\s\S]*<\/svg>\n$/);
});

test('steps of the scale are 1, 2 or 5 times a power of ten', () => {
  expect([0, 0.07, 0.3, 1, 1.9, 2.1, 70, 600].map(niceStep)).toEqual([1, 0.1, 0.5, 1, 2, 5, 100, 1000]);
});
