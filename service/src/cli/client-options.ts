/** What the terminal client understands on its command line. */
import { parseArgs } from 'node:util';

/** How the terminal client connects and where it speaks. */
export interface ClientOptions {
  readonly url: string;
  /** The first one is where typed lines go. */
  readonly rooms: readonly [string, ...string[]];
  /** Shown to others; absent: the client makes one up, or the token tells who we are. */
  readonly name?: string;
  readonly token?: string;
  /** Absent: what stock clients do, polling first and then WebSocket. */
  readonly transport?: 'polling' | 'websocket';
}

/** What to do with a command line. */
export type ParsedArgs =
  | { readonly kind: 'run'; readonly options: ClientOptions }
  | { readonly kind: 'help' }
  | { readonly kind: 'problem'; readonly text: string };

/** Answer to `/help`. */
export const CLIENT_COMMANDS = `Type a line to say it in the current room, or a command:
  /join room     join a room and speak there
  /leave [room]  leave a room
  /room name     speak in another room that you are in
  /who [room]    who is there
  /me            socket id, pod, transport, rooms
  /ping          time of one round trip
  /quit          leave (so does Ctrl-D)
  //text         say /text
`;

/** Answer to `--help`. */
export const CLIENT_HELP = `A small chat on a stock Socket.IO client, to try a Socketfleet server with.

  npm run client -- [options]

  --url URL          the public port of a server (http://localhost:3000)
  --room ROOM        a room to join; may be given several times (lobby)
  --name NAME        what others see (made up, unless a token says who you are)
  --token TOKEN      for servers with SOCKETFLEET_AUTH=jwt; the variable TOKEN keeps it out of process lists
  --transport KIND   polling, websocket or default (default: polling first, then WebSocket)
  --help             this text

${CLIENT_COMMANDS}
With a pipe for input every line is sent and confirmed: date | npm run client -- --room lobby
Exit code: 0 when everything was accepted, 1 when something was refused or nobody answered, 2 for a wrong option.
`;

/** Parses a command line; a token on it wins over the variable TOKEN. */
export function parseClientArgs(argv: readonly string[], env: NodeJS.ProcessEnv): ParsedArgs {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        url: { type: 'string', default: 'http://localhost:3000' },
        room: { type: 'string', multiple: true, default: ['lobby'] },
        name: { type: 'string' },
        token: { type: 'string' },
        transport: { type: 'string', default: 'default' },
        help: { type: 'boolean', short: 'h', default: false },
      },
      strict: true,
    });
    if (values.help) return { kind: 'help' };
    const [first, ...others] = new Set(values.room);
    if (first === undefined || [first, ...others].includes('')) throw new Error('--room must not be empty');
    const token = values.token || env.TOKEN;
    return {
      kind: 'run',
      options: {
        url: checkedUrl(values.url),
        rooms: [first, ...others],
        ...(values.name ? { name: values.name } : {}),
        ...(token ? { token } : {}),
        ...checkedTransport(values.transport),
      },
    };
  } catch (error) {
    // Node adds advice on positional arguments behind the first sentence; it does not fit here.
    const text = (error as Error).message.split('. ')[0];
    return { kind: 'problem', text: `${text}; --help lists the options` };
  }
}

function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol)) {
    throw new Error(`--url ${text} is no http, https, ws or wss address`);
  }
  return text;
}

function checkedTransport(text: string): Pick<ClientOptions, 'transport'> {
  if (text === 'default') return {};
  if (text === 'polling' || text === 'websocket') return { transport: text };
  throw new Error(`--transport ${text} must be polling, websocket or default`);
}
