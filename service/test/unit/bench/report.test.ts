import { expect, test } from 'vitest';
import { jsonReport, markdownReport, type Report, textReport } from '../../../bench/lib/report.ts';
import { compare } from '../../../bench/lib/stats.ts';

const figure = (key: string, isPrimary: boolean) => ({
  key,
  label: `cost of ${key}`,
  unit: 'µs',
  better: 'lower' as const,
  isPrimary,
  ...compare({ ours: [1, 1, 2], stock: [8, 9, 8] }, 'lower'),
});

const REPORT: Report = {
  circumstances: {
    command: 'server',
    startedAt: '2026-11-21T10:00:00.000Z',
    seconds: 61,
    commit: 'abc1234',
    node: 'v20.20.2',
    socketIo: '4.8.4',
    system: 'Linux 6, 24 GiB',
    cpu: '2 x CPU',
    cores: 'server on core 0, clients on core 1',
    redis: undefined,
    nodeFlags: ['--max-semi-space-size=1'],
    rounds: 3,
    isQuick: false,
  },
  suites: [
    {
      name: 'delivery',
      title: 'Delivery',
      axes: { x: 'load', y: 'CPU' },
      figures: [figure('messages', true), figure('waiting', false)],
    },
  ],
};

test('the text shows medians, their ratio and its range, what matters first', () => {
  const lines = textReport(REPORT).split('\n');
  const main = lines.findIndex((line) => line.startsWith('cost of messages'));
  const secondary = lines.findIndex((line) => line.startsWith('cost of waiting'));
  expect(lines[main]).toMatch(/µs +1\.00 +8\.00 +8\.00x +4\.00x to 9\.00x$/);
  expect(secondary).toBeGreaterThan(lines.findIndex((line) => line.startsWith('Secondary')));
  expect(secondary).toBeGreaterThan(main);
});

test('the text says what has to be known to judge it', () => {
  for (const fact of ['abc1234', 'v20.20.2', '--max-semi-space-size=1', 'core 0', '3 per side']) {
    expect(textReport(REPORT)).toContain(fact);
  }
});

test('the Redis of a run is named', () => {
  const withRedis = { ...REPORT, circumstances: { ...REPORT.circumstances, redis: '7.4.1' } };
  expect(textReport(withRedis)).toContain('Redis 7.4.1');
  expect(textReport(REPORT)).not.toContain('Redis');
});

test('a quick run says that its figures mean little', () => {
  const quick = { ...REPORT, circumstances: { ...REPORT.circumstances, isQuick: true } };
  expect(textReport(quick)).toContain('the figures mean little');
  expect(textReport(REPORT)).not.toContain('the figures mean little');
});

test('the Markdown summary has a table and a chart per suite', () => {
  const summary = markdownReport(REPORT);
  expect(summary).toContain('## Delivery');
  expect(summary).toContain('![Delivery](delivery.svg)');
  expect(summary).toContain('| cost of messages | µs | 1.00 | 8.00 | 8.00x | 4.00x to 9.00x |');
});

test('the JSON has every single reading', () => {
  const parsed = JSON.parse(jsonReport(REPORT));
  expect(parsed.version).toBe(1);
  expect(parsed.suites[0].figures[0].stock.samples).toEqual([8, 9, 8]);
});
