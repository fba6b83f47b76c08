import { describe, expect, test } from 'vitest';
import { parseClientArgs } from '../../../src/cli/client-options.ts';

const options = (argv: string[], env: NodeJS.ProcessEnv = {}) => {
  const parsed = parseClientArgs(argv, env);
  if (parsed.kind !== 'run') throw new Error(`not to be run: ${JSON.stringify(parsed)}`);
  return parsed.options;
};
const problem = (argv: string[]) => {
  const parsed = parseClientArgs(argv, {});
  return parsed.kind === 'problem' ? parsed.text : undefined;
};

describe('options of the terminal client', () => {
  test('without any, it goes to the lobby of a server on this machine', () => {
    expect(options([])).toEqual({ url: 'http://localhost:3000', rooms: ['lobby'] });
  });

  test('rooms are repeatable and each is joined once', () => {
    expect(options(['--room', 'a', '--room', 'b', '--room=a']).rooms).toEqual(['a', 'b']);
  });

  test('a token on the command line wins over the variable, and an empty variable is none', () => {
    expect(options(['--token', 'x'], { TOKEN: 'y' }).token).toBe('x');
    expect(options([], { TOKEN: 'y' }).token).toBe('y');
    expect(options([], { TOKEN: '' })).not.toHaveProperty('token');
  });

  test('the default transport leaves the choice to the stock client', () => {
    expect(options(['--transport', 'default'])).not.toHaveProperty('transport');
    expect(options(['--transport', 'polling']).transport).toBe('polling');
  });

  test.each([
    [['--colour'], "Unknown option '--colour'; --help lists the options"],
    [['lobby'], "Unexpected argument 'lobby'"],
    [['--url', 'localhost:3000'], '--url localhost:3000 is no http, https, ws or wss address'],
    [['--url', 'nonsense'], '--url nonsense is no http'],
    [['--transport', 'pigeon'], '--transport pigeon must be polling, websocket or default'],
    [['--room', ''], '--room must not be empty'],
  ])('%j is a problem told in one line', (argv, text) => {
    expect(problem(argv)).toContain(text);
    expect(problem(argv)).not.toContain('\n');
  });

  test('--help is understood, short as well', () => {
    expect(parseClientArgs(['--help'], {})).toEqual({ kind: 'help' });
    expect(parseClientArgs(['-h'], {})).toEqual({ kind: 'help' });
  });
});
