/** HTTP responses that have been written and not yet taken: nothing in Node ends one that its client never reads. */
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../contracts.ts';
import type { EngineRequest } from './admit.ts';

export interface UnreadResponses {
  /** Cuts what has waited too long; tells what waits, in bytes, by Engine.IO session (`''` for none). */
  sweep(): ReadonlyMap<string, number>;
  /** Cuts what waits for a session. */
  cut(sid: string): void;
}

interface Entry {
  readonly req: IncomingMessage;
  endedAt?: number;
}

/** Watches all responses of `http`, after those who listen already. */
export function watchResponses(
  http: Pick<HttpServer, 'on'>,
  { responseTimeoutMs }: { readonly responseTimeoutMs: number },
  clock: Pick<Clock, 'now'>,
): UnreadResponses {
  const entries = new Map<ServerResponse, Entry>();

  http.on('request', (req: IncomingMessage, res: ServerResponse) => {
    if (res.writableFinished) return;
    entries.set(res, { req });
    res.once('close', () => entries.delete(res));
  });

  return {
    sweep() {
      const waiting = new Map<string, number>();
      for (const [res, entry] of entries) {
        // A poll that waits for the server is not late.
        if (!res.writableEnded || res.writableFinished) continue;
        entry.endedAt ??= clock.now();
        if (clock.now() - entry.endedAt >= responseTimeoutMs) entry.req.socket.destroy();
        else waiting.set(sidOf(entry.req), (waiting.get(sidOf(entry.req)) ?? 0) + res.writableLength);
      }
      return waiting;
    },
    cut(sid) {
      for (const [res, { req }] of entries) if (res.writableEnded && sidOf(req) === sid) req.socket.destroy();
    },
  };
}

function sidOf(req: IncomingMessage): string {
  return (req as EngineRequest)._query?.sid ?? '';
}
