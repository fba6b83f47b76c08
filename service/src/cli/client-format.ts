/** How the terminal client words what happens. Pure; whatever others sent is made harmless before it is shown. */
import type { Member, Meta, PresenceChange } from '../contracts.ts';

/** Words for a terminal. `paint` colours or leaves as is. */
export interface Format {
  message(data: unknown, meta: Pick<Meta, 'room' | 'ts' | 'from'>): string;
  presence(change: PresenceChange, nameOf: (id: string) => string): string[];
  /** Something that happened to us. */
  note(text: string): string;
  problem(text: string): string;
}

const NAMES_SHOWN = 20;
const TEXT_SHOWN = 4000;

/** Words in colour or without; `now` is the wall clock in milliseconds. */
export function createFormat(options: { colours: boolean; now: () => number }): Format {
  const paint = (code: number) => (text: string) => (options.colours ? `\u001b[${code}m${text}\u001b[0m` : text);
  const [bold, dim, red, green, yellow, cyan] = [paint(1), paint(2), paint(31), paint(32), paint(33), paint(36)];
  const stamp = (ms: number) => dim(timeOfDay(ms));
  return {
    message(data, meta) {
      const { text, name } = spoken(data);
      const sender = harmless(meta.from ?? name ?? 'someone');
      return `${stamp(meta.ts)} ${cyan(`[${harmless(meta.room)}]`)} ${bold(sender)}: ${harmless(text)}`;
    },
    presence({ room, joined, left, count }, nameOf) {
      const start = `${stamp(options.now())} ${cyan(`[${harmless(room)}]`)}`;
      const end = dim(`(${count} here)`);
      const lines: string[] = [];
      if (joined.length > 0)
        lines.push(`${start} ${green('+')} ${names(joined.map(({ id }) => nameOf(id)))} joined ${end}`);
      if (left.length > 0) lines.push(`${start} ${yellow('-')} ${names(left.map(nameOf))} left ${end}`);
      return lines;
    },
    note: (text) => `${stamp(options.now())} ${dim('*')} ${text}`,
    problem: (text) => `${stamp(options.now())} ${red('!')} ${text}`,
  };
}

/** The text and the unverified name in a message: ours carry `{ text, name }`, those of others may be anything. */
export function spoken(data: unknown): { text: string; name?: string } {
  if (typeof data === 'string') return { text: data };
  if (data instanceof Uint8Array) return { text: `<${data.byteLength} bytes>` };
  if (typeof data === 'object' && data !== null && 'text' in data && typeof data.text === 'string') {
    const name = 'name' in data && typeof data.name === 'string' && data.name !== '' ? data.name : undefined;
    return name === undefined ? { text: data.text } : { text: data.text, name };
  }
  return { text: JSON.stringify(data) ?? 'nothing' };
}

/** A member's name: the one it gave, otherwise its id. */
export function memberName(member: Member): string {
  const meta = member.meta;
  const named = typeof meta === 'object' && meta !== null && 'name' in meta && typeof meta.name === 'string';
  return named && meta.name !== '' ? (meta.name as string) : member.id;
}

/** A list of names for one line; a long one is cut and counted. */
export function names(list: readonly string[]): string {
  const shown = list.slice(0, NAMES_SHOWN).map(harmless).join(', ');
  return list.length > NAMES_SHOWN ? `${shown} and ${list.length - NAMES_SHOWN} more` : shown;
}

/** Text of others without what a terminal would obey: control characters and reversed writing. */
export function harmless(text: string): string {
  const shown = text.length > TEXT_SHOWN ? `${text.slice(0, TEXT_SHOWN)}…` : text;
  return shown.replace(/\r\n|[\n\r]/g, ' ⏎ ').replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}

/** A duration for people: 850 ms, 2.1 s, 3 min 5 s. */
export function duration(ms: number): string {
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}

function timeOfDay(ms: number): string {
  const date = new Date(ms);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':');
}
