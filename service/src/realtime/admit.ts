/** The gate for new sessions: origin, drain, connections in all and per address, and the brake, in that order. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Metrics } from '../contracts.ts';
import { REFUSALS, type RefusalCode, refusalBody } from '../refusals.ts';
import type { Brake } from './brake.ts';
import { type ClientAddress, forwardedFor, limitKey } from './client-address.ts';

export interface AdmissionOptions {
  readonly origins: readonly string[];
  readonly maxConnections: number;
  readonly sessionsPerAddress: number;
  readonly maxPayloadBytes: number;
}

export interface AdmissionDeps {
  readonly brake: Brake;
  readonly metrics: Pick<Metrics, 'handshake' | 'refused'>;
  readonly addressOf: ClientAddress;
  refusesSessions(): boolean;
  connections(): number;
}

/** A request as Engine.IO prepared it. */
export type EngineRequest = IncomingMessage & { _query?: Record<string, string | undefined> };

export interface Admission {
  /** For `io.engine.use`. Well-formed requests that name a session always pass: Engine.IO knows whether it exists. */
  middleware(req: EngineRequest, res: ServerResponse, next: () => void): void;
  /** A session began; ends its time as an unfinished one when the result is called. Safe to call twice. */
  began(req: IncomingMessage): () => void;
}

export function createAdmission(options: AdmissionOptions, deps: AdmissionDeps): Admission {
  const allowsAll = options.origins.includes('*');
  const origins = new Set(options.origins);
  const unfinished = new Map<string, number>();
  const addressOf = (req: IncomingMessage) => limitKey(deps.addressOf(req.socket.remoteAddress, forwardedFor(req)));

  function refusalFor(req: EngineRequest): RefusalCode | undefined {
    const { origin } = req.headers;
    if (!allowsAll && typeof origin === 'string' && !origins.has(origin)) return 'bad_origin';
    if (deps.refusesSessions()) return 'draining';
    if (deps.connections() >= options.maxConnections) return 'full';
    const limit = options.sessionsPerAddress;
    if (limit > 0 && (unfinished.get(addressOf(req)) ?? 0) >= limit) return 'too_many_sessions';
    if (!deps.brake.admit()) return 'brake';
    return undefined;
  }

  /** What Engine.IO would refuse as well, but without a reason. A body of unknown length is left to it. */
  function problemOf(req: EngineRequest): RefusalCode | undefined {
    if (req.method !== 'GET' && req.method !== 'POST') return 'wrong_method';
    if (Number(req.headers['content-length'] ?? 0) > options.maxPayloadBytes) return 'too_large';
    return undefined;
  }

  return {
    middleware(req, res, next) {
      // Engine.IO takes an empty sid for none: "?sid=" is a new session.
      if (req._query?.sid) {
        const problem = problemOf(req);
        if (problem === undefined) return next();
        deps.metrics.refused(problem);
        // The connection stays: ended now, it would be reset under a client that is still sending, before it reads this.
        return answer(res, problem, {});
      }
      const code = refusalFor(req);
      if (code === undefined) return next();
      deps.metrics.handshake(code);
      deps.metrics.refused(code);
      refuse(res, code);
    },
    began(req) {
      const address = addressOf(req);
      unfinished.set(address, (unfinished.get(address) ?? 0) + 1);
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        const left = (unfinished.get(address) ?? 1) - 1;
        if (left > 0) unfinished.set(address, left);
        else unfinished.delete(address);
      };
    },
  };
}

/** Answers a polling handshake; for an upgrade Engine.IO's stand-in response closes the socket, and the client comes again. */
function refuse(res: ServerResponse, code: RefusalCode): void {
  answer(res, code, { Connection: 'close', ...(REFUSALS[code].retry ? { 'Retry-After': '1' } : {}) });
}

function answer(res: ServerResponse, code: RefusalCode, headers: Record<string, string>): void {
  res.writeHead(REFUSALS[code].status, { 'Content-Type': 'application/json', ...headers });
  res.end(JSON.stringify(refusalBody(code)));
}
