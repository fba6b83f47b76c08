/** What this server knows about its own sockets and rooms. */
import type { Server, Socket } from 'socket.io';
import type { Directory, SocketView } from '../contracts.ts';
import { roomName, roomOf } from './room-names.ts';
import type { Sessions } from './sessions.ts';
import { namespacesOf } from './upstream.ts';

/** Answers for this process alone, so never partially. */
export function createLocalDirectory(io: Server, sessions: Sessions, pod: string): Directory {
  const whole = <T>(value: T) => ({ value, partial: false });
  const root = () => io.of('/').adapter;

  async function disconnect(sockets: readonly Socket[]) {
    // Closes the connection for good: a stock client does not come back after this by itself.
    for (const socket of sockets) socket.disconnect(true);
    return whole(sockets.length);
  }

  return {
    async rooms() {
      const rooms = [...root().rooms].flatMap(([name, members]) => {
        const room = roomOf(name);
        return room === undefined ? [] : [{ room, sockets: members.size }];
      });
      return whole(rooms);
    },
    async room(name) {
      return whole({ room: name, sockets: root().rooms.get(roomName(name))?.size ?? 0 });
    },
    async socket(id) {
      const socket = findSocket(io, id);
      return whole(socket && view(socket, pod));
    },
    async disconnectSocket(id) {
      const socket = findSocket(io, id);
      return disconnect(socket === undefined ? [] : [socket]);
    },
    async disconnectUser(sub) {
      return disconnect(sessions.socketsOf(sub));
    },
  };
}

function findSocket(io: Server, id: string): Socket | undefined {
  for (const nsp of namespacesOf(io)) {
    const socket = nsp.sockets.get(id);
    if (socket !== undefined) return socket;
  }
  return undefined;
}

function view(socket: Socket, pod: string): SocketView {
  const { sub } = socket.data as { sub?: string };
  return {
    id: socket.id,
    nsp: socket.nsp.name,
    ...(sub === undefined ? {} : { sub }),
    rooms: [...socket.rooms].flatMap((name) => roomOf(name) ?? []),
    transport: socket.conn.transport.name,
    connectedAt: socket.handshake.issued,
    pod,
  };
}
