/** Says what happens, and remembers the names behind the ids. */
import type { Member, Meta, PresenceChange } from '../contracts.ts';
import { type Format, harmless, memberName, names } from './client-format.ts';
import type { Reply } from './client-session.ts';

/** How a typed line went. */
export type Outcome = 'done' | 'refused' | 'quit';

/** Prints notes, problems, messages and who is where. */
export interface Narrator {
  note(text: string): void;
  /** Prints what is wrong. */
  problem(text: string): Outcome;
  refusal(what: string, reply: Reply & { ok: false }): Outcome;
  message: (data: unknown, meta: unknown) => void;
  presence(change: PresenceChange): void;
  /** Words for an answer to `presence`. */
  present(reply: Reply & { ok: true }): string;
}

/** What a narrator needs. */
export interface NarratorOptions {
  readonly format: Format;
  print(line: string): void;
  /** With tokens an id is a user that the server vouches for; then nobody goes by a name of their own choice. */
  readonly areIdsUsers: boolean;
}

/** Creates a narrator. */
export function createNarrator({ format, print, areIdsUsers }: NarratorOptions): Narrator {
  // Presence tells who leaves by id only; these are the names that came with them.
  const nameOfId = new Map<string, string>();
  const remember = (members: readonly Member[]) => {
    for (const member of members) nameOfId.set(member.id, areIdsUsers ? member.id : memberName(member));
  };
  const nameOf = (id: string) => nameOfId.get(id) ?? id;
  const problem = (text: string): Outcome => {
    print(format.problem(text));
    return 'refused';
  };
  return {
    note: (text) => print(format.note(text)),
    problem,
    refusal: (what, { code, message }) => problem(`${what}: ${harmless(code)}: ${harmless(message)}`),
    message: (data, meta) => print(format.message(data, asMeta(meta))),
    presence(change) {
      remember(change.joined);
      for (const line of format.presence(change, nameOf)) print(line);
      for (const id of change.left) nameOfId.delete(id);
    },
    present({ count, members }) {
      const list = Array.isArray(members) ? (members as Member[]) : [];
      remember(list);
      return `${count} here${list.length > 0 ? ` (${names(list.map(({ id }) => nameOf(id)))})` : ''}`;
    },
  };
}

// Another app module may send `message` without our second argument.
function asMeta(meta: unknown): Pick<Meta, 'room' | 'ts' | 'from'> {
  const { room, ts, from } = (typeof meta === 'object' && meta !== null ? meta : {}) as Record<string, unknown>;
  return {
    room: typeof room === 'string' ? room : '?',
    ts: typeof ts === 'number' ? ts : Date.now(),
    ...(typeof from === 'string' ? { from } : {}),
  };
}
