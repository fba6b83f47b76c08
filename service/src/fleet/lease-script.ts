/** The one script behind leases, and what it answers. Time is Redis's own, so no server's clock matters. */
import { z } from 'zod';
import type { RedisCommands, ServerLease } from '../contracts.ts';
import { generationOfLife, isLife, tagOfLife } from './life.ts';

/** What a server tells about itself. */
export type LeaseFacts = Omit<ServerLease, 'tag' | 'generation'>;

export interface LeaseRequest {
  /** The life that holds the lease; undefined before the first. */
  readonly life: string | undefined;
  /** The tag to claim when there is no lease (any more). */
  readonly wantedTag: string;
  /** Where the search for a free tag starts, from 0 to 1. */
  readonly start: number;
  /** What a new life is called behind its tag. The same until it is known to have begun: a call that is repeated claims nothing twice. */
  readonly suffix: string;
  readonly facts: LeaseFacts;
  readonly ttlMs: number;
  /** Names this Redis's data if nobody has yet. */
  readonly epoch: string;
}

export interface LeaseReply {
  readonly life: string;
  /** Changes when Redis has lost everything. */
  readonly epoch: string;
  /** Changes when another Redis has taken over, or this one has restarted. */
  readonly redisId: string;
  /** Until the next lease of another server ends; undefined when there is none. */
  readonly soonestMs: number | undefined;
  /** Lives that ended and whose memberships somebody has to remove. */
  readonly dead: readonly string[];
  readonly table: readonly ServerLease[];
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

// What a life wrote just before it was found to be lost has arrived after this time.
const STRAGGLERS_MS = 5_000;

// KEYS: leases (life -> facts), expiry (life by time), dead (life by when to clean up), state (epoch, time of the latest renewal).
// Whoever calls it, everybody's expired leases end; a gap since the latest call of all is nobody's fault and ends none.
const RENEW = `
for i, kind in ipairs({ 'hash', 'zset', 'zset', 'hash' }) do
  local is = redis.call('TYPE', KEYS[i])['ok']
  if is ~= kind and is ~= 'none' then redis.call('DEL', KEYS[i]) end
end
local leases, expiry, dead, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local life, tag, start, suffix, facts = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local ttl, epoch = tonumber(ARGV[6]), ARGV[7]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function at(ms) return string.format('%.0f', now + ms) end
local till = at(ttl)

local known = redis.call('HMGET', state, 'epoch', 'at')
if known[1] then epoch = known[1] end
local gap = now - (tonumber(known[2] or 0) or 0)
redis.call('HSET', state, 'epoch', epoch, 'at', at(0))
if gap < 0 or gap > ttl * 2 / 3 then
  for _, one in ipairs(redis.call('ZRANGE', expiry, 0, -1)) do redis.call('ZADD', expiry, till, one) end
end
for _, one in ipairs(redis.call('ZRANGEBYSCORE', expiry, '-inf', at(0))) do
  if one ~= life then
    redis.call('ZREM', expiry, one)
    redis.call('HDEL', leases, one)
    redis.call('ZADD', dead, at(0), one)
  end
end

local all = redis.call('ZRANGE', expiry, 0, -1, 'WITHSCORES')
local used, lives, own, soonest = {}, {}, nil, -1
for i = 1, #all, 2 do
  local one, left = all[i], tonumber(all[i + 1]) - now
  used[string.sub(one, 1, 2)] = true
  if one == life or string.sub(one, 3) == suffix then own = one else
    lives[#lives + 1] = one
    if soonest < 0 or left < soonest then soonest = left end
  end
end
if not own then
  if used[tag] then
    local abc = '${ALPHABET}'
    tag = nil
    for i = 0, 4095 do
      local n = (start + i) % 4096
      local a, b = math.floor(n / 64) + 1, n % 64 + 1
      local candidate = string.sub(abc, a, a) .. string.sub(abc, b, b)
      if not used[candidate] then tag = candidate break end
    end
  end
  if not tag then return redis.error_reply('ERR all 4096 tags are taken') end
  own = tag .. suffix
end
if life ~= '' and own ~= life then redis.call('ZADD', dead, at(${STRAGGLERS_MS}), life) end
redis.call('ZADD', expiry, till, own)
redis.call('HSET', leases, own, facts)
lives[#lives + 1] = own
if redis.call('HLEN', leases) > #lives then
  for _, one in ipairs(redis.call('HKEYS', leases)) do
    if not redis.call('ZSCORE', expiry, one) then redis.call('HDEL', leases, one) end
  end
end

local rows = {}
for _, one in ipairs(lives) do
  rows[#rows + 1] = one
  rows[#rows + 1] = redis.call('HGET', leases, one) or ''
end
local info = redis.pcall('INFO', 'replication')
local id = type(info) == 'string' and string.match(info, 'master_replid:(%w+)') or ''
return { own, epoch, id, math.floor(math.min(soonest, ttl)), redis.call('ZRANGEBYSCORE', dead, '-inf', at(0), 'LIMIT', 0, 16), rows }
`;

// The lease is gone at once; what the life held stays for the linger, because its clients are on their way to another server.
const RELEASE = `
local time = redis.call('TIME')
redis.call('HDEL', KEYS[1], ARGV[1])
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  redis.call('ZADD', KEYS[2], string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2]), ARGV[1])
end
return 1
`;

const replyShape = z.tuple([
  z.string(),
  z.string(),
  z.string(),
  z.number(),
  z.array(z.string()),
  z.array(z.string().nullable()),
]);
const factsShape = z.object({
  pod: z.string(),
  address: z.string(),
  connections: z.number(),
  maxConnections: z.number(),
  // A server of an older version does not tell.
  mode: z.string().default(''),
});

/** Renews, or claims where there is no lease. Rejects when Redis cannot do it. */
export async function renewLease(redis: RedisCommands, request: LeaseRequest): Promise<LeaseReply> {
  const { life, wantedTag, start, suffix, facts, ttlMs, epoch } = request;
  const args = [life ?? '', wantedTag, Math.floor(start * 4096), suffix, JSON.stringify(facts), ttlMs, epoch];
  const reply = replyShape.parse(await redis.script(RENEW, leaseKeys(redis), args));
  const [own, knownEpoch, redisId, soonest, dead, rows] = reply;
  return {
    life: own,
    epoch: knownEpoch,
    redisId,
    soonestMs: soonest < 0 ? undefined : soonest,
    dead,
    table: parseTable(rows),
  };
}

/** Gives a lease back; its memberships are removed after `lingerMs`. Rejects when Redis cannot do it. */
export async function releaseLease(redis: RedisCommands, life: string, lingerMs: number): Promise<void> {
  await redis.script(RELEASE, leaseKeys(redis).slice(0, 2), [life, lingerMs]);
}

/** Whether Redis still knows of a life. Rejects when it cannot tell. */
export async function hasLease(redis: RedisCommands, life: string): Promise<boolean> {
  return (await redis.call('ZSCORE', fleetKey(redis, 'expiry'), life)) !== null;
}

/** Takes a life off the list of those to clean up after. Rejects when Redis cannot do it. */
export async function buryLife(redis: RedisCommands, life: string): Promise<void> {
  await redis.call('ZREM', fleetKey(redis, 'dead'), life);
}

/** The key of something that belongs to the whole installation; all of them are in one slot. */
export function fleetKey(redis: RedisCommands, name: string): string {
  return `{${redis.prefix}:fleet}:${name}`;
}

/** A tag at the place `part` (0 to 1) of all. */
export function tagAt(part: number): string {
  const n = Math.floor(part * 4096);
  return `${ALPHABET[Math.floor(n / 64)]}${ALPHABET[n % 64]}`;
}

function leaseKeys(redis: RedisCommands): string[] {
  return ['leases', 'expiry', 'dead', 'state'].map((name) => fleetKey(redis, name));
}

/** Lives without facts have given their lease back; what is no lease at all is somebody else's. */
function parseTable(rows: readonly (string | null)[]): ServerLease[] {
  const table: ServerLease[] = [];
  for (let i = 0; i + 1 < rows.length; i += 2) {
    const life = rows[i] ?? '';
    const facts = isLife(life) ? factsShape.safeParse(parseJson(rows[i + 1] ?? '')) : undefined;
    if (facts?.success) table.push({ tag: tagOfLife(life), generation: generationOfLife(life), ...facts.data });
  }
  return table;
}

/** What the text says, or undefined when it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
