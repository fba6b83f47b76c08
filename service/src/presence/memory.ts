/** Presence inside one process. */
import type { Cancel, Clock, Member, Presence, PresenceChange } from '../contracts.ts';

export interface PresenceOptions {
  /** How long a member whose connection broke is still counted, in case it comes back. */
  readonly lingerMs: number;
  /** Changes of a room are gathered for this long. */
  readonly debounceMs: number;
}

interface Entry {
  member: Member;
  readonly sockets: Set<string>;
  cancelLinger?: Cancel;
}

interface Pending {
  readonly joined: Map<string, Member>;
  readonly left: Set<string>;
  readonly cancel: Cancel;
}

export function createMemoryPresence(options: PresenceOptions, deps: { clock: Clock }): Presence {
  const { clock } = deps;
  const rooms = new Map<string, Map<string, Entry>>();
  const watched = new Map<string, number>();
  const pending = new Map<string, Pending>();
  const listeners: ((change: PresenceChange) => void)[] = [];

  function note(room: string, change: { joined?: Member; left?: string }): void {
    if (!watched.has(room)) return;
    const entry = pending.get(room) ?? startPending(room);
    if (change.joined !== undefined) {
      // Gone and back within one debounce is no news.
      if (!entry.left.delete(change.joined.id)) entry.joined.set(change.joined.id, change.joined);
    }
    if (change.left !== undefined && !entry.joined.delete(change.left)) entry.left.add(change.left);
  }

  function startPending(room: string): Pending {
    const cancel = clock.after(options.debounceMs, () => flush(room));
    const entry: Pending = { joined: new Map(), left: new Set(), cancel };
    pending.set(room, entry);
    return entry;
  }

  function flush(room: string): void {
    const entry = pending.get(room);
    pending.delete(room);
    if (entry === undefined || entry.joined.size + entry.left.size === 0 || !watched.has(room)) return;
    const members = rooms.get(room);
    const change = {
      room,
      // As they are now: a second socket of the member may have brought other metadata.
      joined: [...entry.joined.values()].map((member) => members?.get(member.id)?.member ?? member),
      left: [...entry.left],
      count: members?.size ?? 0,
    };
    for (const listener of listeners) listener(change);
  }

  function remove(room: string, memberId: string): void {
    const members = rooms.get(room);
    if (!members?.delete(memberId)) return;
    if (members.size === 0) rooms.delete(room);
    note(room, { left: memberId });
  }

  return {
    checks: [],
    start: async () => undefined,
    async stop() {
      for (const { cancel } of pending.values()) cancel();
      for (const members of rooms.values()) for (const entry of members.values()) entry.cancelLinger?.();
      pending.clear();
      rooms.clear();
    },
    async join(room, member, socketId) {
      let members = rooms.get(room);
      if (members === undefined) {
        members = new Map();
        rooms.set(room, members);
      }
      const entry = members.get(member.id);
      if (entry === undefined) {
        members.set(member.id, { member, sockets: new Set([socketId]) });
        note(room, { joined: member });
        return;
      }
      entry.cancelLinger?.();
      delete entry.cancelLinger;
      entry.sockets.add(socketId);
      if (member.meta !== undefined) entry.member = member;
    },
    async leave(room, memberId, socketId, how) {
      const entry = rooms.get(room)?.get(memberId);
      if (entry === undefined || !entry.sockets.delete(socketId) || entry.sockets.size > 0) return;
      if (how === 'left') remove(room, memberId);
      else entry.cancelLinger = clock.after(options.lingerMs, () => remove(room, memberId));
    },
    count: async (room) => rooms.get(room)?.size ?? 0,
    async members(room, limit) {
      const found: Member[] = [];
      for (const { member } of rooms.get(room)?.values() ?? []) {
        if (found.length === limit) break;
        found.push(member);
      }
      return found;
    },
    watch(room) {
      watched.set(room, (watched.get(room) ?? 0) + 1);
    },
    unwatch(room) {
      const left = (watched.get(room) ?? 1) - 1;
      if (left > 0) watched.set(room, left);
      else watched.delete(room);
    },
    onChange(listener) {
      listeners.push(listener);
    },
  };
}
