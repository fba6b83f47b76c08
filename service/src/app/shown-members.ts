/** What a question about presence is answered with: bounded, and worked out once for all who ask at the same time. */
import type { Member, Presence } from '../contracts.ts';

export interface ShownMembers {
  readonly count: number;
  readonly members: readonly Member[];
}

const MOST_MEMBERS = 1000;
/** Characters of JSON; members after that are shown by their ids only. */
const MOST_METADATA = 64_000;
// Shorter than the time over which changes are gathered, so that the change which an answer lacks is yet to come.
const FRESH_MS = 200;

/** Answers for a room are at most 200 ms old. */
export function createShownMembers(
  presence: Pick<Presence, 'count' | 'members'>,
): (room: string) => Promise<ShownMembers> {
  // Insertion order is age.
  const answers = new Map<string, { readonly until: number; readonly answer: Promise<ShownMembers> }>();

  function forgetOld(now: number): void {
    for (const [room, { until }] of answers) {
      if (until > now) return;
      answers.delete(room);
    }
  }

  async function look(room: string): Promise<ShownMembers> {
    const [count, members] = await Promise.all([presence.count(room), presence.members(room, MOST_MEMBERS)]);
    return { count, members: bounded(members) };
  }

  return (room) => {
    const now = performance.now();
    forgetOld(now);
    const known = answers.get(room);
    if (known !== undefined) return known.answer;
    const answer = look(room);
    answers.set(room, { until: now + FRESH_MS, answer });
    // Who asks next may be luckier.
    answer.catch(() => {
      if (answers.get(room)?.answer === answer) answers.delete(room);
    });
    return answer;
  };
}

function bounded(members: readonly Member[]): Member[] {
  let left = MOST_METADATA;
  return members.map(({ id, meta }) => {
    if (meta !== undefined && left > 0) left -= JSON.stringify(meta).length;
    return meta === undefined || left < 0 ? { id } : { id, meta };
  });
}
