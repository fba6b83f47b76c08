/** Typed questions and answers over the IPC channel between the bench and its child processes. */
import type { ChildProcess } from 'node:child_process';

/** What one side answers: name of a call -> what is asked and what comes back. */
export type Calls<T> = { readonly [K in keyof T]: { readonly ask: unknown; readonly answer: unknown } };

/** One function per call. */
export type Handlers<T extends Calls<T>> = {
  readonly [K in keyof T]: (ask: T[K]['ask']) => T[K]['answer'] | Promise<T[K]['answer']>;
};

/** The asking side. */
export interface Caller<T extends Calls<T>> {
  /** Rejects with the other side's error, when it ends first, or after `deadlineMs`. */
  call<K extends keyof T & string>(name: K, ask: T[K]['ask'], deadlineMs?: number): Promise<T[K]['answer']>;
  /** Calls whenever the other side reports something by itself, until the returned function is called. */
  onNotice(listener: () => void): () => void;
  /** Tells without waiting for an answer. */
  notify(notice: 'turn'): void;
}

interface Message {
  readonly id?: number;
  readonly name?: string;
  readonly ask?: unknown;
  readonly answer?: unknown;
  readonly error?: string;
  readonly notice?: 'turn';
}

interface Pending {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

const DEADLINE_MS = 120_000;

/** Asks a child process that answers with {@link serveCalls}. */
export function createCaller<T extends Calls<T>>(child: ChildProcess, label: string): Caller<T> {
  const pending = new Map<number, Pending>();
  const listeners = new Set<() => void>();
  let lastId = 0;
  let ended: Error | undefined;
  child.on('message', (message: Message) => {
    if (message.notice !== undefined) for (const listener of listeners) listener();
    const waiting = pending.get(message.id ?? 0);
    if (waiting === undefined) return;
    pending.delete(message.id ?? 0);
    if (message.error === undefined) waiting.resolve(message.answer);
    else waiting.reject(new Error(`${label}: ${message.error}`));
  });
  const end = (why: string) => {
    ended ??= new Error(`${label} ${why}`);
    for (const { reject } of pending.values()) reject(ended);
    pending.clear();
  };
  child.on('error', (error) => end(`failed: ${error.message}`));
  child.on('exit', (code, signal) => end(`ended early (${signal ?? `exit code ${code}`})`));
  return {
    call(name, ask, deadlineMs = DEADLINE_MS) {
      return new Promise((resolve, reject) => {
        if (ended !== undefined) return reject(ended);
        const id = ++lastId;
        const late = setTimeout(() => {
          pending.delete(id);
          reject(new Error(`${label} did not answer ${name} within ${deadlineMs} ms`));
        }, deadlineMs);
        pending.set(id, {
          resolve: (answer) => {
            clearTimeout(late);
            resolve(answer as T[typeof name]['answer']);
          },
          reject: (error) => {
            clearTimeout(late);
            reject(error);
          },
        });
        child.send({ id, name, ask } satisfies Message);
      });
    },
    onNotice(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    notify: (notice) => void child.send({ notice } satisfies Message),
  };
}

/** Answers the parent's calls; ends this process when the parent is gone. */
export function serveCalls<T extends Calls<T>>(handlers: Handlers<T>, onNotice: () => void): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', async (message: Message) => {
    if (message.notice !== undefined) return onNotice();
    const { id, name, ask } = message;
    try {
      const handler = handlers[name as keyof T];
      if (handler === undefined) throw new Error(`unknown call ${name}`);
      reply({ id: id ?? 0, answer: await handler(ask) });
    } catch (error) {
      reply({ id: id ?? 0, error: error instanceof Error ? error.message : String(error) });
    }
  });
}

/** Reports something to the parent that it did not ask for. */
export function notifyParent(notice: 'turn'): void {
  reply({ notice });
}

function reply(message: Message): void {
  // A parent that is gone is told by 'disconnect'; without this callback the failed write would be an error event as well.
  process.send?.(message, undefined, undefined, () => undefined);
}
