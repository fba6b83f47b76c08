/** Why a connection does not come about or went away, in one line that says what to do. Pure. */
import { REFUSALS } from '../refusals.ts';

/** One line for a person, and whether trying again is pointless. */
export interface ConnectProblem {
  readonly text: string;
  readonly isFinal: boolean;
}

/** What a failed attempt is judged by. */
export interface Attempt {
  readonly url: string;
  readonly hasToken: boolean;
  /** The stock client goes on by itself. It does not when a middleware refused it. */
  readonly isRetried: boolean;
  /** Whether this client was connected before: then the address is right and patience helps. */
  readonly wasConnected: boolean;
}

/** Words a `connect_error` of the stock client. */
export function connectProblem(error: Error, attempt: Attempt): ConnectProblem {
  if (!attempt.isRetried) return { text: `refused: ${refusalText(error)}${remedy(error, attempt)}`, isFinal: true };
  const { reason, isFinal } = transportProblem(error);
  const text = `cannot connect to ${attempt.url}: ${reason}`;
  if (attempt.wasConnected || !isFinal) return { text: `${text}; trying again`, isFinal: false };
  return { text, isFinal: true };
}

/** Words a `disconnect` of the stock client; `details` are its second argument. */
export function disconnectReason(reason: string, details: unknown): string {
  const context = field(details, 'context');
  const code = field(context, 'code');
  const known = Object.values(REFUSALS).find((refusal) => 'close' in refusal && refusal.close === code);
  if (known !== undefined) return `${reason} (${code}: ${known.message})`;
  return typeof code === 'number' && code !== 1005 && code !== 1006 ? `${reason} (${code})` : reason;
}

function refusalText(error: Error): string {
  const data = field(error, 'data');
  const [code, message] = [field(data, 'code'), field(data, 'message')];
  return typeof code === 'string' && typeof message === 'string' ? `${code}: ${message}` : error.message;
}

function remedy(error: Error, { hasToken }: Attempt): string {
  const code = field(field(error, 'data'), 'code');
  const mint = "npm run token -- --sub me --rooms 'lobby' mints one";
  if (code === 'unauthorized' && !hasToken) return `. Give one with --token or the variable TOKEN; ${mint}`;
  if (code === 'unauthorized') return `. Is it for this server? ${mint}`;
  if (code === 'token_expired') return `. ${mint}`;
  return '';
}

const CODES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there. npm start runs a server',
  ENOTFOUND: 'no such host',
  ECONNRESET: 'the connection was cut',
};

function transportProblem(error: Error): { reason: string; isFinal: boolean } {
  const description = field(error, 'description');
  const context = field(error, 'context');
  // Polling tells by its request, WebSocket by an event that carries ws's error.
  const inner = field(context, 'statusText') ?? field(description, 'error');
  const status = httpStatus(description);
  if (status !== undefined) return statusProblem(status, field(context, 'responseText'));
  const code = field(inner, 'code');
  if (typeof code === 'string') {
    const text = CODES[code];
    return { reason: text ?? messageOf(inner, code), isFinal: code !== 'ECONNRESET' && code !== 'ETIMEDOUT' };
  }
  return { reason: messageOf(description, error.message), isFinal: false };
}

function httpStatus(description: unknown): number | undefined {
  if (typeof description === 'number') return description >= 100 ? description : undefined;
  const match = /Unexpected server response: (\d{3})/.exec(messageOf(description, ''));
  return match === null ? undefined : Number(match[1]);
}

function statusProblem(status: number, body: unknown): { reason: string; isFinal: boolean } {
  const isBusy = status === 503 || status === 429 || status === 502 || status === 504;
  const message = field(parsed(body), 'message');
  if (typeof message === 'string') return { reason: `HTTP ${status}, ${message}`, isFinal: !isBusy };
  if (isBusy) return { reason: `HTTP ${status}, not ready or busy`, isFinal: false };
  return { reason: `HTTP ${status}. Is this the public port of a Socket.IO server?`, isFinal: true };
}

function parsed(body: unknown): unknown {
  try {
    return typeof body === 'string' ? JSON.parse(body) : undefined;
  } catch {
    // A proxy's own page; the status says enough.
    return undefined;
  }
}

function messageOf(value: unknown, otherwise: string): string {
  const message = field(value, 'message');
  return typeof message === 'string' && message !== '' ? message : otherwise;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
