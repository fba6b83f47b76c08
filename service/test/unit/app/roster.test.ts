import type { Server, Socket } from 'socket.io';
import { describe, expect, it, vi } from 'vitest';
import { createRoster } from '../../../src/app/roster.ts';
import type { Identity, Member, Presence, PresenceChange, Services } from '../../../src/contracts.ts';
import { createMemoryPresence } from '../../../src/presence/memory.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { createFakeSocket, type FakeSocketOptions } from '../../support/fake-socket.ts';

const SETTLED_MS = 60_000;

interface RigOptions {
  /** Rooms that identities allow; all, unless told. */
  allows?: (room: string) => boolean;
  user?: (socket: Socket) => string | undefined;
}

function rig(options: RigOptions = {}) {
  const clock = createFakeClock();
  const inner = createMemoryPresence({ lingerMs: 5_000, debounceMs: 500 }, { clock });
  const held: (() => void)[] = [];
  let isSlow = false;
  // As over a network: joining takes until it is let through.
  const presence: Presence = {
    ...inner,
    async join(room: string, member: Member, socketId: string) {
      if (isSlow) await new Promise<void>((resolve) => held.push(resolve));
      await inner.join(room, member, socketId);
    },
  };
  const watch = vi.spyOn(presence, 'watch');
  const unwatch = vi.spyOn(presence, 'unwatch');
  const told: { to: string; change: PresenceChange }[] = [];
  const io = {
    local: { to: (to: string) => ({ emit: (_event: string, change: PresenceChange) => told.push({ to, change }) }) },
  };
  const allows = { now: options.allows ?? (() => true) };
  const services = {
    presence,
    roomName: (room: string) => `r:${room}`,
    identityOf: (socket: Socket): Identity => {
      const sub = options.user?.(socket);
      return { rooms: [], allows: (room) => allows.now(room), ...(sub === undefined ? {} : { sub }) };
    },
  } as unknown as Services;
  const roster = createRoster(io as unknown as Server, services);
  /** As the gateway does: rooms are left before the socket goes. */
  const connect = (socketOptions: FakeSocketOptions = {}) => {
    const socket = createFakeSocket(socketOptions);
    socket.on('disconnecting', (reason) => void roster.leaveAll(socket, reason === 'left' ? 'left' : 'lost'));
    return socket;
  };
  /** Whom a newcomer to the room is told to. */
  const come = async (room: string) => {
    told.length = 0;
    await presence.join(room, { id: 'newcomer' }, `newcomer of ${room}`);
    clock.advance(500);
    return told.map(({ to }) => to);
  };
  return {
    ...{ clock, presence, roster, told, allows, connect, come, watch, unwatch },
    watches: () => watch.mock.calls.length - unwatch.mock.calls.length,
    slow: () => {
      isSlow = true;
    },
    release: () => {
      isSlow = false;
      for (const go of held.splice(0)) go();
    },
  };
}

describe('joining', () => {
  it('puts the socket into its rooms and its user into presence', async () => {
    const { connect, presence, roster } = rig({ user: () => 'ann' });
    const socket = connect();
    await roster.join(socket, ['a', 'b'], undefined);
    expect(roster.roomsOf(socket)).toEqual(['a', 'b']);
    expect(await presence.members('a', 10)).toEqual([{ id: 'ann' }]);
  });

  it('names a socket without a user by its id', async () => {
    const { connect, presence, roster } = rig();
    const socket = connect({ id: 'socket-id' });
    await roster.join(socket, ['a'], { status: 'here' });
    expect(await presence.members('a', 10)).toEqual([{ id: 'socket-id', meta: { status: 'here' } }]);
  });

  it('shows rooms of clients only: neither its own, nor those of watchers or handlers', async () => {
    const { connect, roster } = rig();
    const socket = connect({ rooms: ['handlers-own'] });
    await roster.join(socket, ['a'], {});
    expect(socket.rooms.size).toBe(4);
    expect(roster.roomsOf(socket)).toEqual(['a']);
  });

  it('with presence tells the socket of changes, without it does not', async () => {
    const { come, connect, roster } = rig();
    const socket = connect();
    await roster.join(socket, ['told'], {});
    await roster.join(socket, ['untold'], undefined);
    expect(await come('told')).toEqual(['p:told']);
    expect(await come('untold')).toEqual([]);
  });

  it('again watches a room once', async () => {
    const { connect, roster, watches } = rig();
    const socket = connect();
    await roster.join(socket, ['a'], { status: 'here' });
    await roster.join(socket, ['a'], { status: 'away' });
    await roster.join(socket, ['a'], undefined);
    expect(watches()).toBe(1);
    await roster.leave(socket, 'a');
    expect(watches()).toBe(0);
  });
});

