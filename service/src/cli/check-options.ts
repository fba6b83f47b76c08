/** What the `check` command understands on its command line and takes from its environment. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { splitSecrets } from '../setting-kinds.ts';

export const CHECK_NAMES = ['affinity', 'broadcast', 'redis', 'readiness', 'publish'] as const;
export type CheckName = (typeof CHECK_NAMES)[number];

export interface CheckOptions {
  readonly names: readonly CheckName[];
  readonly url: string;
  readonly api: string;
  readonly servers: string;
  readonly port: number;
  readonly internalPort: number;
}

export const CHECK_HELP = `socketfleet check <${CHECK_NAMES.join('|')}|all>... [options]
Looks at a running installation from outside, with stock clients. "helm test" runs it in the cluster.

  affinity    20 clients begin with polling and upgrade
  broadcast   a client of one server hears a client of another
  redis       every server reaches Redis
  readiness   probes, report and metric agree, and who is ready takes clients
  publish     a client hears what a backend publishes over HTTP

  --url URL            where clients come (http://localhost:3000)
  --api URL            where backends publish (http://localhost:9464)
  --servers NAME       a name that resolves to every server (localhost)
  --port N             their public port (3000)
  --internal-port N    their internal port (9464)
  --help               this text

SOCKETFLEET_API_KEY(_FILE) is the key of the HTTP API; without it the API is expected to be off.
SOCKETFLEET_JWT_SECRET(_FILE) signs a token, SOCKETFLEET_TOKEN_FILE has one; without both servers are expected to ask
for none.
Exit code: 0 when all passed, 1 when one failed, 2 for a wrong option.
`;

/** What is wrong with the command line, as one line for the user. */
export class CheckUsageError extends Error {}

/** Parses a command line; undefined when help is wanted. Throws a {@link CheckUsageError}. */
export function parseCheckArgs(argv: readonly string[]): CheckOptions | undefined {
  const { values, positionals } = parse(argv);
  if (values.help) return undefined;
  if (positionals.length === 0) throw new CheckUsageError(`check what? ${CHECK_NAMES.join(', ')} or all`);
  return {
    names: positionals.flatMap((name) => (name === 'all' ? CHECK_NAMES : [nameOf(name)])),
    url: urlOf(values.url, '--url'),
    api: urlOf(values.api, '--api'),
    servers: values.servers,
    port: portOf(values.port, '--port'),
    internalPort: portOf(values['internal-port'], '--internal-port'),
  };
}

/** First value of a secret: the variable, else the file that NAME_FILE names. Throws a {@link CheckUsageError}. */
export function secretFrom(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const file = env[`${name}_FILE`];
  if (env[name] || !file) return splitSecrets(env[name] ?? '')[0];
  try {
    return splitSecrets(readFileSync(file, 'utf8'))[0];
  } catch (cause) {
    throw new CheckUsageError(`${name}_FILE=${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        url: { type: 'string', default: 'http://localhost:3000' },
        api: { type: 'string', default: 'http://localhost:9464' },
        servers: { type: 'string', default: 'localhost' },
        port: { type: 'string', default: '3000' },
        'internal-port': { type: 'string', default: '9464' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (cause) {
    const [sentence] = (cause as Error).message.split(/\.\s|\.?\n/);
    throw new CheckUsageError(`${sentence}; --help lists the options`, { cause });
  }
}

function nameOf(name: string): CheckName {
  const known = CHECK_NAMES.find((candidate) => candidate === name);
  if (known === undefined) throw new CheckUsageError(`there is no check ${name}; there are ${CHECK_NAMES.join(', ')}`);
  return known;
}

function urlOf(text: string, option: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text)) {
    throw new CheckUsageError(`${option}=${text} must be a URL that starts with http:// or https://`);
  }
  return text.replace(/\/+$/, '');
}

function portOf(text: string, option: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new CheckUsageError(`${option}=${text} must be a port`);
  return port;
}
