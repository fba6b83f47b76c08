/**
 * Connection state recovery inside one process. Instead of upstream's in-memory one, which keeps every packet for the
 * window however many there are, lets a session be replayed as often as its client likes, and loses what is broadcast
 * between a restore and the end of the middlewares.
 */
import { Adapter, type BroadcastOptions } from 'socket.io-adapter';
import type { EncodedPacket, MissedPackets } from '../contracts.ts';
import { bytesOf, type LoggedPacket, type PacketLog } from './packet-log.ts';

type Persisted = Parameters<Adapter['persistSession']>[0];
type Restored = Awaited<ReturnType<Adapter['restoreSession']>>;
type Encode = (packet: unknown, options: object) => EncodedPacket;

interface Session extends Persisted {
  readonly disconnectedAt: number;
}

interface Packet {
  readonly type: number;
  readonly id?: number;
  readonly data: unknown[];
}

export interface RecoveringOptions {
  readonly log: PacketLog;
  /** A client that has missed more starts afresh. */
  readonly mostMissedBytes: number;
}

interface NamespaceWithOptions {
  readonly server: {
    readonly opts: { readonly connectionStateRecovery: { readonly maxDisconnectionDuration: number } };
  };
}

const EVENT = 2;

export class RecoveringAdapter extends Adapter implements MissedPackets {
  readonly #log: PacketLog;
  readonly #mostMissedBytes: number;
  readonly #windowMs: number;
  // In the order in which they were left.
  readonly #sessions = new Map<string, Session>();
  // By socket id: taken out by a socket whose middlewares have not agreed yet.
  readonly #pending = new Map<string, { readonly session: Session; readonly offset: string }>();
  // How many of all these are in a room.
  readonly #wanted = new Map<string, number>();
  #entering: { readonly opts: BroadcastOptions } | undefined;

  constructor(nsp: never, options: RecoveringOptions) {
    super(nsp);
    this.#log = options.log;
    this.#mostMissedBytes = options.mostMissedBytes;
    this.#windowMs = (nsp as NamespaceWithOptions).server.opts.connectionStateRecovery.maxDisconnectionDuration;
    this.#logWhatIsEncoded();
  }

  override broadcast(packet: Packet, opts: BroadcastOptions): void {
    if (packet.type === EVENT && packet.id === undefined && !opts.flags?.volatile && this.#isWanted(opts)) {
      packet.data.push(this.#log.nextOffset());
      this.#entering = { opts };
    }
    try {
      super.broadcast(packet, opts);
    } finally {
      this.#entering = undefined;
    }
  }

  override persistSession(session: Persisted): void {
    this.#forgetOld();
    const before = this.#sessions.get(session.pid);
    if (before !== undefined) this.#end(before);
    this.#sessions.set(session.pid, { ...session, disconnectedAt: Date.now() });
    for (const room of session.rooms) this.#wanted.set(room, (this.#wanted.get(room) ?? 0) + 1);
  }

  /** A session has one further life: whoever asks takes it out, and it is back only if that socket is refused. */
  override async restoreSession(pid: string, offset: string): Promise<Restored> {
    const session = this.#sessions.get(pid);
    if (session === undefined) return NOTHING;
    const isLive = this.sids.has(session.sid) || this.#pending.has(session.sid);
    const missed = this.#isOver(session) || isLive ? undefined : this.#missedBy(session, offset);
    if (missed === undefined || missed.reduce((sum, one) => sum + bytesOf(one), 0) > this.#mostMissedBytes) {
      this.#end(session);
      return NOTHING;
    }
    this.#sessions.delete(pid);
    this.#pending.set(session.sid, { session, offset });
    // What was missed is taken when the socket begins to hear by itself.
    return { ...session, missedPackets: [] };
  }

  takeMissed(socketId: string): readonly EncodedPacket[] | undefined {
    const pending = this.#pending.get(socketId);
    if (pending === undefined) return [];
    this.#pending.delete(socketId);
    this.#end(pending.session);
    return this.#missedBy(pending.session, pending.offset);
  }

  override delAll(socketId: string): void {
    super.delAll(socketId);
    const pending = this.#pending.get(socketId);
    if (pending === undefined) return;
    this.#pending.delete(socketId);
    this.#sessions.set(pending.session.pid, pending.session);
  }

  #forgetOld(): void {
    this.#log.forgetBefore(Date.now() - this.#windowMs);
    for (const session of this.#sessions.values()) {
      if (!this.#isOver(session)) return;
      this.#end(session);
    }
  }

  // Encoding is the last thing that can fail, and comes before any socket hears: an order that an offset relies on.
  #logWhatIsEncoded(): void {
    const inner = this as unknown as { _encode: Encode };
    const encode = inner._encode;
    inner._encode = (packet, options) => {
      const encoded = encode.call(this, packet, options);
      const opts = this.#entering?.opts;
      this.#entering = undefined;
      if (opts === undefined) return encoded;
      const { rooms, except = new Set() } = opts;
      this.#forgetOld();
      this.#log.add({ owner: this, rooms, except, encoded, at: Date.now() });
      return encoded;
    };
  }

  #isWanted({ rooms }: BroadcastOptions): boolean {
    if (rooms.size === 0) return this.sids.size + this.#sessions.size + this.#pending.size > 0;
    for (const room of rooms) if (this.rooms.has(room) || this.#wanted.has(room)) return true;
    return false;
  }

  #isOver(session: Session): boolean {
    return session.disconnectedAt + this.#windowMs < Date.now();
  }

  #missedBy(session: Session, offset: string): EncodedPacket[] | undefined {
    const since = this.#log.after(offset);
    const rooms = new Set<string>(session.rooms);
    return since?.filter((packet) => packet.owner === this && isFor(rooms, packet)).map(({ encoded }) => encoded);
  }

  #end(session: Session): void {
    if (this.#sessions.get(session.pid) === session) this.#sessions.delete(session.pid);
    for (const room of session.rooms) {
      const left = (this.#wanted.get(room) ?? 1) - 1;
      if (left > 0) this.#wanted.set(room, left);
      else this.#wanted.delete(room);
    }
  }
}

// What upstream's own adapters answer; their types do not say so.
const NOTHING = null as unknown as Restored;

function isFor(own: ReadonlySet<string>, { rooms, except }: LoggedPacket): boolean {
  for (const room of except) if (own.has(room)) return false;
  if (rooms.size === 0) return true;
  for (const room of rooms) if (own.has(room)) return true;
  return false;
}
