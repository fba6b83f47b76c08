/** Presence over all servers: what is here is kept here, who is anywhere is asked of the registry. */
import type { Cancel, Clock, Log, Member, Presence, PresenceChange, Registry, RegistryChange } from '../contracts.ts';
import type { PresenceOptions } from './memory.ts';

export interface RedisPresenceDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly registry: Registry;
}

interface Entry {
  readonly sockets: Set<string>;
  cancelLinger?: Cancel;
}

/** What was heard about one member since the last change was reported. */
interface Heard {
  /** Whether it was heard to leave before it was heard to join. */
  readonly leftFirst: boolean;
  /** How much more often it joined than left. */
  readonly balance: number;
  /** Something may have been told before, so it is not known who knows what. */
  readonly isUnsure: boolean;
  /** The member as last heard of; undefined when it was last heard to leave. */
  readonly member: Member | undefined;
}

interface Watched {
  watchers: number;
  readonly cancel: Cancel;
  heard: Map<string, Heard>;
  cancelReport?: Cancel;
}

// A crowd is reported in several changes of this size.
const MOST_IN_A_CHANGE = 500;

export function createRedisPresence(options: PresenceOptions, deps: RedisPresenceDeps): Presence {
  const { clock, log, registry } = deps;
  const rooms = new Map<string, Map<string, Entry>>();
  const watched = new Map<string, Watched>();
  const listeners: ((change: PresenceChange) => void)[] = [];
  const keyOf = (room: string) => `presence:${room}`;

  function hear(room: string, { joined, left, isAgain }: RegistryChange): void {
    const entry = watched.get(room);
    if (entry === undefined) return;
    for (const member of joined) note(entry, member.id, { member, isUnsure: isAgain ?? false });
    for (const id of left) note(entry, id, { member: undefined, isUnsure: isAgain ?? false });
    if (entry.heard.size >= MOST_IN_A_CHANGE) void report(room, entry);
    else entry.cancelReport ??= clock.after(options.debounceMs, () => void report(room, entry));
  }

  function note({ heard }: Watched, id: string, { member, isUnsure }: Pick<Heard, 'member' | 'isUnsure'>): void {
    const hasLeft = member === undefined;
    const before = heard.get(id) ?? { leftFirst: hasLeft, balance: 0, isUnsure: false };
    heard.set(id, {
      leftFirst: before.leftFirst,
      balance: before.balance + (hasLeft ? -1 : 1),
      isUnsure: before.isUnsure || isUnsure,
      member,
    });
  }

  /** Never rejects. */
  async function report(room: string, entry: Watched): Promise<void> {
    const { heard } = entry;
    entry.heard = new Map();
    entry.cancelReport?.();
    delete entry.cancelReport;
    try {
      const change = await changeOf(room, heard);
      if (change === undefined || watched.get(room) !== entry) return;
      for (const listener of listeners) listener(change);
    } catch (error) {
      log.error({ err: error }, 'presence change could not be reported');
    }
  }

  /** What is true now, as messages come late and in any order; without Redis, what was heard. */
  async function changeOf(room: string, heard: ReadonlyMap<string, Heard>): Promise<PresenceChange | undefined> {
    const { value, partial } = await registry.look(keyOf(room), [...heard.keys()]);
    const present = new Map(value.members.map((member) => [member.id, member]));
    const joined: Member[] = [];
    const left: string[] = [];
    for (const [id, one] of heard) {
      const now = present.get(id) ?? (partial ? one.member : undefined);
      if (now !== undefined && (one.isUnsure || !wasThere(one))) joined.push(now);
      if (now === undefined && (one.isUnsure || wasThere(one))) left.push(id);
    }
    return joined.length + left.length === 0 ? undefined : { room, joined, left, count: value.count };
  }

  async function remove(room: string, memberId: string): Promise<void> {
    const members = rooms.get(room);
    if (!members?.delete(memberId)) return;
    if (members.size === 0) rooms.delete(room);
    await registry.remove(keyOf(room), memberId);
  }

  return {
    checks: [],
    start: async () => undefined,
    // Who lingers stays in the registry: the lease of this server ends when the linger does.
    async stop() {
      for (const { cancel, cancelReport } of watched.values()) {
        cancel();
        cancelReport?.();
      }
      for (const members of rooms.values()) for (const entry of members.values()) entry.cancelLinger?.();
      watched.clear();
      rooms.clear();
    },
    async join(room, member, socketId) {
      let members = rooms.get(room);
      if (members === undefined) {
        members = new Map();
        rooms.set(room, members);
      }
      const entry = members.get(member.id);
      if (entry === undefined) members.set(member.id, { sockets: new Set([socketId]) });
      else {
        entry.cancelLinger?.();
        delete entry.cancelLinger;
        entry.sockets.add(socketId);
      }
      await registry.add(keyOf(room), member);
    },
    async leave(room, memberId, socketId, how) {
      const entry = rooms.get(room)?.get(memberId);
      if (entry === undefined || !entry.sockets.delete(socketId) || entry.sockets.size > 0) return;
      if (how === 'left') await remove(room, memberId);
      else entry.cancelLinger = clock.after(options.lingerMs, () => void remove(room, memberId));
    },
    count: async (room) => (await registry.count(keyOf(room))).value,
    members: async (room, limit) => (await registry.members(keyOf(room), limit)).value,
    watch(room) {
      const entry = watched.get(room);
      if (entry !== undefined) entry.watchers += 1;
      else {
        const cancel = registry.watch(keyOf(room), (change) => hear(room, change));
        watched.set(room, { watchers: 1, cancel, heard: new Map() });
      }
    },
    unwatch(room) {
      const entry = watched.get(room);
      if (entry === undefined) return;
      entry.watchers -= 1;
      if (entry.watchers > 0) return;
      entry.cancel();
      entry.cancelReport?.();
      watched.delete(room);
    },
    onChange(listener) {
      listeners.push(listener);
    },
  };
}

/** Whether a member was there before all this. Coming and going alternate, but messages of two servers may overtake each other. */
function wasThere({ balance, leftFirst }: Heard): boolean {
  return balance === 0 ? leftFirst : balance < 0;
}
