/** Stock clients for checks: they come once, and say why when they cannot. */
import { setTimeout as delay } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import type { CheckContext } from './check-context.ts';
import { connectProblem } from './client-problems.ts';

export interface Comer {
  readonly socket: Socket;
  /** Asks and resolves with the acknowledgement; rejects when there is none or when it is a refusal. */
  ask(event: string, ...args: readonly unknown[]): Promise<Record<string, unknown>>;
  /** Resolves with the first `message` from now on. */
  next(): Promise<unknown>;
  leave(): void;
}

export type Path = 'polling first' | 'websocket';

const BUSY_STATUS = 503;
const COME_BACK_MS = 250;

/** Connects a client; one that finds the brake on comes again, as any stock client does. Rejects with the reason. */
export async function come(url: string, path: Path, context: CheckContext): Promise<Comer> {
  const end = performance.now() + context.patienceMs;
  for (;;) {
    try {
      return await comeOnce(url, path, context);
    } catch (error) {
      const { description } = ((error as Error).cause ?? {}) as { description?: unknown };
      // Only this answer: a 400 is what a broken affinity gives.
      if (description !== BUSY_STATUS || performance.now() > end) throw error;
      await delay(COME_BACK_MS);
    }
  }
}

async function comeOnce(url: string, path: Path, context: CheckContext): Promise<Comer> {
  const socket = io(url, {
    forceNew: true,
    reconnection: false,
    timeout: context.patienceMs,
    // Outside a browser this is what keeps the cookie of an ingress.
    withCredentials: true,
    transports: path === 'websocket' ? ['websocket'] : ['polling', 'websocket'],
    auth: context.token === undefined ? {} : { token: context.token },
  });
  const comer: Comer = {
    socket,
    async ask(event, ...args) {
      const answer = (await socket.timeout(context.patienceMs).emitWithAck(event, ...args)) as Record<string, unknown>;
      if (answer.ok !== true) throw new Error(`${event} was refused: ${answer.code}: ${answer.message}`);
      return answer;
    },
    next: () => within(context.patienceMs, 'no message came', (done) => socket.once('message', done)),
    leave: () => void socket.disconnect(),
  };
  try {
    await within(context.patienceMs, `no answer from ${url}`, (done, fail) => {
      socket.once('connect', () => done(undefined));
      socket.once('connect_error', (error) => fail(new Error(reasonOf(error, url, context), { cause: error })));
    });
    return comer;
  } catch (error) {
    comer.leave();
    throw error;
  }
}

/** Resolves once a client that began with polling speaks over WebSocket. Rejects with what became of the attempt. */
export function upgraded(comer: Comer, ms: number): Promise<void> {
  const { engine } = comer.socket.io;
  let problem = 'the client stayed with polling';
  if (engine.transport.name === 'websocket') return Promise.resolve();
  return within(
    ms,
    () => problem,
    (done, fail) => {
      engine.once('upgrade', () => done(undefined));
      engine.once('upgradeError', (error) => {
        problem = `the upgrade failed: ${error.message}`;
      });
      comer.socket.once('disconnect', (reason) => fail(new Error(`disconnected before the upgrade: ${reason}`)));
    },
  );
}

function reasonOf(error: Error, url: string, context: CheckContext): string {
  const isRetried = !('data' in error);
  return connectProblem(error, { url, hasToken: context.token !== undefined, isRetried, wasConnected: false }).text;
}

function within<T>(
  ms: number,
  problem: string | (() => string),
  start: (done: (value: T) => void, fail: (error: Error) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const text = () => (typeof problem === 'string' ? `${problem} within ${ms / 1000} s` : problem());
    const timer = setTimeout(() => reject(new Error(text())), ms);
    start(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
