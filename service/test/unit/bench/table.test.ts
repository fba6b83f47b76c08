import { expect, test } from 'vitest';
import { type Column, markdownTable, shortNumber, textTable } from '../../../bench/lib/table.ts';

const COLUMNS: readonly Column[] = [
  { title: 'what', align: 'left' },
  { title: 'µs', align: 'right' },
];

test('a text table aligns text left and numbers right', () => {
  expect(
    textTable(COLUMNS, [
      ['delivery', '7.01'],
      ['connect', '1,234'],
    ]).split('\n'),
  ).toEqual(['what         µs', '--------  -----', 'delivery   7.01', 'connect   1,234']);
});

test('a text table without rows is its heading', () => {
  expect(textTable(COLUMNS, [])).toBe('what  µs\n----  --');
});

test('a Markdown table says which columns are numbers and keeps bars out of its cells', () => {
  expect(markdownTable(COLUMNS, [['a|b', '1']]).split('\n')).toEqual([
    '| what | µs |',
    '| --- | ---: |',
    '| a\\|b | 1 |',
  ]);
});

test('numbers are shown with about three digits', () => {
  expect([0.894, 7.006, 12.34, 123.4, 1234.5, Number.NaN].map(shortNumber)).toEqual([
    '0.89',
    '7.01',
    '12.3',
    '123',
    '1,235',
    'n/a',
  ]);
});
