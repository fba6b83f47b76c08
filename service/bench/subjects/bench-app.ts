/** The app module that both servers under test run: everybody is in one room, and broadcasts are emitted on command. */

import { setImmediate as nextLoop } from 'node:timers/promises';
import type { Server as IoServer } from 'socket.io';
import type { EmitOrder, Population, SteadyOrder } from '../lib/calls.ts';
import { eventsDue } from '../lib/pace.ts';
import { stampNow } from '../lib/stamp.ts';
import { EVENT, payload } from '../lib/tally.ts';

const ROOM = 'all';

/** The app and what drives it. */
export interface BenchApp {
  /** Goes in as the app module; needs no services. */
  app(io: IoServer): void;
  /** Resolves when the clients have received the last turn. */
  emit(order: EmitOrder): Promise<void>;
  /** Resolves when all is emitted. */
  emitSteadily(order: SteadyOrder): Promise<void>;
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
    async emit({ turns, events, burst, bytes, first }) {
      let seq = first;
      for (let turn = 0; turn < turns; turn++) {
        const arrived = new Promise<void>((resolve) => {
          received = resolve;
        });
        for (let left = events; left > 0; left -= burst) {
          await nextLoop();
          for (let event = 0; event < Math.min(burst, left); event++) {
            server().to(ROOM).emit(EVENT, payload(seq++, bytes));
          }
        }
        await arrived;
      }
    },
    emitSteadily({ events, perSecond, bytes, first }) {
      const begin = performance.now();
      let emitted = 0;
      return new Promise((resolve) => {
        const timer = setInterval(() => {
          const due = eventsDue(performance.now() - begin, { events, perSecond });
          while (emitted < due) {
            server()
              .to(ROOM)
              .emit(EVENT, payload(first + emitted++, bytes, stampNow()));
          }
          if (emitted < events) return;
          clearInterval(timer);
          resolve();
        }, 1);
      });
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
