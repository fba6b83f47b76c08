import { afterEach, describe, expect, it, vi } from 'vitest';
import { createShownMembers } from '../../../src/app/shown-members.ts';
import type { Member } from '../../../src/contracts.ts';

afterEach(() => void vi.useRealTimers());

/** A presence whose rooms have these members, and the rooms that it was asked about. */
function rig(members: readonly Member[]) {
  vi.useFakeTimers({ toFake: ['performance'] });
  const asked: string[] = [];
  let isBroken = false;
  const ask = createShownMembers({
    count: async () => members.length,
    async members(room, limit) {
      asked.push(room);
      if (isBroken) throw new Error('away');
      return members.slice(0, limit);
    },
  });
  return {
    ask,
    asked,
    setBroken: (value: boolean) => {
      isBroken = value;
    },
  };
}

const member = (n: number, characters: number) => ({ id: `m${n}`, meta: { n: 'x'.repeat(characters) } });

describe('an answer about presence', () => {
  it('shows everything of a small room', async () => {
    const members = [{ id: 'a', meta: { name: 'Ada' } }, { id: 'b' }];
    expect(await rig(members).ask('room')).toEqual({ count: 2, members });
  });

  it('shows at most 1000 members, and of those beyond 64 kB of metadata the ids', async () => {
    const { ask } = rig(Array.from({ length: 2_000 }, (_, n) => member(n, 2_000)));
    const { count, members } = await ask('room');
    expect([count, members.length]).toEqual([2_000, 1_000]);
    const shown = members.filter(({ meta }) => meta !== undefined);
    expect(shown).toEqual(members.slice(0, shown.length));
    expect(shown.length).toBe(Math.floor(64_000 / JSON.stringify(member(0, 2_000).meta).length));
    expect(members.at(-1)).toEqual({ id: 'm999' });
  });

  it('is worked out once for all who ask within 200 ms, for each room', async () => {
    const { ask, asked } = rig([member(1, 1)]);
    const answers = await Promise.all([ask('a'), ask('a'), ask('b')]);
    vi.advanceTimersByTime(199);
    expect(await ask('a')).toBe(answers[0]);
    expect(asked).toEqual(['a', 'b']);
    vi.advanceTimersByTime(1);
    await ask('a');
    expect(asked).toEqual(['a', 'b', 'a']);
  });

  it('that failed is not given again', async () => {
    const { ask, asked, setBroken } = rig([]);
    setBroken(true);
    await expect(ask('a')).rejects.toThrow('away');
    setBroken(false);
    expect(await ask('a')).toEqual({ count: 0, members: [] });
    expect(asked).toEqual(['a', 'a']);
  });
});
