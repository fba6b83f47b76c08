/** What clients of the gateway may send: shapes, and nothing that could reach another room. */
import { z } from 'zod';
import { type RefusalCode, Refused } from '../refusals.ts';
import { hasBinary, hasPlaceholder } from './plain-data.ts';

// Printable: no control, format, surrogate, private-use or unassigned characters, and no line or paragraph separators.
// The two joiners are part of how Persian, Indic and emoji text is written.
const printable = /^(?:[^\p{C}\p{Zl}\p{Zp}]|\u200c|\u200d)+$/u;
const RESERVED_EVENTS = new Set([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
  'presence',
  'recovery',
  'session',
  'error',
]);
/** More rooms in one `join` are not even looked at. */
export const MOST_ROOMS_PER_CALL = 1000;
const MOST_PRESENCE_CHARACTERS = 2048;

/** 1 to 128 printable characters. */
export const room = z.string().min(1).max(128).regex(printable, 'must be printable');

// Others are shown it for as long as the member stays, so it is kept as JSON and nothing else.
const presenceMeta = z
  .record(z.string(), z.unknown())
  .refine((meta) => !hasBinary(meta), { error: 'must not be binary', abort: true })
  .refine((meta) => !hasPlaceholder(meta), 'must not say _placeholder')
  .transform((meta) => JSON.stringify(meta))
  .refine(
    (json) => json.length <= MOST_PRESENCE_CHARACTERS,
    `must be at most ${MOST_PRESENCE_CHARACTERS} characters of JSON`,
  )
  .transform((json) => JSON.parse(json) as Record<string, unknown>);

/** Anything that a client may send to others. */
export const publishData = z
  .unknown()
  .refine((data) => data !== undefined, { error: 'is missing', abort: true })
  .refine((data) => !hasPlaceholder(data), 'must not say _placeholder');

export const joinRooms = z.preprocess((names) => (typeof names === 'string' ? [names] : names), z.array(room).min(1));
export const joinOptions = z.strictObject({ presence: presenceMeta.optional(), after: z.string().max(256).optional() });
export const publishOptions = z.strictObject({
  event: z
    .string()
    .min(1)
    .max(64)
    .regex(printable, 'must be printable')
    .refine((name) => name === name.trim(), 'must not have spaces around it')
    .refine((name) => !RESERVED_EVENTS.has(name), 'is reserved')
    .optional(),
  id: z.string().min(1).max(128).regex(printable, 'must be printable').optional(),
  volatile: z.boolean().optional(),
});

/** The value in its checked shape. Throws `Refused` with `code` (an event has its own), naming the field. */
export function parse<T>(schema: z.ZodType<T>, value: unknown, code: RefusalCode, field: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue === undefined || issue.path.length === 0 ? field : `${field}.${issue.path.join('.')}`;
  throw new Refused(issue?.path[0] === 'event' ? 'bad_event' : code, `${path} ${issue?.message ?? 'is not valid'}`);
}
