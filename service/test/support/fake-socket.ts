import { EventEmitter } from 'node:events';
import type { Socket } from 'socket.io';

export interface FakeSocketOptions {
  readonly id?: string;
  readonly token?: string;
  readonly auth?: unknown;
  readonly headers?: Record<string, string>;
  readonly data?: Record<string, unknown>;
  readonly rooms?: readonly string[];
  readonly isRecovered?: boolean;
  /** The connection; one of its own unless given. */
  readonly conn?: object;
}

let made = 0;

/** As much of a Socket.IO socket as handlers touch: rooms, data, a handshake and events. It is in no server. */
export interface FakeSocket extends EventEmitter {
  id: string;
  connected: boolean;
  recovered: boolean;
  readonly rooms: Set<string>;
  readonly data: Record<string, unknown>;
  readonly handshake: { auth: unknown; headers: Record<string, string> };
  join(rooms: string | readonly string[]): void;
  leave(room: string): void;
  /** Does what Socket.IO does when a connection ends. */
  end(reason?: string): void;
}

export function createFakeSocket(options: FakeSocketOptions = {}): FakeSocket & Socket {
  const id = options.id ?? `socket-${++made}`;
  const rooms = new Set([id, ...(options.rooms ?? [])]);
  const socket: FakeSocket = Object.assign(new EventEmitter(), {
    id,
    connected: true,
    recovered: options.isRecovered ?? false,
    conn: options.conn ?? {},
    rooms,
    data: options.data ?? {},
    handshake: {
      auth: options.auth ?? (options.token === undefined ? {} : { token: options.token }),
      headers: options.headers ?? {},
    },
    join(names: string | readonly string[]) {
      for (const name of typeof names === 'string' ? [names] : names) rooms.add(name);
    },
    leave: (name: string) => void rooms.delete(name),
    end(reason = 'transport close') {
      socket.emit('disconnecting', reason);
      rooms.clear();
      socket.connected = false;
      socket.emit('disconnect', reason);
    },
  });
  return socket as unknown as FakeSocket & Socket;
}
