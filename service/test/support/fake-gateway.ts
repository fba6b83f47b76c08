/** A small stock Socket.IO server that answers like the gateway, to try clients against without the service. */
import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { type RefusalCode, Refused, refusalBody } from '../../src/refusals.ts';

export interface FakeGatewayOptions {
  /** Handshakes need this token; its bearer is the user `ada`. */
  token?: string;
  recovery?: boolean;
  /** Rooms nobody may use. */
  forbidden?: readonly string[];
  /** Answers all but Socket.IO. */
  onRequest?: RequestListener;
  port?: number;
}

export interface FakeGateway {
  readonly url: string;
  readonly io: Server;
  /** Everything that was published, duplicates by id left out. */
  readonly published: { room: string; data: unknown }[];
  /** Closes the transports of all clients; stock clients come back. */
  dropAll(): void;
  /** From now on this many publishes are refused. */
  refusePublishes(times: number, code: RefusalCode): void;
  stop(): Promise<void>;
}

interface Member {
  id: string;
  meta?: unknown;
}

/** Starts on a free port of the loopback. */
export async function startFakeGateway(options: FakeGatewayOptions = {}): Promise<FakeGateway> {
  const http = createServer(options.onRequest ?? ((_req, res) => res.writeHead(404).end()));
  const io = new Server(http, {
    serveClient: false,
    ...(options.recovery
      ? { connectionStateRecovery: { maxDisconnectionDuration: 60_000, skipMiddlewares: false } }
      : {}),
  });
  const state = {
    published: [] as FakeGateway['published'],
    seen: new Map<string, string>(),
    refusals: [] as RefusalCode[],
  };
  const members = new Map<string, Map<string, Member>>();
  const announce = (room: string, change: { joined?: Member[]; left?: string[] }) =>
    io.to(`r:${room}`).emit('presence', { room, joined: [], left: [], ...change, count: members.get(room)?.size ?? 0 });
  const memberId = (socket: Socket) => (options.token === undefined ? socket.id : 'ada');

  io.use((socket, next) => {
    const isKnown = options.token === undefined || socket.handshake.auth.token === options.token;
    next(isKnown ? undefined : new Refused('unauthorized'));
  });
  function depart(socket: Socket, room: string): void {
    if (members.get(room)?.delete(memberId(socket))) announce(room, { left: [memberId(socket)] });
  }
  io.on('connection', (socket) => {
    const roomsOf = () => [...socket.rooms].filter((name) => name.startsWith('r:')).map((name) => name.slice(2));
    socket.on('join', async (room: string, { presence }: { presence?: unknown }, ack) => {
      if (options.forbidden?.includes(room)) return ack(refusalBody('forbidden', room));
      await socket.join(`r:${room}`);
      const member = { id: memberId(socket), ...(presence === undefined ? {} : { meta: presence }) };
      members.set(room, (members.get(room) ?? new Map()).set(member.id, member));
      ack({ ok: true, rooms: [room] });
      announce(room, { joined: [member] });
    });
    socket.on('leave', (room: string, ack) => {
      socket.leave(`r:${room}`);
      depart(socket, room);
      ack({ ok: true });
    });
    socket.on('publish', (room: string, data: unknown, { id: key = randomUUID() }: { id?: string }, ack) => {
      const code = state.refusals.shift();
      if (code !== undefined) return ack(refusalBody(code));
      const id = state.seen.get(key) ?? randomUUID();
      if (!state.seen.has(key)) {
        state.published.push({ room, data });
        const from = options.token === undefined ? {} : { from: 'ada' };
        io.to(`r:${room}`).emit('message', data, { room, id, ts: Date.now(), ...from });
      }
      state.seen.set(key, id);
      ack({ ok: true, id });
    });
    socket.on('presence', (room: string, ack) => {
      const list = [...(members.get(room)?.values() ?? [])];
      ack({ ok: true, count: list.length, members: list });
    });
    socket.on('whoami', (ack) =>
      ack({ ok: true, id: socket.id, pod: 'fake-pod', worker: 0, rooms: roomsOf(), recovered: socket.recovered }),
    );
    socket.on('disconnecting', () => {
      for (const room of roomsOf()) if (!options.recovery) depart(socket, room);
    });
    // Without an event of its own a client that has heard nothing yet has no offset, and could not be recovered.
    if (options.recovery) io.to(socket.id).emit('hello');
  });
  await new Promise<void>((resolve) => http.listen(options.port ?? 0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    io,
    published: state.published,
    dropAll() {
      for (const socket of io.sockets.sockets.values()) socket.conn.close();
    },
    refusePublishes: (times, code) => void state.refusals.push(...Array<RefusalCode>(times).fill(code)),
    stop: () => io.close(),
  };
}
