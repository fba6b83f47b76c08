import { EventEmitter } from 'node:events';
import type { RedisClient } from '../../../src/fanout/redis-clients.ts';

/** A command that waits for its answer. */
export interface Sent {
  readonly command: string;
  readonly args: readonly unknown[];
  resolve(reply?: unknown): void;
  reject(error: Error): void;
}

/** A Redis connection that a test leads by hand. */
export class FakeClient extends EventEmitter {
  status = 'wait';
  readonly isCluster: boolean;
  readonly sent: Sent[] = [];
  /** Answers what is sent from now on; undefined keeps it waiting. */
  answer: ((command: string, args: readonly unknown[]) => unknown) | undefined;
  isDisconnected = false;

  constructor({ isCluster = false } = {}) {
    super();
    this.isCluster = isCluster;
  }

  connect(): Promise<void> {
    this.status = 'connecting';
    return new Promise(() => undefined);
  }

  disconnect(): void {
    this.isDisconnected = true;
    this.end();
  }

  ready(): void {
    this.status = 'ready';
    this.emit('ready');
  }

  end(): void {
    this.status = 'end';
    this.emit('end');
  }

  fail(message: string): void {
    this.emit('error', new Error(message));
  }

  call(command: string, ...args: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.sent.push({ command, args, resolve, reject });
      const reply = this.answer?.(command, args);
      if (reply instanceof Error) reject(reply);
      else if (reply !== undefined) resolve(reply);
    });
  }

  subscribe = (...names: string[]) => this.call('subscribe', ...names);
  unsubscribe = (...names: string[]) => this.call('unsubscribe', ...names);
  psubscribe = (...names: string[]) => this.call('psubscribe', ...names);
  punsubscribe = (...names: string[]) => this.call('punsubscribe', ...names);
  ssubscribe = (...names: string[]) => this.call('ssubscribe', ...names);
  sunsubscribe = (...names: string[]) => this.call('sunsubscribe', ...names);

  /** What was sent, as texts. */
  said(): string[] {
    return this.sent.map(({ command, args }) => [command, ...args].join(' '));
  }

  asClient(): RedisClient {
    return this as unknown as RedisClient;
  }
}

/** An error as Redis answers it. */
export function replyError(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' });
}

/** Lets everything that is due in this turn and the next happen. */
export async function turn(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}
