/** Who each socket is, which sockets a user has, and when a session ends. */
import type { Socket } from 'socket.io';
import type { Cancel, Clock, Identities, Identity, SocketListener } from '../contracts.ts';
import { Refused } from '../refusals.ts';
import { roomOf } from './room-names.ts';

export interface Sessions {
  /** Reads the token of a socket that wants in. Rejects with `Refused`. */
  authenticate(socket: Socket): Promise<void>;
  /** Takes a fresh token of the same user. Rejects with `Refused`; the session then stays as it was. */
  refresh(socket: Socket, token: string): Promise<Identity>;
  /** The socket is in its namespace now: its session counts, and ends when its token does. */
  began(socket: Socket): void;
  ended(socket: Socket): void;
  identityOf(socket: Socket): Identity;
  socketsOf(sub: string): readonly Socket[];
}

interface Session {
  identity: Identity;
  /** Nothing may be armed any more: it would hold the socket until its token ends. */
  isOver?: true;
  cancelExpiry?: Cancel;
}

export interface SessionsDeps {
  readonly identities: Identities;
  readonly clock: Clock;
  /** The token of this socket has ended. */
  expire(socket: Socket): void;
  /** This socket was recovered, and may no longer be where it was. It loses rooms and data. */
  startAfresh(socket: Socket): void;
  /** Who is told which sockets are here. */
  listener(): SocketListener;
}

export function createSessions(deps: SessionsDeps): Sessions {
  const { identities, clock } = deps;
  const sessions = new WeakMap<Socket, Session>();
  const users = new Map<string, Set<Socket>>();

  function armExpiry(socket: Socket, session: Session): void {
    session.cancelExpiry?.();
    delete session.cancelExpiry;
    if (session.isOver || session.identity.exp === undefined) return;
    session.cancelExpiry = clock.after(session.identity.exp * 1000 - clock.wall(), () => deps.expire(socket));
  }

  function sessionOf(socket: Socket): Session {
    const session = sessions.get(socket);
    if (session === undefined) throw new Refused('unauthorized', 'this socket has no session');
    return session;
  }

  return {
    async authenticate(socket) {
      const identity = await identities.verify(tokenOf(socket));
      if (socket.recovered && (socket.data as { sub?: unknown }).sub !== identity.sub) {
        throw new Refused('unauthorized', 'this session belongs to somebody else');
      }
      // What it has missed may be of rooms that its token no longer allows.
      if (socket.recovered && !allowsAll(identity, socket.rooms)) deps.startAfresh(socket);
      const data = socket.data as { sub?: unknown };
      if (identity.sub === undefined) delete data.sub;
      else data.sub = identity.sub;
      sessions.set(socket, { identity });
    },
    async refresh(socket, token) {
      const session = sessionOf(socket);
      const identity = await identities.verify(token);
      if (identity.sub !== session.identity.sub) throw new Refused('unauthorized', 'the token is for somebody else');
      // A connection ends as a whole, so its sessions in other namespaces have to last as long.
      for (const one of new Set([socket, ...sameConnection(socket, users.get(identity.sub ?? ''))])) {
        const other = sessionOf(one);
        other.identity = identity;
        armExpiry(one, other);
      }
      return identity;
    },
    began(socket) {
      const session = sessionOf(socket);
      armExpiry(socket, session);
      void deps.listener().socketCame(socket.id);
      const { sub } = session.identity;
      if (sub === undefined) return;
      const own = users.get(sub);
      if (own !== undefined) return void own.add(socket);
      users.set(sub, new Set([socket]));
      void deps.listener().userCame(sub);
    },
    ended(socket) {
      const session = sessions.get(socket);
      if (session === undefined) return;
      session.isOver = true;
      session.cancelExpiry?.();
      void deps.listener().socketLeft(socket.id);
      const { sub } = session.identity;
      const own = sub === undefined ? undefined : users.get(sub);
      if (sub === undefined || own === undefined) return;
      own.delete(socket);
      if (own.size > 0) return;
      users.delete(sub);
      void deps.listener().userLeft(sub);
    },
    identityOf: (socket) => sessionOf(socket).identity,
    socketsOf: (sub) => [...(users.get(sub) ?? [])],
  };
}

function allowsAll(identity: Identity, rooms: ReadonlySet<string>): boolean {
  for (const name of rooms) {
    const room = roomOf(name);
    if (room !== undefined && !identity.allows(room)) return false;
  }
  return true;
}

function tokenOf(socket: Socket): string | undefined {
  const auth = socket.handshake.auth as Record<string, unknown> | undefined;
  if (typeof auth?.token === 'string') return auth.token;
  const header = socket.handshake.headers.authorization;
  return header?.toLowerCase().startsWith('bearer ') ? header.slice(7).trim() : undefined;
}

function sameConnection(socket: Socket, sockets: ReadonlySet<Socket> | undefined): Socket[] {
  return [...(sockets ?? [])].filter((one) => one.conn === socket.conn);
}
