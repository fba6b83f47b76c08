/** The `token` command: mints a token for trying things out. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { SignJWT } from 'jose';
import { splitSecrets } from '../setting-kinds.ts';

/** Where a command writes and what it knows of its environment. */
export interface TokenIo {
  out(text: string): void;
  err(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const HELP = `socketfleet token --sub <user> [options]
Prints a signed token (HS256), alone on stdout: TOKEN=$(socketfleet token --sub me --rooms 'lobby,team-*')

  --sub <user>          who the token is for
  --rooms <patterns>    rooms it may join and publish to, separated by commas; * matches any run of characters
  --ttl <time>          how long it is valid: 90s, 15m, 1h, 7d (default 1h)
  --iss <text>          issuer (default: SOCKETFLEET_JWT_ISSUER)
  --aud <text>          audience (default: SOCKETFLEET_JWT_AUDIENCE)
  --secret <text>       secret to sign with; visible to others in the list of processes
  --secret-file <file>  file with that secret (default: SOCKETFLEET_JWT_SECRET, then SOCKETFLEET_JWT_SECRET_FILE)
  --help                shows this

Of several secrets the first one signs.
`;

const NO_SECRET = `there is no secret to sign with. Make one and give it to the server and to this command:
  export SOCKETFLEET_JWT_SECRET=$(openssl rand -hex 32)
  export SOCKETFLEET_JWT_SECRET=$(node -p "require('crypto').randomBytes(32).toString('hex')")`;

const MIN_SECRET_BYTES = 32;
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** What is wrong with the command line, as one line for the user. */
class UsageError extends Error {}

/** Runs the command; `argv` is what follows its name. Resolves with the exit code: 0, or 2 when the command line is wrong. */
export async function runToken(argv: readonly string[], io: TokenIo): Promise<number> {
  try {
    const options = parseOptions(argv);
    io.out(options.help ? HELP : `${await mint(options, io)}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.err(`socketfleet token: ${error.message}\n`);
    return 2;
  }
}

type Options = ReturnType<typeof parseOptions>;

function parseOptions(argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        sub: { type: 'string' },
        rooms: { type: 'string', multiple: true },
        ttl: { type: 'string', default: '1h' },
        iss: { type: 'string' },
        aud: { type: 'string' },
        secret: { type: 'string' },
        'secret-file': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return values;
  } catch (cause) {
    // The first sentence says what is wrong; the rest explains Node's parser.
    const [sentence] = (cause as Error).message.split(/\.\s|\.?\n/);
    throw new UsageError(`${sentence}; --help lists the options`, { cause });
  }
}

async function mint(options: Options, io: TokenIo): Promise<string> {
  if (!options.sub) throw new UsageError('--sub is missing: whom is the token for?');
  const seconds = secondsOf(options.ttl);
  const secret = secretOf(options, io.env);
  const rooms = (options.rooms ?? []).flatMap((list) => list.split(',')).map((room) => room.trim());
  const patterns = rooms.filter((room) => room !== '');
  if (patterns.length === 0) io.err('socketfleet token: without --rooms this token allows no room\n');
  const now = Math.floor(Date.now() / 1000);
  const token = new SignJWT({ rooms: patterns })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(options.sub)
    .setIssuedAt(now)
    .setExpirationTime(now + seconds);
  const issuer = options.iss ?? io.env.SOCKETFLEET_JWT_ISSUER;
  const audience = options.aud ?? io.env.SOCKETFLEET_JWT_AUDIENCE;
  if (issuer) token.setIssuer(issuer);
  if (audience) token.setAudience(audience);
  return token.sign(Buffer.from(secret));
}

function secondsOf(text: string): number {
  const match = /^(\d{1,9})([smhd]?)$/.exec(text);
  const seconds = match === null ? 0 : Number(match[1]) * (SECONDS[match[2] || 's'] ?? 0);
  if (seconds === 0) throw new UsageError(`--ttl=${text} must be a time such as 90s, 15m, 1h or 7d`);
  return seconds;
}

function secretOf(options: Options, env: TokenIo['env']): string {
  if (options.secret !== undefined && options['secret-file'] !== undefined) {
    throw new UsageError('--secret and --secret-file are both given; keep one');
  }
  const [secret] = splitSecrets(secretText(options, env));
  if (secret === undefined) throw new UsageError(NO_SECRET);
  if (secret.startsWith('-----BEGIN'))
    throw new UsageError('the secret is a PEM block; HS256 signs with a shared secret');
  if (Buffer.byteLength(secret) < MIN_SECRET_BYTES) {
    throw new UsageError(`the secret has less than ${MIN_SECRET_BYTES} bytes; the server does not take it`);
  }
  return secret;
}

function secretText(options: Options, env: TokenIo['env']): string {
  if (options.secret !== undefined) return options.secret;
  if (options['secret-file'] !== undefined) return contentOf(options['secret-file'], '--secret-file');
  if (env.SOCKETFLEET_JWT_SECRET) return env.SOCKETFLEET_JWT_SECRET;
  const file = env.SOCKETFLEET_JWT_SECRET_FILE;
  return file ? contentOf(file, 'SOCKETFLEET_JWT_SECRET_FILE') : '';
}

function contentOf(file: string, option: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UsageError(`${option}=${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
