/** Publishes messages to rooms: from clients of the gateway, from the HTTP API and from app modules alike. */
import { randomUUID } from 'node:crypto';
import type { Server } from 'socket.io';
import type { Clock, Meta, Metrics, Publisher, PublishRequest, PublishResult } from '../contracts.ts';
import type { Idempotency } from './idempotency.ts';
import { roomName } from './room-names.ts';

export interface PublisherDeps {
  readonly idempotency: Idempotency;
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, 'published'>;
  /** False while messages stay on this server although there may be others. */
  reachesOthers(): boolean;
  /** Claims a key for an id among all servers; resolves with the id under which it was published before. Never rejects. */
  claim(key: string, id: string): Promise<string | undefined>;
  /** Gives a claimed key back, because nothing was sent. Never rejects. */
  unclaim(key: string, id: string): Promise<void>;
}

/** A member of several of the rooms gets the message once, under the first of them that it is in. */
export function createPublisher(io: Server, deps: PublisherDeps): Publisher {
  /** The latest publish of each lane that is still on its way. */
  const lanes = new Map<string, Promise<void>>();

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

  /** Sends what was published first, first: a claim takes a while, and what needs none must not overtake it. */
  function inOrder(request: PublishRequest, claim: Promise<unknown>, run: () => PublishResult): Promise<PublishResult> {
    const lane = laneOf(request);
    const result = Promise.all([claim, lanes.get(lane)]).then(run);
    const tail = result.then(
      () => undefined,
      () => undefined,
    );
    lanes.set(lane, tail);
    void tail.then(() => {
      if (lanes.get(lane) === tail) lanes.delete(lane);
    });
    return result;
  }

  async function sendOnce(request: PublishRequest, key: string): Promise<PublishResult> {
    const id = randomUUID();
    let earlier: string | undefined;
    const claim = deps.claim(key, id).then((found) => {
      earlier = found;
    });
    const run = () => (earlier === undefined ? send(request, id) : { id: earlier, duplicate: true });
    try {
      return await inOrder(request, claim, run);
    } catch (error) {
      await deps.unclaim(key, id);
      throw error;
    }
  }

  async function publish(request: PublishRequest): Promise<PublishResult> {
    if (request.id !== undefined) {
      const key = `${laneOf(request)}\n${request.id}`;
      return deps.idempotency.once(key, () => sendOnce(request, key));
    }
    const run = () => send(request, randomUUID());
    return lanes.has(laneOf(request)) ? inOrder(request, Promise.resolve(), run) : run();
  }

  return {
    async publish(request) {
      const result = await publish(request);
      // The HTTP API counts its own, refused ones included.
      if (request.scope !== undefined) deps.metrics.published('socket', result.duplicate ? 'duplicate' : 'sent');
      return result;
    },
  };
}

/** Who publishes: keys and order are theirs alone. */
function laneOf(request: PublishRequest): string {
  return request.scope ?? 'api';
}
