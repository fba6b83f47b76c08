/** Which gateway rooms a socket is in, and their presence. */
import type { Server, Socket } from 'socket.io';
import type { Services } from '../contracts.ts';

type Metadata = Record<string, unknown>;

/** Kept in `socket.data`, so that it survives a recovery. */
interface SocketData {
  /** Rooms joined with presence, and what was given with it. */
  presence?: Record<string, Metadata>;
}

export interface Roster {
  roomsOf(socket: Socket): string[];
  /** Resolves when the rooms are really subscribed and presence knows. */
  join(socket: Socket, rooms: readonly string[], presence: Metadata | undefined): Promise<void>;
  leave(socket: Socket, room: string): Promise<void>;
  /** For a socket that is about to go. */
  leaveAll(socket: Socket, how: 'left' | 'lost'): Promise<void>;
  /** For a socket that was recovered with its rooms: presence must learn that it is back. */
  comeBack(socket: Socket): Promise<void>;
  /** Leaves what a new, narrower token no longer allows. */
  leaveForbidden(socket: Socket): Promise<void>;
}

const WATCHERS = 'p:';

export function createRoster(io: Server, services: Services): Roster {
  const prefix = services.roomName('');
  const { presence } = services;
  const dataOf = (socket: Socket) => socket.data as SocketData;
  // A room may be called "constructor".
  const metaOf = (socket: Socket, room: string) => {
    const kept = dataOf(socket).presence ?? {};
    return Object.hasOwn(kept, room) ? kept[room] : undefined;
  };
  const memberId = (socket: Socket) => services.identityOf(socket).sub ?? socket.id;

  // Each server tells its own sockets; the change itself reaches all servers through presence.
  presence.onChange((change) => io.local.to(WATCHERS + change.room).emit('presence', change));

  function roomsOf(socket: Socket): string[] {
    return [...socket.rooms].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  }

  async function watch(socket: Socket, room: string, meta: Metadata): Promise<void> {
    const data = dataOf(socket);
    data.presence = { ...data.presence, [room]: meta };
    if (socket.rooms.has(WATCHERS + room)) return;
    presence.watch(room);
    await socket.join(WATCHERS + room);
  }

  async function unwatch(socket: Socket, room: string): Promise<void> {
    if (!socket.rooms.has(WATCHERS + room)) return;
    presence.unwatch(room);
    const { [room]: _gone, ...rest } = dataOf(socket).presence ?? {};
    dataOf(socket).presence = rest;
    await socket.leave(WATCHERS + room);
  }

  async function leave(socket: Socket, room: string): Promise<void> {
    if (!socket.rooms.has(services.roomName(room))) return;
    await socket.leave(services.roomName(room));
    // The client may have joined again while this was under way; that join has its own say.
    if (socket.rooms.has(services.roomName(room))) return;
    await unwatch(socket, room);
    await presence.leave(room, memberId(socket), socket.id, 'left');
  }

  async function enter(socket: Socket, room: string, meta: Metadata | undefined): Promise<void> {
    const member = { id: memberId(socket), ...(meta === undefined ? {} : { meta }) };
    await presence.join(room, member, socket.id);
    // The client may have left or gone while this was under way; then nothing else takes it out again.
    if (!socket.rooms.has(services.roomName(room)))
      await presence.leave(room, member.id, socket.id, socket.connected ? 'left' : 'lost');
    else if (meta !== undefined) await watch(socket, room, meta);
  }

  async function leaveForbidden(socket: Socket): Promise<void> {
    const identity = services.identityOf(socket);
    await Promise.all(
      roomsOf(socket)
        .filter((room) => !identity.allows(room))
        .map((room) => leave(socket, room)),
    );
  }

  return {
    roomsOf,
    async join(socket, rooms, meta) {
      await socket.join(rooms.map(services.roomName));
      await Promise.all(rooms.map((room) => enter(socket, room, meta)));
    },
    leave,
    async leaveAll(socket, how) {
      const rooms = roomsOf(socket);
      for (const room of rooms) if (socket.rooms.has(WATCHERS + room)) presence.unwatch(room);
      await Promise.all(rooms.map((room) => presence.leave(room, memberId(socket), socket.id, how)));
    },
    async comeBack(socket) {
      // Counted again first, because leaving counts them off.
      for (const room of roomsOf(socket)) if (socket.rooms.has(WATCHERS + room)) presence.watch(room);
      await leaveForbidden(socket);
      await Promise.all(roomsOf(socket).map((room) => enter(socket, room, metaOf(socket, room))));
    },
    leaveForbidden,
  };
}
