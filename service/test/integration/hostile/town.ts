import type { Socket } from 'socket.io-client';
import { expect } from 'vitest';
import { gateway } from '../../../src/app/gateway.ts';
import type { App } from '../../../src/contracts.ts';
import { ask, connect, next } from '../../support/connect.ts';
import { expectNoFaults } from '../../support/expect-no-faults.ts';
import { type StartedServer, startServer } from '../../support/start-server.ts';

export interface Town extends StartedServer {
  /** A well-behaved member of the room `town`. */
  readonly bystander: Socket;
  /** Publishes to the room and expects the bystander to hear it, and the log to hold no errors. */
  expectPeace(): Promise<void>;
}

/** A gateway with one well-behaved member, in a process that must not fault; `more` adds handlers to the gateway's. */
export async function startTown(env: Record<string, string> = {}, more?: App): Promise<Town> {
  expectNoFaults();
  const server = await startServer(env, async (io, services) => {
    await gateway(io, services);
    await more?.(io, services);
  });
  const bystander = await connect(server.url, { transports: ['websocket'], ...authOf(env) });
  await ask(bystander, 'join', 'town');
  return {
    ...server,
    bystander,
    async expectPeace() {
      const heard = next(bystander, 'message');
      const { status } = await server.api('POST', '/api/v1/publish', { room: 'town', data: 'all is well' });
      expect(status).toBe(200);
      expect((await heard)[0]).toBe('all is well');
      expect(server.lines.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
    },
  };
}

/** The bystander's token, where tokens are asked for. */
function authOf(env: Record<string, string>): { auth?: { token: string } } {
  const token = env.BYSTANDER_TOKEN;
  delete env.BYSTANDER_TOKEN;
  return token === undefined ? {} : { auth: { token } };
}
