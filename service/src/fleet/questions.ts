/** What servers ask each other, and how question and answer look on the bus. */
import { z } from 'zod';
import type { Directory } from '../contracts.ts';
import { parseJson } from './lease-script.ts';

// Longer texts and lists are nobody's.
const MOST_TEXT = 16_384;
/** Rooms in one answer; the rest is left out, and the answer says so. */
export const MOST_ROOMS = 10_000;
/** Characters of one message. */
export const MOST_MESSAGE = 4_000_000;

const roomView = z.object({ room: z.string(), sockets: z.number().int().nonnegative() });
const socketView = z.object({
  id: z.string(),
  nsp: z.string(),
  sub: z.string().exactOptional(),
  rooms: z.array(z.string()),
  transport: z.string(),
  connectedAt: z.number(),
  pod: z.string(),
});

/** The shape of each answer. */
const ANSWERS = {
  rooms: z.array(roomView).max(MOST_ROOMS),
  room: roomView,
  // JSON knows no undefined.
  socket: socketView.nullable(),
  disconnectSocket: z.number().int().nonnegative(),
  disconnectUser: z.number().int().nonnegative(),
} as const satisfies Record<keyof Directory, z.ZodType>;

export type Question = keyof typeof ANSWERS;
export type AnswerTo<Q extends Question> = z.output<(typeof ANSWERS)[Q]>;

const tag = z.string().regex(/^[\w-]{2}$/);
const id = z.string().min(1).max(64);
const messageShape = z.union([
  z.object({
    id,
    from: tag,
    ask: z.enum(Object.keys(ANSWERS) as [Question, ...Question[]]),
    about: z.string().max(MOST_TEXT),
  }),
  z.object({ id, from: tag, value: z.unknown(), isWhole: z.boolean() }),
]);

export type Message = z.output<typeof messageShape>;

/** The bus topic of one server. */
export function topicOf(serverTag: string): string {
  return `srv:${serverTag}`;
}

/** Undefined for what is no message of ours. */
export function parseMessage(payload: string): Message | undefined {
  if (payload.length > MOST_MESSAGE) return undefined;
  const parsed = messageShape.safeParse(parseJson(payload));
  return parsed.success ? parsed.data : undefined;
}

/** Undefined for what is no answer to this question. */
export function parseAnswer<Q extends Question>(question: Q, value: unknown): AnswerTo<Q> | undefined {
  const parsed = ANSWERS[question].safeParse(value);
  return parsed.success ? (parsed.data as AnswerTo<Q>) : undefined;
}

/** What this server answers; `isWhole` is false when something had to be left out. */
export async function answerTo(
  local: Directory,
  question: Question,
  about: string,
): Promise<{ value: unknown; isWhole: boolean }> {
  if (question !== 'rooms') {
    const { value, partial } = await local[question](about);
    return { value: value ?? null, isWhole: !partial };
  }
  const { value, partial } = await local.rooms();
  return { value: value.slice(0, MOST_ROOMS), isWhole: !partial && value.length <= MOST_ROOMS };
}
