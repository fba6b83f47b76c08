/** What every Presence does, whatever it keeps its members in. */
import { describe, expect, it } from 'vitest';
import type { Member, Presence, PresenceChange } from '../../src/contracts.ts';
import { seededRandom } from '../support/seeded-random.ts';

export interface PresenceTimes {
  readonly lingerMs: number;
  readonly debounceMs: number;
}

/** A started presence whose time the test moves; it ends with the test. */
export interface PresenceRig {
  readonly presence: Presence;
  /** Moves time on, and resolves when all that came due is done and has been reported. */
  pass(ms: number): Promise<void>;
}

const LINGER_MS = 5_000;
const DEBOUNCE_MS = 500;

/** Runs the suite against what `create` makes; each test gets its own. */
export function presenceSuite(name: string, create: (times: PresenceTimes) => Promise<PresenceRig>): void {
  async function rig() {
    const made = await create({ lingerMs: LINGER_MS, debounceMs: DEBOUNCE_MS });
    const changes: PresenceChange[] = [];
    made.presence.onChange((change) => void changes.push(change));
    const ids = async (room: string) => (await made.presence.members(room, 1000)).map(({ id }) => id).sort();
    /** Changes of one room that have been reported, sorted, once the debounce is over. */
    const reported = async (room: string) => {
      await made.pass(DEBOUNCE_MS);
      return changes
        .filter((change) => change.room === room)
        .map(({ joined, left, count }) => ({
          joined: joined.map(({ id }) => id).sort(),
          left: [...left].sort(),
          count,
        }));
    };
    return { ...made, changes, ids, reported };
  }

  describe(`${name}: members`, () => {
    it('nobody has ever entered a room that nobody entered', async () => {
      const { presence, ids } = await rig();
      expect(await presence.count('lobby')).toBe(0);
      expect(await ids('lobby')).toEqual([]);
    });

    it('a member counts once, with however many sockets', async () => {
      const { presence, ids } = await rig();
      for (const socket of ['s1', 's2', 's2', 's3']) await presence.join('lobby', { id: 'ann' }, socket);
      await presence.join('lobby', { id: 'bob' }, 's4');
      expect(await presence.count('lobby')).toBe(2);
      expect(await ids('lobby')).toEqual(['ann', 'bob']);
    });

    it('a member leaves with the last of its sockets', async () => {
      const { presence } = await rig();
      await presence.join('lobby', { id: 'ann' }, 's1');
      await presence.join('lobby', { id: 'ann' }, 's2');
      await presence.leave('lobby', 'ann', 's1', 'left');
      expect(await presence.count('lobby')).toBe(1);
      await presence.leave('lobby', 'ann', 's2', 'left');
      expect(await presence.count('lobby')).toBe(0);
    });

    it('rooms know nothing of each other', async () => {
      const { presence, ids } = await rig();
      await presence.join('a', { id: 'ann' }, 's1');
      await presence.join('b', { id: 'ann' }, 's1');
      await presence.leave('a', 'ann', 's1', 'left');
      expect([await ids('a'), await ids('b')]).toEqual([[], ['ann']]);
    });

    it('leaving what one is not in changes nothing', async () => {
      const { presence } = await rig();
      await presence.join('lobby', { id: 'ann' }, 's1');
      await presence.leave('lobby', 'ann', 'other-socket', 'left');
      await presence.leave('lobby', 'bob', 's1', 'left');
      await presence.leave('nowhere', 'ann', 's1', 'lost');
      expect(await presence.count('lobby')).toBe(1);
      await presence.leave('lobby', 'ann', 's1', 'left');
      await presence.leave('lobby', 'ann', 's1', 'left');
      expect(await presence.count('lobby')).toBe(0);
    });

    it('members are shown with what they gave last; joining without anything keeps it', async () => {
      const { presence } = await rig();
      await presence.join('lobby', { id: 'ann', meta: { status: 'here' } }, 's1');
      await presence.join('lobby', { id: 'ann', meta: { status: 'away' } }, 's2');
      await presence.join('lobby', { id: 'ann' }, 's3');
      expect(await presence.members('lobby', 10)).toEqual([{ id: 'ann', meta: { status: 'away' } }]);
    });

    it('no more members are listed than were asked for, and all are counted', async () => {
      const { presence } = await rig();
      for (let i = 0; i < 25; i++) await presence.join('lobby', { id: `user-${i}` }, `s${i}`);
      expect(await presence.members('lobby', 10)).toHaveLength(10);
      expect(await presence.members('lobby', 0)).toEqual([]);
      expect(await presence.members('lobby', 100)).toHaveLength(25);
      expect(await presence.count('lobby')).toBe(25);
    });

    it.each(['__proto__', 'constructor', 'a:b', '{tag}', 'a\u0000b', '*', ' ', 'ä\u{1f600}'])(
      'rooms and members may be called %j',
      async (word) => {
        const { presence, reported } = await rig();
        const meta = JSON.parse('{"__proto__":{"admin":true},"constructor":1}') as unknown;
        presence.watch(word);
        await presence.join(word, { id: word, meta }, word);
        await presence.join('other', { id: word }, 'socket');
        expect(await presence.count(word)).toBe(1);
        expect(JSON.stringify(await presence.members(word, 10))).toBe(JSON.stringify([{ id: word, meta }]));
        expect(await reported(word)).toEqual([{ joined: [word], left: [], count: 1 }]);
        await presence.leave(word, word, word, 'left');
        expect(await presence.count(word)).toBe(0);
      },
    );
  });

  describe(`${name}: lost connections`, () => {
    it('a lost member stays for the linger time', async () => {
      const { presence, pass } = await rig();
      await presence.join('lobby', { id: 'ann' }, 's1');
      await presence.leave('lobby', 'ann', 's1', 'lost');
      await pass(LINGER_MS - 1);
      expect(await presence.count('lobby')).toBe(1);
      await pass(1);
      expect(await presence.count('lobby')).toBe(0);
    });

    it('a member that comes back in time stays', async () => {
      const { presence, pass } = await rig();
      await presence.join('lobby', { id: 'ann', meta: 1 }, 's1');
      await presence.leave('lobby', 'ann', 's1', 'lost');
      await pass(LINGER_MS - 1);
      await presence.join('lobby', { id: 'ann' }, 's2');
      await pass(LINGER_MS * 3);
      expect(await presence.members('lobby', 10)).toEqual([{ id: 'ann', meta: 1 }]);
    });

    it('a member that is lost again has the whole linger time again', async () => {
      const { presence, pass } = await rig();
      await presence.join('lobby', { id: 'ann' }, 's1');
      await presence.leave('lobby', 'ann', 's1', 'lost');
      await pass(LINGER_MS - 1);
      await presence.join('lobby', { id: 'ann' }, 's2');
      await presence.leave('lobby', 'ann', 's2', 'lost');
      await pass(LINGER_MS - 1);
      expect(await presence.count('lobby')).toBe(1);
      await pass(1);
      expect(await presence.count('lobby')).toBe(0);
    });

    it('a member with another socket does not linger', async () => {
      const { presence, pass } = await rig();
      await presence.join('lobby', { id: 'ann' }, 's1');
      await presence.join('lobby', { id: 'ann' }, 's2');
      await presence.leave('lobby', 'ann', 's1', 'lost');
      await pass(LINGER_MS * 2);
      expect(await presence.count('lobby')).toBe(1);
      await presence.leave('lobby', 'ann', 's2', 'left');
      expect(await presence.count('lobby')).toBe(0);
    });
  });

  describe(`${name}: changes`, () => {
    it('are reported for watched rooms only', async () => {
      const { presence, reported } = await rig();
      presence.watch('watched');
      await presence.join('watched', { id: 'ann' }, 's1');
      await presence.join('other', { id: 'ann' }, 's1');
      expect(await reported('watched')).toEqual([{ joined: ['ann'], left: [], count: 1 }]);
      expect(await reported('other')).toEqual([]);
    });

    it('begin with the watch: who was there before is no news', async () => {
      const { presence, reported } = await rig();
      await presence.join('lobby', { id: 'ann' }, 's1');
      presence.watch('lobby');
      await presence.join('lobby', { id: 'bob' }, 's2');
      expect(await reported('lobby')).toEqual([{ joined: ['bob'], left: [], count: 2 }]);
    });

    it('show what the member gave', async () => {
      const { changes, presence, reported } = await rig();
      presence.watch('lobby');
      await presence.join('lobby', { id: 'ann', meta: { status: 'here' } }, 's1');
      await presence.join('lobby', { id: 'ann', meta: { status: 'away' } }, 's2');
      await reported('lobby');
      expect(changes[0]?.joined).toEqual([{ id: 'ann', meta: { status: 'away' } }]);
    });

    it('of a short time come together, with the count as it is then', async () => {
      const { presence, pass, reported } = await rig();
      await presence.join('lobby', { id: 'ann' }, 's1');
      presence.watch('lobby');
      await presence.join('lobby', { id: 'bob' }, 's2');
      await pass(DEBOUNCE_MS - 100);
      await presence.join('lobby', { id: 'cid' }, 's3');
      await presence.leave('lobby', 'ann', 's1', 'left');
      expect(await reported('lobby')).toEqual([{ joined: ['bob', 'cid'], left: ['ann'], count: 2 }]);
    });

    it('that undo each other are no news', async () => {
      const { presence, reported } = await rig();
      await presence.join('lobby', { id: 'ann' }, 's1');
      presence.watch('lobby');
      await presence.leave('lobby', 'ann', 's1', 'left');
      await presence.join('lobby', { id: 'ann' }, 's2');
      await presence.join('lobby', { id: 'bob' }, 's3');
      await presence.leave('lobby', 'bob', 's3', 'left');
      expect(await reported('lobby')).toEqual([]);
    });

    it('are of members, not of their sockets', async () => {
      const { presence, reported } = await rig();
      await presence.join('lobby', { id: 'ann' }, 's1');
      presence.watch('lobby');
      await presence.join('lobby', { id: 'ann' }, 's2');
      await presence.leave('lobby', 'ann', 's1', 'left');
      expect(await reported('lobby')).toEqual([]);
    });

    it('do not show a reconnect', async () => {
      const { presence, pass, reported } = await rig();
      await presence.join('lobby', { id: 'ann' }, 's1');
      presence.watch('lobby');
      await presence.leave('lobby', 'ann', 's1', 'lost');
      await pass(LINGER_MS - DEBOUNCE_MS);
      await presence.join('lobby', { id: 'ann' }, 's2');
      await pass(LINGER_MS * 2);
      expect(await reported('lobby')).toEqual([]);
    });

    it('show who does not come back, once the linger time is over', async () => {
      const { presence, pass, reported } = await rig();
      await presence.join('lobby', { id: 'ann' }, 's1');
      presence.watch('lobby');
      await presence.leave('lobby', 'ann', 's1', 'lost');
      await pass(LINGER_MS - DEBOUNCE_MS - 1);
      expect(await reported('lobby')).toEqual([]);
      await pass(1);
      expect(await reported('lobby')).toEqual([{ joined: [], left: ['ann'], count: 0 }]);
    });

    it('reach every listener', async () => {
      const { presence, reported } = await rig();
      const seen: string[] = [];
      presence.onChange(({ room }) => void seen.push(`first ${room}`));
      presence.onChange(({ room }) => void seen.push(`second ${room}`));
      presence.watch('lobby');
      await presence.join('lobby', { id: 'ann' }, 's1');
      await reported('lobby');
      expect(seen.sort()).toEqual(['first lobby', 'second lobby']);
    });

    it('stop with the last of several watches', async () => {
      const { presence, reported } = await rig();
      presence.watch('lobby');
      presence.watch('lobby');
      presence.unwatch('lobby');
      await presence.join('lobby', { id: 'ann' }, 's1');
      expect(await reported('lobby')).toHaveLength(1);
      presence.unwatch('lobby');
      await presence.join('lobby', { id: 'bob' }, 's2');
      expect(await reported('lobby')).toHaveLength(1);
    });

    it('that wait when the last watch ends are not reported', async () => {
      const { presence, reported } = await rig();
      presence.watch('lobby');
      await presence.join('lobby', { id: 'ann' }, 's1');
      presence.unwatch('lobby');
      expect(await reported('lobby')).toEqual([]);
    });

    it('come again after a watch too many was ended', async () => {
      const { presence, reported } = await rig();
      presence.unwatch('lobby');
      presence.unwatch('lobby');
      presence.watch('lobby');
      await presence.join('lobby', { id: 'ann' }, 's1');
      expect(await reported('lobby')).toHaveLength(1);
    });

    it('end with a stop, which is safe twice', async () => {
      const { presence, reported } = await rig();
      presence.watch('lobby');
      await presence.join('lobby', { id: 'ann' }, 's1');
      await presence.stop();
      await presence.stop();
      expect(await reported('lobby')).toEqual([]);
    });
  });

  describe(`${name}: a long day`, () => {
    it.each([1, 2, 3])('who follows the changes knows the members at the end (seed %i)', async (seed) => {
      const { changes, ids, pass, presence } = await rig();
      const random = seededRandom(seed * 101);
      const pick = (most: number) => Math.floor(random() * most);
      const sockets = new Map<string, Set<string>>();
      presence.watch('lobby');
      for (let i = 0; i < 400; i++) {
        const id = `user-${pick(6)}`;
        const socket = `${id}-${pick(3)}`;
        const own = sockets.get(id) ?? new Set();
        sockets.set(id, own);
        if (random() < 0.5) {
          own.add(socket);
          await presence.join('lobby', { id }, socket);
        } else {
          own.delete(socket);
          await presence.leave('lobby', id, socket, random() < 0.5 ? 'left' : 'lost');
        }
        if (random() < 0.3) await pass(pick(LINGER_MS));
      }
      await pass(LINGER_MS + DEBOUNCE_MS);
      const expected = [...sockets].flatMap(([id, own]) => (own.size > 0 ? [id] : [])).sort();
      expect(await ids('lobby')).toEqual(expected);
      expect(await presence.count('lobby')).toBe(expected.length);
      expect([...replay(changes)].sort()).toEqual(expected);
      expect(changes.at(-1)?.count).toBe(expected.length);
    });
  });
}

/** Who is there according to the changes alone; nobody joins twice or leaves without being there. */
function replay(changes: readonly PresenceChange[]): Set<string> {
  const present = new Set<string>();
  for (const { joined, left, count } of changes) {
    for (const id of left) expect(present.delete(id), `${id} left without being there`).toBe(true);
    for (const { id } of joined as readonly Member[]) {
      expect(present.has(id), `${id} joined twice`).toBe(false);
      present.add(id);
    }
    expect(present.size).toBe(count);
  }
  return present;
}
