import { expect, test } from 'vitest';
import { parseOptions } from '../../../bench/lib/options.ts';

const COMMANDS = { server: ['delivery', 'memory'], redis: ['publish'] };
const parse = (...args: string[]) => parseOptions(args, COMMANDS);

test('without arguments all suites of one server run in full', () => {
  expect(parse()).toEqual({
    command: 'server',
    only: undefined,
    isQuick: false,
    rounds: undefined,
    semiSpaceMb: undefined,
    jsonFile: undefined,
    outFolder: undefined,
    isHelp: false,
  });
});

test('all options are understood', () => {
  const text = '--only memory --quick --rounds 7 --semi-space 1 --json a.json --out b';
  expect(parse(...text.split(' '))).toMatchObject({
    only: 'memory',
    isQuick: true,
    rounds: 7,
    semiSpaceMb: 1,
    jsonFile: 'a.json',
    outFolder: 'b',
  });
});

test('a sub-command chooses its own suites', () => {
  expect(parse('redis', '--only', 'publish')).toMatchObject({ command: 'redis', only: 'publish' });
});

test.each([
  [['nothing'], 'unknown command nothing; there is server, redis'],
  [['server', 'redis'], 'one command at a time'],
  [['redis', '--only', 'memory'], 'redis has publish'],
  [['--rounds', '0'], '--rounds must be'],
  [['--rounds', 'many'], '--rounds must be'],
  [['--semi-space', '1.5'], '--semi-space must be'],
  [['--slow'], '--slow'],
])('%j is refused', (args, text) => {
  expect(() => parse(...args)).toThrow(text);
});
