/** What becomes of a socket that was recovered: it gets what it has missed, or goes on as a new one. */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'socket.io';
import type { EncodedPacket, MissedPackets } from '../contracts.ts';

interface SocketInternals {
  id: string;
  pid: string;
  recovered: boolean;
  data: object;
  readonly nsp: { readonly adapter: Partial<MissedPackets>; readonly _preConnectSockets: Map<string, unknown> };
  readonly client: {
    writeToEngine(encoded: EncodedPacket, options: object): void;
    readonly conn: { close(): void };
  };
  leaveAll(): void;
}

/** Sends what was missed. A client that cannot have all of it is closed, and starts afresh when it comes back. */
export function sendMissed(socket: Socket): void {
  const { client, id, nsp } = internalsOf(socket);
  const missed = nsp.adapter.takeMissed === undefined ? [] : nsp.adapter.takeMissed(id);
  for (const encoded of missed ?? []) client.writeToEngine(encoded, {});
  // Not at once: upstream is in the middle of letting it in.
  if (missed === undefined) process.nextTick(() => client.conn.close());
}

/** Before the socket is in its namespace: it forgets its rooms, its data, what it has missed and the session itself. */
export function startAfresh(socket: Socket, id: string): void {
  const inner = internalsOf(socket);
  // Otherwise the session is kept for another attempt.
  inner.nsp.adapter.takeMissed?.(inner.id);
  inner.leaveAll();
  inner.nsp._preConnectSockets.delete(inner.id);
  inner.id = id;
  inner.nsp._preConnectSockets.set(id, socket);
  inner.pid = randomBytes(15).toString('base64url');
  inner.data = {};
  inner.recovered = false;
}

function internalsOf(socket: Socket): SocketInternals {
  return socket as unknown as SocketInternals;
}
