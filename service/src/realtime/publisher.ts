/** Publishes messages to rooms: from clients of the gateway, from the HTTP API and from app modules alike. */
import { randomUUID } from 'node:crypto';
import type { Server } from 'socket.io';
import type { Clock, Meta, Publisher, PublishRequest, PublishResult } from '../contracts.ts';
import type { Idempotency } from './idempotency.ts';
import { roomName } from './room-names.ts';

export interface PublisherDeps {
  readonly idempotency: Idempotency;
  readonly clock: Clock;
  /** False while messages stay on this server although there may be others. */
  reachesOthers(): boolean;
  /** Claims a key for an id among all servers; resolves with the id under which it was published before. Never rejects. */
  claim(key: string, id: string): Promise<string | undefined>;
  /** Gives a claimed key back, because nothing was sent. Never rejects. */
  unclaim(key: string, id: string): Promise<void>;
}

/** A member of several of the rooms gets the message once, under the first of them that it is in. */
export function createPublisher(io: Server, deps: PublisherDeps): Publisher {
  function send(request: PublishRequest, id: string): PublishResult {
    const ts = deps.clock.wall();
    const earlier: string[] = [...(request.except ?? [])];
    for (const room of new Set(request.rooms)) {
      const meta: Meta = { room, id, ts, ...(request.from === undefined ? {} : { from: request.from }) };
      const target = io.to(roomName(room)).except([...earlier]);
      (request.volatile ? target.volatile : target).emit(request.event ?? 'message', request.data, meta);
      earlier.push(roomName(room));
    }
    return deps.reachesOthers() ? { id, duplicate: false } : { id, duplicate: false, partial: true };
  }

  async function sendOnce(request: PublishRequest, key: string): Promise<PublishResult> {
    const id = randomUUID();
    const earlier = await deps.claim(key, id);
    if (earlier !== undefined) return { id: earlier, duplicate: true };
    try {
      return send(request, id);
    } catch (error) {
      await deps.unclaim(key, id);
      throw error;
    }
  }

  return {
    async publish(request) {
      if (request.id === undefined) return send(request, randomUUID());
      const key = `${request.scope ?? 'api'}\n${request.id}`;
      return deps.idempotency.once(key, () => sendOnce(request, key));
    },
  };
}
