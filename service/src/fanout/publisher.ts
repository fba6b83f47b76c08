/** The publishing side of a server as Socket.IO's Redis adapters want it: it never rejects, never queues, and counts what is lost. */
import type { RedisArgument } from '../contracts.ts';
import type { RedisClient } from './redis-clients.ts';

export interface GuardedPublisherDeps {
  client(): RedisClient | undefined;
  /** A message did not reach Redis. */
  onLost(): void;
  onProblem(error: Error): void;
}

/** Named as in ioredis. `nodes` and `isCluster` are what the adapters look at to count servers in a Cluster. */
export interface GuardedPublisher {
  publish(channel: string, payload: string | Buffer): Promise<number>;
  spublish(channel: string, payload: string | Buffer): Promise<number>;
  send_command(
    command: string,
    args: string[],
    done?: (error: Error | null, reply?: unknown) => void,
  ): Promise<unknown>;
  readonly isCluster: boolean;
  nodes(): unknown[];
  on(event: string, listener: unknown): GuardedPublisher;
  off(event: string, listener: unknown): GuardedPublisher;
  /** A command whose failure the caller handles. Rejects while Redis is away. */
  call(command: string, ...args: RedisArgument[]): Promise<unknown>;
  /** Publishes even while it is not known whether Redis answers: that is how one finds out. Rejects on failure. */
  probe(command: 'publish' | 'spublish', channel: string, payload: string): Promise<unknown>;
}

// More than this on the way means that nothing comes back; what is added then only grows the memory.
const MOST_IN_FLIGHT = 20_000;
const MOST_BYTES_IN_FLIGHT = 64 * 1024 * 1024;

export function createGuardedPublisher(deps: GuardedPublisherDeps): GuardedPublisher {
  let inFlight = 0;
  let bytesInFlight = 0;
  // After a failure nothing is sent over this connection but probes, until one of them succeeds: a paused Redis takes bytes for a long time.
  let suspect: RedisClient | undefined;
  const isSuspect = () => suspect !== undefined && suspect === deps.client();

  async function send(command: string, args: readonly RedisArgument[]): Promise<unknown> {
    const client = deps.client();
    if (client === undefined || client.status !== 'ready') throw new Error('Redis is away');
    try {
      const reply = await client.call(command, ...args);
      suspect = undefined;
      return reply;
    } catch (error) {
      // In a Cluster one node says nothing about the others.
      if (!isReplyError(error) && !client.isCluster) suspect = client;
      // A script that Redis does not know yet is sent to it; nothing is wrong.
      if (!(error as Error).message.startsWith('NOSCRIPT')) deps.onProblem(error as Error);
      throw error;
    }
  }

  async function publish(command: string, channel: string, payload: string | Buffer): Promise<number> {
    if (isSuspect() || inFlight >= MOST_IN_FLIGHT || bytesInFlight >= MOST_BYTES_IN_FLIGHT) {
      deps.onLost();
      return 0;
    }
    inFlight++;
    bytesInFlight += payload.length;
    try {
      return Number(await send(command, [channel, payload]));
    } catch {
      // Counted and reported; the next canary tells when it works again.
      deps.onLost();
      return 0;
    } finally {
      inFlight--;
      bytesInFlight -= payload.length;
    }
  }

  const publisher: GuardedPublisher = {
    publish: (channel, payload) => publish('publish', channel, payload),
    spublish: (channel, payload) => publish('spublish', channel, payload),
    async send_command(command, args, done) {
      const reply = send(command, args);
      if (done === undefined) return reply;
      reply.then(
        (value) => done(null, value),
        (error: Error) => done(error),
      );
    },
    get isCluster() {
      return deps.client()?.isCluster ?? false;
    },
    nodes() {
      const client = deps.client();
      return client !== undefined && 'nodes' in client ? client.nodes('master') : [];
    },
    on: () => publisher,
    off: () => publisher,
    async call(command, ...args) {
      if (isSuspect()) throw new Error('Redis does not answer');
      return send(command, args);
    },
    probe: (command, channel, payload) => send(command, [channel, payload]),
  };
  return publisher;
}

/** Redis answered, though with an error: the path is well. */
function isReplyError(error: unknown): boolean {
  return (error as Error | undefined)?.name === 'ReplyError';
}
