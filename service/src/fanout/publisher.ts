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

export function createGuardedPublisher(deps: GuardedPublisherDeps): GuardedPublisher {
  let inFlight = 0;
  // After a failure nothing is sent but probes, until one of them succeeds: a paused Redis takes bytes for a long time.
  let isSuspect = false;

  async function send(command: string, args: readonly RedisArgument[]): Promise<unknown> {
    const client = deps.client();
    if (client === undefined || client.status !== 'ready') throw new Error('Redis is away');
    inFlight++;
    try {
      const reply = await client.call(command, ...args);
      isSuspect = false;
      return reply;
    } catch (error) {
      if (!isReplyError(error)) isSuspect = true;
      // A script that Redis does not know yet is sent to it; nothing is wrong.
      if (!(error as Error).message.startsWith('NOSCRIPT')) deps.onProblem(error as Error);
      throw error;
    } finally {
      inFlight--;
    }
  }

  async function publish(command: string, channel: string, payload: string | Buffer): Promise<number> {
    if (isSuspect || inFlight >= MOST_IN_FLIGHT) {
      deps.onLost();
      return 0;
    }
    try {
      return Number(await send(command, [channel, payload]));
    } catch {
      // Counted and reported; the next canary tells when it works again.
      deps.onLost();
      return 0;
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
      if (isSuspect) throw new Error('Redis does not answer');
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
