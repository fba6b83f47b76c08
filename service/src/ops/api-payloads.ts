/** What the HTTP API takes: shapes, and refusals that name the field. */
import { z } from 'zod';
import type { PublishRequest } from '../contracts.ts';
import { type RefusalCode, Refused } from '../refusals.ts';

const MOST_ROOMS = 64;
const MOST_EXCEPT = 1_000;
const MOST_MESSAGES = 1_000;
const MOST_LISTED = 1_000;
const DEFAULT_LISTED = 100;
const DEEPEST_DATA = 100;
const MOST_ISSUES_SHOWN = 5;

// The gateway's rule: no control, format, surrogate, private-use or unassigned characters, no line separators.
// The two joiners are part of how Persian, Indic and emoji text is written.
const notPrintable = /(?![\u200c\u200d])[\p{C}\p{Zl}\p{Zp}]/u;

// What Socket.IO or the gateway sends by itself: a publisher must not be able to imitate it.
const RESERVED_EVENTS = new Set([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'error',
  'newListener',
  'removeListener',
  'presence',
  'recovery',
  'session',
]);

const text = z.string({ error: (issue) => (issue.input === undefined ? 'is required' : 'must be text') });

function name(longest: number) {
  return text.superRefine((value, context) => {
    const problem = nameProblem(value, longest);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });
}

function nameProblem(value: string, longest: number): string | undefined {
  if (value === '') return 'is empty';
  // Characters and not UTF-16 units, as the gateway counts them.
  const length = value.length > longest ? [...value].length : value.length;
  if (length > longest) return `has ${length} characters, ${longest} are allowed`;
  const at = value.search(notPrintable);
  return at < 0 ? undefined : `has a character at position ${at} that is not printable`;
}

const event = name(64)
  .refine((value) => value === value.trim(), 'has spaces around it')
  .refine((value) => !RESERVED_EVENTS.has(value), 'is reserved');

function list<T extends z.ZodType>(item: T, most: number) {
  return z.array(item, { error: 'must be a list' }).max(most, `has too many entries, ${most} are allowed`);
}

const publish = z
  .strictObject(
    {
      room: name(128).optional(),
      rooms: list(name(128), MOST_ROOMS).min(1, 'is empty').optional(),
      event: event.optional(),
      data: z.unknown().refine((value) => !isDeeper(value, DEEPEST_DATA), `is nested more than ${DEEPEST_DATA} levels`),
      id: name(128).optional(),
      except: list(name(128), MOST_EXCEPT).optional(),
    },
    { error: 'must be an object' },
  )
  .superRefine((value, context) => {
    const given = [value.room, value.rooms].filter((one) => one !== undefined).length;
    if (given === 0) context.addIssue({ code: 'custom', path: ['room'], message: 'is required, or rooms' });
    if (given === 2) context.addIssue({ code: 'custom', path: ['rooms'], message: 'cannot stand beside room' });
  });

const batch = z.strictObject(
  { messages: list(z.unknown(), MOST_MESSAGES).min(1, 'is empty') },
  { error: 'must be an object' },
);

const listed = `must be a whole number from 1 to ${MOST_LISTED}`;
const limit = z
  .string()
  .regex(/^[1-9]\d{0,3}$/, listed)
  .transform(Number)
  .refine((value) => value <= MOST_LISTED, listed)
  .default(DEFAULT_LISTED);

const roomsQuery = z.strictObject({ limit, after: z.string().max(128, 'is no room name').optional() });
const roomQuery = z.strictObject({ limit });

/** One message to publish. `where` comes before the field in a refusal: `messages[3].`, or nothing. */
export function parsePublish(raw: unknown, where: string): PublishRequest {
  const { room, rooms, ...rest } = parse(publish, raw, where);
  return { rooms: [...new Set(rooms ?? [room ?? ''])], ...rest };
}

/** The messages of a batch, not yet looked at one by one. */
export function parseBatch(raw: unknown): readonly unknown[] {
  return parse(batch, raw).messages;
}

/** Query of the list of rooms. */
export function parseRoomsQuery(query: unknown): { limit: number; after?: string | undefined } {
  return parse(roomsQuery, query);
}

/** Query of one room; `limit` is for its members. */
export function parseRoomQuery(query: unknown): { limit: number } {
  return parse(roomQuery, query);
}

/** A room in a path. */
export function parseRoom(raw: string): string {
  return parse(z.strictObject({ room: name(128) }), { room: raw }).room;
}

/** A socket's id or a user in a path. Users are what tokens name, so nearly any text. */
export function parseId(field: 'id' | 'sub', raw: string): string {
  const longest = field === 'id' ? 128 : 512;
  if (raw.length > longest) {
    throw new Refused('bad_request', `${field}: has ${raw.length} characters, ${longest} are allowed`);
  }
  return raw;
}

function parse<T>(schema: z.ZodType<T>, raw: unknown, where = ''): T {
  const result = schema.safeParse(raw);
  if (result.success) return result.data;
  const { issues } = result.error;
  const detail = issues
    .slice(0, MOST_ISSUES_SHOWN)
    .map((issue) => described(issue, where))
    .join('; ');
  throw new Refused(codeOf(issues[0]), detail);
}

function described(issue: z.core.$ZodIssue, where: string): string {
  const field = issue.path.reduce<string>(
    (path, part) => (typeof part === 'number' ? `${path}[${part}]` : `${path}${path === '' ? '' : '.'}${String(part)}`),
    '',
  );
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${where}${key.slice(0, 64)}: is not a field`).join('; ');
  }
  const isMissing = issue.code === 'invalid_type' && issue.expected === 'nonoptional';
  const place = field === '' ? where.replace(/\.$/, '') || 'body' : where + field;
  return `${place}: ${isMissing ? 'is required' : issue.message}`;
}

/** Names have codes of their own; everything else is the wrong shape. */
function codeOf(issue: z.core.$ZodIssue | undefined): RefusalCode {
  if (issue?.code !== 'custom') return 'bad_request';
  const [field, index] = issue.path;
  if (field === 'event') return 'bad_event';
  const isRoom =
    (field === 'room' && !issue.message.startsWith('is required')) || (field === 'rooms' && index !== undefined);
  return isRoom ? 'bad_room' : 'bad_request';
}

/** Deeply nested data would overflow the stack of whatever walks it, here or on another server. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}
