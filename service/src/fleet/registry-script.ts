/**
 * How the registry lies in Redis: one hash per key, from member to its servers and its metadata, and one set per life
 * of the keys it is in. Metadata is text that no script looks into.
 */
import { z } from 'zod';
import type { Member, RedisCommands } from '../contracts.ts';
import { parseJson } from './lease-script.ts';
import { isLife } from './life.ts';

/** `+` holds, with new metadata if there is any; `=` holds, as was told before; `-` holds no longer. */
export type Op = '+' | '=' | '-';

export interface Write {
  readonly op: Op;
  readonly member: string;
  /** JSON, or empty. */
  readonly meta: string;
}

/** What a write did: nothing that others would see, the member came or went, or somebody else still holds it. */
export type Outcome = 'same' | 'turned' | 'held';

/** Writes that go in one script call, so that none holds up Redis. */
export const MOST_WRITES = 256;
const MOST_SEEN = 500;

// ARGV: whom to take out (a life, or the generation of all of a server's lives), whom to put in, then op, member, metadata.
const APPLY = `
local key = KEYS[1]
local is = redis.call('TYPE', key)['ok']
if is ~= 'hash' and is ~= 'none' then redis.call('DEL', key) end
local out, life = ARGV[1], ARGV[2]
local results = {}
for i = 3, #ARGV, 3 do
  local op, member, meta = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local value = redis.call('HGET', key, member)
  local cut = value and string.find(value, '\\n', 1, true)
  local servers = cut and string.sub(value, 1, cut - 1) or ''
  local kept = cut and string.sub(value, cut + 1) or ''
  local others = {}
  for one in string.gmatch(servers, '[^,]+') do
    if one ~= out and string.sub(one, 3, 10) ~= out then others[#others + 1] = one end
  end
  local result = 0
  if op ~= '-' then
    if servers == '' then result = 1 end
    if meta == '' or (op == '=' and kept ~= '') then meta = kept end
    others[#others + 1] = life
    redis.call('HSET', key, member, table.concat(others, ',') .. '\\n' .. meta)
  elseif #others > 0 then
    redis.call('HSET', key, member, table.concat(others, ',') .. '\\n' .. kept)
    result = 2
  elseif value then
    redis.call('HDEL', key, member)
    result = 1
  end
  results[#results + 1] = result
end
return results
`;

const LOOK = `return { redis.call('HLEN', KEYS[1]), redis.call('HMGET', KEYS[1], unpack(ARGV)) }`;

const outcomes: readonly Outcome[] = ['same', 'turned', 'held'];
const appliedShape = z.array(z.number());
const lookShape = z.tuple([z.number(), z.array(z.string().nullable())]);
const pageShape = z.tuple([z.string(), z.array(z.string())]);

/** One entry as it was read. */
export interface Entry {
  readonly member: Member;
  readonly lives: readonly string[];
}

/** Applies at most {@link MOST_WRITES} writes to one key; `out` goes and `life` comes. Rejects when Redis cannot do it. */
export async function applyWrites(
  redis: RedisCommands,
  target: { readonly key: string; readonly out: string; readonly life: string },
  writes: readonly Write[],
): Promise<readonly Outcome[]> {
  const args = writes.flatMap(({ op, member, meta }) => [op, member, meta]);
  const reply = await redis.script(APPLY, [membersKey(redis, target.key)], [target.out, target.life, ...args]);
  return appliedShape.parse(reply).map((result) => outcomes[result] ?? 'same');
}

/** The number of members of a key, and those entries that are among `memberIds`. */
export async function lookUp(
  redis: RedisCommands,
  key: string,
  memberIds: readonly string[],
): Promise<{ count: number; entries: Entry[] }> {
  let count = 0;
  const entries: Entry[] = [];
  for (let at = 0; at < memberIds.length || at === 0; at += MOST_SEEN) {
    const ids = memberIds.slice(at, at + MOST_SEEN);
    // HMGET of nothing is an error.
    const reply = await redis.script(LOOK, [membersKey(redis, key)], ids.length === 0 ? [''] : ids);
    const [all, values] = lookShape.parse(reply);
    count = all;
    entries.push(...ids.flatMap((id, index) => parseEntry(id, values[index]) ?? []));
  }
  return { count, entries };
}

/** Members of a key, page by page; one may come twice. */
export async function* scanEntries(redis: RedisCommands, key: string, pageSize: number): AsyncGenerator<Entry[]> {
  for await (const flat of pages(redis, 'HSCAN', membersKey(redis, key), pageSize)) {
    const entries: Entry[] = [];
    for (let i = 0; i + 1 < flat.length; i += 2) entries.push(...(parseEntry(flat[i] ?? '', flat[i + 1]) ?? []));
    yield entries;
  }
}

/** Keys in which a life was, page by page; one may come twice. */
export function scanHeldKeys(redis: RedisCommands, life: string, pageSize: number): AsyncGenerator<string[]> {
  return pages(redis, 'SSCAN', heldKey(redis, life), pageSize);
}

async function* pages(redis: RedisCommands, command: string, key: string, size: number): AsyncGenerator<string[]> {
  let cursor = '0';
  do {
    const [next, items] = pageShape.parse(await redis.call(command, key, cursor, 'COUNT', size));
    cursor = next;
    yield items;
  } while (cursor !== '0');
}

/** The hash of a key's members. */
export function membersKey(redis: RedisCommands, key: string): string {
  return `{${redis.prefix}:reg:${key}}`;
}

/** The set of keys in which a life is. */
export function heldKey(redis: RedisCommands, life: string): string {
  return `{${redis.prefix}:held:${life}}`;
}

/** What is not ours is nothing, as a list for flatMap. */
function parseEntry(id: string, value: string | null | undefined): Entry[] | undefined {
  const cut = value?.indexOf('\n') ?? -1;
  if (value === null || value === undefined || cut < 1) return undefined;
  const lives = value.slice(0, cut).split(',').filter(isLife);
  if (lives.length === 0) return undefined;
  return [{ member: memberOf(id, value.slice(cut + 1)), lives }];
}

/** A member with its metadata in the shape that JSON gives it. */
export function memberOf(id: string, meta: string): Member {
  const parsed = meta === '' ? undefined : parseJson(meta);
  return parsed === undefined ? { id } : { id, meta: parsed };
}
