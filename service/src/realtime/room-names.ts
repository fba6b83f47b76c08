/**
 * Rooms of the API and the Socket.IO rooms behind them. The prefix keeps clients away from rooms that are
 * socket ids or belong to the service.
 */

const ROOM = 'r:';

export function roomName(room: string): string {
  return ROOM + room;
}

/** The room behind a Socket.IO room; undefined for socket ids and rooms of the service itself. */
export function roomOf(name: string): string | undefined {
  return name.startsWith(ROOM) ? name.slice(ROOM.length) : undefined;
}
