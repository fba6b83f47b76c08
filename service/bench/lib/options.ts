/** The command line of the bench. */
import { parseArgs } from 'node:util';

/** What a run is asked to do. */
export interface Options {
  readonly command: string;
  readonly only: string | undefined;
  readonly isQuick: boolean;
  readonly rounds: number | undefined;
  /** `--max-semi-space-size` of both sides, in MB; undefined leaves V8's default. */
  readonly semiSpaceMb: number | undefined;
  readonly jsonFile: string | undefined;
  readonly outFolder: string | undefined;
  readonly isHelp: boolean;
}

/** Suites by sub-command. */
export type Commands = Readonly<Record<string, readonly string[]>>;

/** The command line cannot be understood; the text says why. */
export class UsageError extends Error {}

export const USAGE = `npm run bench -- [command] [options]

Measures Socketfleet beside a bare stock Socket.IO server, in turns and in the same run.

commands
  server (default)   delivery, memory and connect of one server
  redis              latency, bystander and publish of servers that share a Redis, beside Socket.IO's own adapters

options
  --only <suite>     one suite of the command, for instance: delivery
  --quick            little work, to see that everything runs; the figures mean little
  --rounds <n>       rounds per side; medians are taken over them
  --semi-space <MB>  runs both sides with V8's --max-semi-space-size
  --json <file>      writes everything that was measured
  --out <folder>     writes summary.md and one chart (SVG) per suite
  --help             shows this

The exit code is 1 when a message or a client was missing, 2 when the command line is wrong.`;

/** Reads the arguments. Throws a {@link UsageError}. */
export function parseOptions(args: readonly string[], commands: Commands): Options {
  const { values, positionals } = parse(args);
  const [command = 'server', ...more] = positionals;
  const suites = commands[command];
  if (suites === undefined) throw new UsageError(`unknown command ${command}; there is ${list(Object.keys(commands))}`);
  if (more.length > 0) throw new UsageError(`one command at a time: ${positionals.join(' ')}`);
  if (values.only !== undefined && !suites.includes(values.only)) {
    throw new UsageError(`--only ${values.only}: ${command} has ${list(suites)}`);
  }
  return {
    command,
    only: values.only,
    isQuick: values.quick === true,
    rounds: count('--rounds', values.rounds),
    semiSpaceMb: count('--semi-space', values['semi-space']),
    jsonFile: values.json,
    outFolder: values.out,
    isHelp: values.help === true,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        only: { type: 'string' },
        quick: { type: 'boolean' },
        rounds: { type: 'string' },
        'semi-space': { type: 'string' },
        json: { type: 'string' },
        out: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function count(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new UsageError(`${option} must be a whole number above 0`);
  return value;
}

function list(names: readonly string[]): string {
  return names.join(', ');
}
