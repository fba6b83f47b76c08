/** Idempotency keys for the whole installation. */
import { createHash } from 'node:crypto';
import type { RedisCommands } from '../contracts.ts';

export interface IdempotencyKeys {
  /**
   * Claims a key for `id`, for `windowMs`. Resolves with undefined when it is claimed, otherwise with the id that
   * claimed it before. Rejects when Redis cannot tell.
   */
  claim(key: string, id: string, windowMs: number): Promise<string | undefined>;
  /** Gives a key back whose publish failed, unless another id has it. Rejects when Redis cannot do it. */
  forget(key: string, id: string): Promise<void>;
}

const FORGET = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

export function createRedisKeys(redis: RedisCommands): IdempotencyKeys {
  // Hashed, because callers choose keys of any length.
  const keyOf = (key: string) => `${redis.prefix}:idem:${createHash('sha256').update(key).digest('base64url')}`;
  return {
    async claim(key, id, windowMs) {
      if (windowMs <= 0) return undefined;
      const before = await redis.call('SET', keyOf(key), id, 'NX', 'PX', Math.ceil(windowMs), 'GET');
      return typeof before === 'string' ? before : undefined;
    },
    async forget(key, id) {
      await redis.script(FORGET, [keyOf(key)], [id]);
    },
  };
}
