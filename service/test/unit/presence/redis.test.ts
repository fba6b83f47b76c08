import { describe, expect, it } from 'vitest';
import type { Member, PresenceChange, Registry, RegistryChange } from '../../../src/contracts.ts';
import { createRedisPresence } from '../../../src/presence/redis.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { createRecordingLog } from '../../support/silent-log.ts';

const DEBOUNCE_MS = 500;

/** Presence over a registry whose truth and messages are the test's. */
function rig() {
  const clock = createFakeClock();
  const log = createRecordingLog();
  const truth = new Map<string, Member>();
  const state = { partial: false };
  const listeners = new Map<string, (change: RegistryChange) => void>();
  const asked: string[][] = [];
  const answer = <T>(value: T) => ({ value, partial: state.partial });
  const registry: Registry = {
    async add(_key, member) {
      truth.set(member.id, member);
    },
    async remove(_key, id) {
      truth.delete(id);
    },
    count: async () => answer(truth.size),
    members: async () => answer([...truth.values()]),
    async look(_key, ids) {
      asked.push([...ids]);
      return answer({ count: truth.size, members: ids.flatMap((id) => truth.get(id) ?? []) });
    },
    holders: async () => answer([]),
    watch(key, listener) {
      listeners.set(key, listener);
      return () => void listeners.delete(key);
    },
  };
  const presence = createRedisPresence({ lingerMs: 5_000, debounceMs: DEBOUNCE_MS }, { clock, log, registry });
  const changes: PresenceChange[] = [];
  presence.onChange((change) => void changes.push(change));
  presence.watch('lobby');
  const hear = (joined: string[], left: string[], isAgain = false) =>
    listeners.get('presence:lobby')?.({ joined: joined.map((id) => ({ id })), left, isAgain });
  const settle = async () => {
    for (let i = 0; i < 20; i++) await Promise.resolve();
  };
  const pass = async (ms = DEBOUNCE_MS) => {
    clock.advance(ms);
    await settle();
  };
  return { clock, log, truth, state, presence, changes, hear, pass, settle, asked, listeners };
}

describe('changes from other servers', () => {
  it('are looked up before they are told', async () => {
    const { truth, changes, hear, pass } = rig();
    truth.set('ann', { id: 'ann', meta: 'newest' });
    hear(['ann', 'bob'], ['cid']);
    await pass();
    expect(changes).toEqual([{ room: 'lobby', joined: [{ id: 'ann', meta: 'newest' }], left: ['cid'], count: 1 }]);
  });

  it.each([
    ['left, joined', true, [[], []]],
    ['joined, left', false, [[], []]],
    ['left, joined, left', false, [[], ['ann']]],
    ['joined, left, left', false, [[], ['ann']]],
    ['joined, left, joined', true, [['ann'], []]],
    ['left, joined, joined', true, [['ann'], []]],
  ])('that overtook each other come right: %s', async (order, isThere, expected) => {
    const { truth, changes, hear, pass } = rig();
    if (isThere) truth.set('ann', { id: 'ann' });
    for (const what of order.split(', ')) hear(what === 'joined' ? ['ann'] : [], what === 'left' ? ['ann'] : []);
    await pass();
    const told = changes.map(({ joined, left }) => [joined.map(({ id }) => id), left]);
    expect(told).toEqual(JSON.stringify(expected) === '[[],[]]' ? [] : [expected]);
  });

  it('that may have been told before are told as they are now', async () => {
    const { truth, changes, hear, pass } = rig();
    truth.set('ann', { id: 'ann' });
    hear(['ann', 'bob'], [], true);
    hear([], ['bob']);
    await pass();
    expect(changes).toEqual([{ room: 'lobby', joined: [{ id: 'ann' }], left: ['bob'], count: 1 }]);
  });

  it('are believed while nobody can be asked', async () => {
    const { state, changes, hear, pass } = rig();
    state.partial = true;
    hear(['ann'], ['bob']);
    hear(['bob'], []);
    hear([], ['cid']);
    await pass();
    expect(changes).toEqual([{ room: 'lobby', joined: [{ id: 'ann' }], left: ['cid'], count: 0 }]);
  });

  it('of a crowd are told in several parts, without waiting', async () => {
    const { truth, changes, hear, settle, asked, clock } = rig();
    for (let i = 0; i < 1_200; i++) {
      truth.set(`u${i}`, { id: `u${i}` });
      hear([`u${i}`], []);
    }
    await settle();
    expect(changes.map(({ joined }) => joined.length)).toEqual([500, 500]);
    clock.advance(DEBOUNCE_MS);
    await settle();
    expect(asked.map((ids) => ids.length)).toEqual([500, 500, 200]);
    expect(clock.pending()).toBe(0);
  });

  it('are not told once the last watch has ended, not even to who watches again', async () => {
    const { truth, presence, changes, hear, clock, settle, listeners } = rig();
    truth.set('ann', { id: 'ann' });
    hear(['ann'], []);
    clock.advance(DEBOUNCE_MS);
    presence.unwatch('lobby');
    expect(listeners.size).toBe(0);
    presence.watch('lobby');
    await settle();
    expect(changes).toEqual([]);
    expect(clock.pending()).toBe(0);
  });

  it('do not end the process when a listener fails', async () => {
    const { presence, hear, pass, truth, log } = rig();
    presence.onChange(() => {
      throw new Error('broken');
    });
    truth.set('ann', { id: 'ann' });
    hear(['ann'], []);
    await pass();
    expect(log.lines.map(({ level, event }) => [level, event])).toEqual([
      ['error', 'presence change could not be reported'],
    ]);
  });
});

describe('members of this server', () => {
  it('stay in the registry when presence stops: they go with the lease', async () => {
    const { presence, truth, clock } = rig();
    await presence.join('lobby', { id: 'ann' }, 's1');
    await presence.join('lobby', { id: 'bob' }, 's2');
    await presence.leave('lobby', 'ann', 's1', 'lost');
    await presence.stop();
    expect([...truth.keys()]).toEqual(['ann', 'bob']);
    expect(clock.pending()).toBe(0);
  });
});
