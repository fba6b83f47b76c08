import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { onTestFinished } from 'vitest';

type Options = Partial<ManagerOptions & SocketOptions>;

/** A stock client that is closed after the test. It need not be connected yet. */
export function client(url: string, options: Options = {}): Socket {
  const socket = io(url, { forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 200, ...options });
  onTestFinished(() => void socket.disconnect());
  return socket;
}

/** A connected stock client; rejects with the server's reason when it is refused for good. */
export async function connect(url: string, options: Options = {}): Promise<Socket> {
  const socket = client(url, options);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.on('connect_error', (error) => {
      if (!socket.active) reject(error);
    });
  });
  return socket;
}

/** Emits a request and resolves with its ack. Rejects after 5 s. */
export function ask(
  socket: Socket,
  event: string,
  ...args: unknown[]
): Promise<Record<string, unknown> & { ok: boolean }> {
  return socket.timeout(5_000).emitWithAck(event, ...args);
}

/** Collects the arguments of every `event` from now on. */
export function collect(socket: Socket, event: string): unknown[][] {
  const seen: unknown[][] = [];
  socket.on(event, (...args: unknown[]) => void seen.push(args));
  return seen;
}

/** Resolves with the arguments of the next `event`. */
export function next(socket: Socket, event: string, ms = 5_000): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no "${event}" within ${ms} ms`)), ms);
    socket.once(event, (...args: unknown[]) => {
      clearTimeout(timer);
      resolve(args);
    });
  });
}
