/** Looks at requests of sessions that exist: what Engine.IO would refuse without a word is refused with a reason, and counted. */
import type { ServerResponse } from 'node:http';
import type { Metrics } from '../contracts.ts';
import { REFUSALS, type RefusalCode, refusalBody } from '../refusals.ts';
import type { EngineRequest } from './admit.ts';

/** For `io.engine.use`. */
export type SessionRequests = (req: EngineRequest, res: ServerResponse, next: () => void) => void;

/** A body without a length is left to Engine.IO, which counts while it reads. */
export function createSessionRequests(
  options: { readonly maxPayloadBytes: number },
  metrics: Pick<Metrics, 'refused'>,
): SessionRequests {
  function problemOf(req: EngineRequest): RefusalCode | undefined {
    if (req.method !== 'GET' && req.method !== 'POST') return 'wrong_method';
    if (Number(req.headers['content-length'] ?? 0) > options.maxPayloadBytes) return 'too_large';
    return undefined;
  }
  return (req, res, next) => {
    const code = req._query?.sid ? problemOf(req) : undefined;
    if (code === undefined) return next();
    metrics.refused(code);
    // The connection stays: ended now, it would be reset under a client that is still sending, before it reads this.
    res.writeHead(REFUSALS[code].status, { 'Content-Type': 'application/json' });
    res.end(JSON.stringify(refusalBody(code)));
  };
}