describe('leaving', () => {
  it('takes the socket out of everything', async () => {
    const { connect, presence, roster, watches } = rig();
    const socket = connect();
    await roster.join(socket, ['a'], {});
    await roster.leave(socket, 'a');
    expect(socket.rooms).toEqual(new Set([socket.id]));
    expect(await presence.count('a')).toBe(0);
    expect(watches()).toBe(0);
    expect(socket.data).toEqual({ presence: {} });
  });

  it('a room that one is not in does nothing', async () => {
    const { connect, presence, roster } = rig({ user: () => 'ann' });
    const [first, second] = [connect(), connect()];
    await roster.join(first, ['a'], undefined);
    await roster.leave(second, 'a');
    expect(await presence.count('a')).toBe(1);
  });

  it.each([
    ['left', 0],
    ['lost', 1],
  ])('with the connection (%s) watches nothing any more', async (reason, remaining) => {
    const { clock, connect, presence, roster, watches } = rig();
    const socket = connect();
    await roster.join(socket, ['a', 'b'], {});
    socket.end(reason);
    expect(watches()).toBe(0);
    expect(await presence.count('a')).toBe(remaining);
    clock.advance(SETTLED_MS);
    expect(await presence.count('b')).toBe(0);
  });
});

describe('a slow presence', () => {
  it('does not keep a member whose socket has gone meanwhile', async () => {
    const { clock, connect, presence, release, roster, slow, watches } = rig();
    const socket = connect();
    slow();
    const joined = roster.join(socket, ['a'], {});
    await Promise.resolve();
    socket.end();
    release();
    await joined;
    clock.advance(SETTLED_MS);
    expect(await presence.count('a')).toBe(0);
    expect(socket.rooms.size).toBe(0);
    expect(watches()).toBe(0);
  });

  it('does not keep a member that has left meanwhile, nor tells it of changes', async () => {
    const { clock, come, connect, presence, release, roster, slow, watches } = rig();
    const socket = connect();
    slow();
    const joined = roster.join(socket, ['a'], {});
    await Promise.resolve();
    await roster.leave(socket, 'a');
    release();
    await joined;
    clock.advance(SETTLED_MS);
    expect(await presence.count('a')).toBe(0);
    expect(watches()).toBe(0);
    expect(socket.rooms).toEqual(new Set([socket.id]));
    expect(await come('a')).toEqual([]);
  });
});

describe('coming back', () => {
  /** What Socket.IO restores: id, rooms and data. */
  const restored = (socket: Socket, rooms: readonly string[]): FakeSocketOptions => ({
    id: socket.id,
    rooms,
    data: structuredClone(socket.data) as Record<string, unknown>,
    isRecovered: true,
  });

  it('is not seen by others, and changes are told again', async () => {
    const { clock, come, connect, presence, roster, told, watches } = rig();
    const before = connect();
    await roster.join(before, ['a'], { status: 'here' });
    const rooms = [...before.rooms];
    clock.advance(SETTLED_MS);
    told.length = 0;
    before.end();
    clock.advance(1_000);
    const after = connect(restored(before, rooms));
    await roster.comeBack(after);
    clock.advance(SETTLED_MS);
    expect(told).toEqual([]);
    expect(await presence.members('a', 10)).toEqual([{ id: after.id, meta: { status: 'here' } }]);
    expect(watches()).toBe(1);
    expect(await come('a')).toEqual(['p:a']);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'to a room called %s does not find metadata that nobody gave',
    async (room) => {
      const { connect, presence, roster, watches } = rig();
      const before = connect();
      await roster.join(before, [room], undefined);
      await roster.join(before, ['watched'], { status: 'here' });
      const rooms = [...before.rooms];
      before.end();
      await roster.comeBack(connect(restored(before, rooms)));
      expect(await presence.members(room, 10)).toEqual([{ id: before.id }]);
      expect(watches()).toBe(1);
    },
  );

  it('to a room called __proto__ finds the metadata that was given', async () => {
    const { connect, presence, roster } = rig();
    const before = connect();
    await roster.join(before, ['__proto__'], { status: 'here' });
    const rooms = [...before.rooms];
    before.end();
    const data = JSON.parse(JSON.stringify(before.data)) as Record<string, unknown>;
    await roster.comeBack(connect({ ...restored(before, rooms), data }));
    expect(await presence.members('__proto__', 10)).toEqual([{ id: before.id, meta: { status: 'here' } }]);
  });

  it('with a narrower token leaves what it no longer allows, and takes no watch from others', async () => {
    const { allows, clock, come, connect, presence, roster, watches } = rig();
    const [other, before] = [connect(), connect()];
    await roster.join(other, ['secret'], {});
    await roster.join(before, ['secret', 'open'], {});
    const rooms = [...before.rooms];
    before.end();
    allows.now = (room) => room !== 'secret';
    const after = connect(restored(before, rooms));
    await roster.comeBack(after);
    expect(roster.roomsOf(after)).toEqual(['open']);
    expect(after.rooms.has('p:secret')).toBe(false);
    clock.advance(SETTLED_MS);
    expect(await presence.members('secret', 10)).toEqual([{ id: other.id, meta: {} }]);
    expect(watches()).toBe(2);
    expect(await come('secret')).toEqual(['p:secret']);
  });
});

describe('a fresh, narrower token', () => {
  it('takes the socket out of the rooms that it does not allow', async () => {
    const { allows, connect, presence, roster, watches } = rig();
    const socket = connect();
    await roster.join(socket, ['a', 'b', 'c'], {});
    allows.now = (room) => room === 'b';
    await roster.leaveForbidden(socket);
    expect(roster.roomsOf(socket)).toEqual(['b']);
    expect(await presence.count('a')).toBe(0);
    expect(watches()).toBe(1);
  });
});
