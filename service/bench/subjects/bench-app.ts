/** The app module that both servers under test run: everybody is in one room, and broadcasts are emitted on command. */
import type { Server as IoServer } from 'socket.io';
import type { EmitOrder, Population } from '../lib/calls.ts';
import { EVENT, payload } from '../lib/tally.ts';

const ROOM = 'all';

/** The app and what drives it. */
export interface BenchApp {
  /** Goes in as the app module; needs no services. */
  app(io: IoServer): void;
  /** Resolves when the clients have received the last turn. */
  emit(order: EmitOrder): Promise<void>;
  /** The clients have received all of a turn. */
  onTurnReceived(): void;
  population(): Population;
}

/** An app that is not part of a server yet. */
export function createBenchApp(): BenchApp {
  let io: IoServer | undefined;
  let received: () => void = () => undefined;
  const server = () => {
    if (io === undefined) throw new Error('the server has not taken the app');
    return io;
  };
  return {
    app(taken) {
      io = taken;
      taken.on('connection', (socket) => void socket.join(ROOM));
    },
    async emit({ turns, events, bytes, first }) {
      let seq = first;
      for (let turn = 0; turn < turns; turn++) {
        const arrived = new Promise<void>((resolve) => {
          received = resolve;
        });
        setImmediate(() => {
          for (let event = 0; event < events; event++) server().to(ROOM).emit(EVENT, payload(seq++, bytes));
        });
        await arrived;
      }
    },
    onTurnReceived: () => received(),
    population() {
      const { sockets, adapter } = server().of('/');
      let websockets = 0;
      for (const socket of sockets.values()) if (socket.conn.transport.name === 'websocket') websockets++;
      return { sockets: sockets.size, websockets, members: adapter.rooms.get(ROOM)?.size ?? 0 };
    },
  };
}
