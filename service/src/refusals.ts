/**
 * Every reason for which the service says no: to a handshake, to a connection, to an event or to an API call.
 * Plain data: the one table behind acks, HTTP errors, close frames, metrics labels and the reference in the README.
 */

/** One reason. `status` is the HTTP status, `close` the WebSocket close code; `retry` says whether the same request may succeed later. */
export interface Refusal {
  readonly message: string;
  readonly retry: boolean;
  readonly status: number;
  readonly close?: number;
}

export const REFUSALS = {
  bad_request: { message: 'the request has the wrong shape', retry: false, status: 400 },
  bad_room: { message: 'room names are 1 to 128 printable characters', retry: false, status: 400 },
  bad_event: {
    message: 'event names are 1 to 64 printable characters without spaces around them, and some are reserved',
    retry: false,
    status: 400,
  },
  unauthorized: { message: 'the token or key is missing or not valid', retry: false, status: 401 },
  token_expired: {
    message: 'the token has expired; come back with a fresh one',
    retry: true,
    status: 401,
    close: 4401,
  },
  forbidden: { message: 'the token does not allow this room', retry: false, status: 403 },
  bad_origin: { message: 'this origin is not allowed', retry: false, status: 403 },
  not_found: { message: 'there is no such thing here', retry: false, status: 404 },
  wrong_method: { message: 'this path does not take this method', retry: false, status: 405 },
  too_large: { message: 'the body or message is too large', retry: false, status: 413, close: 1009 },
  too_many_rooms: { message: 'this socket is in as many rooms as it may be', retry: false, status: 409 },
  too_many_namespaces: {
    message: 'this connection is in as many namespaces as it may be',
    retry: false,
    status: 409,
  },
  rate_limited: { message: 'too many messages; slow down', retry: true, status: 429, close: 4429 },
  too_many_sessions: { message: 'too many unfinished sessions from this address', retry: true, status: 503 },
  brake: { message: 'too many new connections at once; come back soon', retry: true, status: 503 },
  full: { message: 'this server holds as many connections as it may', retry: true, status: 503 },
  draining: {
    message: 'this server is stopping; come back, another one will answer',
    retry: true,
    status: 503,
    close: 1012,
  },
  slow_reader: { message: 'the client does not read what is sent to it', retry: true, status: 503, close: 4408 },
  unavailable: { message: 'this cannot be done at the moment', retry: true, status: 503, close: 1013 },
  internal: { message: 'the server made a mistake; it was logged', retry: false, status: 500 },
} as const satisfies Record<string, Refusal>;

/** Closed list of refusal codes. */
export type RefusalCode = keyof typeof REFUSALS;

/** What a refused client sees: in an ack, as a JSON body, or in a `connect_error`. */
export interface RefusalBody {
  readonly ok: false;
  readonly code: RefusalCode;
  readonly message: string;
  readonly retry: boolean;
}

/** The answer for a code; `detail` names the problem, for instance the field. */
export function refusalBody(code: RefusalCode, detail?: string): RefusalBody {
  const { message, retry } = REFUSALS[code];
  return { ok: false, code, message: detail === undefined ? message : `${message}: ${detail}`, retry };
}

/** A refusal as an error, to be thrown across a function that may also fail otherwise. Shows no stack to clients. */
export class Refused extends Error {
  readonly refusal: RefusalCode;
  /** Socket.IO sends this with `connect_error`. */
  readonly data: RefusalBody;
  constructor(code: RefusalCode, detail?: string) {
    const body = refusalBody(code, detail);
    super(body.message);
    this.name = 'Refused';
    this.refusal = code;
    this.data = body;
  }
}
