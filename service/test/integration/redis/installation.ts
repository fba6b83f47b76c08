import { randomBytes } from 'node:crypto';
import type { Server } from 'socket.io';
import type { Socket } from 'socket.io-client';
import { gateway } from '../../../src/app/gateway.ts';
import type { App, Services } from '../../../src/contracts.ts';
import { ask, connect } from '../../support/connect.ts';
import { eventually } from '../../support/eventually.ts';
import { type StartedServer, startServer } from '../../support/start-server.ts';

export type Mode = 'sharded' | 'classic';
export const MODES: readonly Mode[] = ['sharded', 'classic'];

export interface Node extends StartedServer {
  readonly io: Server;
  readonly services: Services;
  ready(): Promise<boolean>;
  /** What `/readyz?verbose` says about Redis. */
  redis(): Promise<RedisReport>;
}

export interface RedisReport {
  readonly ok?: boolean;
  readonly connected?: boolean;
  readonly degraded?: boolean;
  readonly reason?: string;
}

export interface Place {
  readonly url: string;
  readonly mode?: Mode;
  readonly prefix?: string;
  readonly env?: Record<string, string>;
  /** The gateway unless told otherwise. */
  readonly app?: App;
}

export function newPrefix(): string {
  return `sf-${randomBytes(4).toString('hex')}`;
}

/** One server over Redis; it need not see Redis yet. */
export async function startNode(place: Place): Promise<Node> {
  let io: Server | undefined;
  let services: Services | undefined;
  const app: App = async (ownIo, ownServices) => {
    [io, services] = [ownIo, ownServices];
    await (place.app ?? gateway)(ownIo, ownServices);
  };
  const server = await startServer(
    {
      REDIS_URL: place.url,
      SOCKETFLEET_REDIS_MODE: place.mode ?? 'sharded',
      SOCKETFLEET_REDIS_PREFIX: place.prefix ?? newPrefix(),
      ...place.env,
    },
    app,
  );
  if (io === undefined || services === undefined) throw new Error('the app was not called');
  return {
    ...server,
    io,
    services,
    ready: async () => (await fetch(`${server.internalUrl}/readyz`)).ok,
    async redis() {
      const report = (await (await fetch(`${server.internalUrl}/readyz?verbose`)).json()) as {
        checks: { redis: RedisReport };
      };
      return report.checks.redis;
    },
  };
}

/** Resolves when the server sees Redis. */
export async function seesRedis(node: Node, ms = 10_000): Promise<void> {
  await eventually(async () => (await node.metric('socketfleet_redis_up')) === 1, 'Redis seen', ms);
}

/** Two servers of one installation that see Redis. */
export async function startPair(place: Place): Promise<[Node, Node]> {
  const whole = { ...place, prefix: place.prefix ?? newPrefix() };
  const pair = await Promise.all([startNode(whole), startNode(whole)]);
  await Promise.all(pair.map((node) => seesRedis(node)));
  return pair;
}

/** Resolves when each of two servers has the other's lease in its table. */
export async function knowEachOther(pair: readonly Node[]): Promise<void> {
  await eventually(async () => {
    const servers = await Promise.all(pair.map((node) => node.metric('socketfleet_servers')));
    return servers.every((count) => count === 2);
  }, 'two servers that know each other');
}

/** A client of the gateway that is in these rooms. */
export async function member(node: Node, ...rooms: string[]): Promise<Socket> {
  const socket = await connect(node.url, { transports: ['websocket'] });
  if (rooms.length > 0) {
    const answer = await ask(socket, 'join', rooms);
    if (!answer.ok) throw new Error(`not joined: ${JSON.stringify(answer)}`);
  }
  return socket;
}

/** Publishes over the HTTP API and says what became of it. */
export async function publish(node: Node, room: string, data: unknown, more: object = {}): Promise<number> {
  return (await node.api('POST', '/api/v1/publish', { room, data, ...more })).status;
}

/** Publishes from one server until a member on another has it; resolves with how long that took. */
export async function delivered(from: Node, to: Socket, room: string, ms = 10_000): Promise<number> {
  const mark = randomBytes(6).toString('hex');
  const start = performance.now();
  let isThere = false;
  const hear = (data: unknown) => {
    isThere ||= data === mark;
  };
  to.on('message', hear);
  try {
    await eventually(
      async () => {
        await from.services.publish({ rooms: [room], data: mark });
        return isThere;
      },
      `a message to ${room}`,
      ms,
    );
  } finally {
    to.off('message', hear);
  }
  return performance.now() - start;
}
