/** Publishes messages to rooms: from clients of the gateway, from the HTTP API and from app modules alike. */
import { randomUUID } from 'node:crypto';
import type { Server } from 'socket.io';
import type { Clock, Meta, Publisher, PublishRequest } from '../contracts.ts';
import type { Idempotency } from './idempotency.ts';
import { roomName } from './room-names.ts';

/** A member of several of the rooms gets the message once, under the first of them that it is in. */
export function createPublisher(io: Server, deps: { idempotency: Idempotency; clock: Clock }): Publisher {
  async function send(request: PublishRequest) {
    const id = randomUUID();
    const ts = deps.clock.wall();
    const earlier: string[] = [...(request.except ?? [])];
    for (const room of new Set(request.rooms)) {
      const meta: Meta = { room, id, ts, ...(request.from === undefined ? {} : { from: request.from }) };
      const target = io.to(roomName(room)).except([...earlier]);
      (request.volatile ? target.volatile : target).emit(request.event ?? 'message', request.data, meta);
      earlier.push(roomName(room));
    }
    return { id, duplicate: false };
  }
  return {
    publish(request) {
      if (request.id === undefined) return send(request);
      return deps.idempotency.once(`${request.scope ?? 'api'}\n${request.id}`, () => send(request));
    },
  };
}
