/** Removes what the dead have left, and finds what Redis wrongly keeps for the living. */
import type { Log, RedisCommands } from '../contracts.ts';
import { buryLife, fleetKey } from './lease-script.ts';
import { isLife } from './life.ts';
import { applyWrites, heldKey, MOST_WRITES, scanEntries, scanHeldKeys } from './registry-script.ts';

export interface ReaperDeps {
  readonly redis: RedisCommands;
  readonly log: Log;
  /** Members of a key that nobody holds any more. */
  gone(key: string, members: readonly string[]): void;
}

export interface Reaper {
  /** Cleans up after these lives, one after the other, unless another server is at it. Never rejects: what fails is offered again. */
  reap(lives: readonly string[]): Promise<void>;
  /** Keys and members that Redis counts for a life. Rejects when Redis cannot tell. */
  heldBy(life: string): AsyncGenerator<{ key: string; members: readonly string[] }>;
}

const KEYS_PER_PAGE = 50;
const MEMBERS_PER_PAGE = 500;

/** A cleaner that dies is replaced after `lockMs`. */
export function createReaper(options: { readonly lockMs: number }, deps: ReaperDeps): Reaper {
  const { redis, log } = deps;
  let running: Promise<void> | undefined;

  async function reapAll(lives: readonly string[]): Promise<void> {
    for (const life of lives) {
      try {
        await reapOne(life);
      } catch (error) {
        log.debug({ err: error, life }, 'cleaning up after a server failed; it is tried again');
        return;
      }
    }
  }

  async function reapOne(life: string): Promise<void> {
    if (!isLife(life)) return buryLife(redis, life);
    const lock = fleetKey(redis, `reap:${life}`);
    if ((await redis.call('SET', lock, '1', 'NX', 'PX', options.lockMs)) !== 'OK') return;
    let members = 0;
    for await (const keys of scanHeldKeys(redis, life, KEYS_PER_PAGE)) {
      const counts = await Promise.all(keys.map((key) => clean(key, life)));
      members += counts.reduce((sum, count) => sum + count, 0);
      if (keys.length > 0) await redis.call('SREM', heldKey(redis, life), ...keys);
      await redis.call('PEXPIRE', lock, options.lockMs);
    }
    await buryLife(redis, life);
    await redis.call('DEL', lock);
    log.info({ life, members }, 'cleaned up after a server that is gone');
  }

  async function clean(key: string, life: string): Promise<number> {
    let count = 0;
    for await (const members of membersOf(key, life)) {
      const writes = members.map((member) => ({ op: '-' as const, member, meta: '' }));
      const outcomes = await applyWrites(redis, { key, out: life, life: '' }, writes);
      const gone = members.filter((_, index) => outcomes[index] === 'turned');
      if (gone.length > 0) deps.gone(key, gone);
      count += members.length;
    }
    return count;
  }

  async function* membersOf(key: string, life: string): AsyncGenerator<string[]> {
    for await (const entries of scanEntries(redis, key, MEMBERS_PER_PAGE)) {
      const held = entries.filter(({ lives }) => lives.includes(life)).map(({ member }) => member.id);
      for (let at = 0; at < held.length; at += MOST_WRITES) yield held.slice(at, at + MOST_WRITES);
    }
  }

  return {
    reap(lives) {
      if (lives.length === 0) return Promise.resolve();
      running ??= reapAll(lives).finally(() => {
        running = undefined;
      });
      return running;
    },
    async *heldBy(life) {
      for await (const keys of scanHeldKeys(redis, life, KEYS_PER_PAGE)) {
        for (const key of keys) {
          const members: string[] = [];
          for await (const page of membersOf(key, life)) members.push(...page);
          yield { key, members };
        }
      }
    },
  };
}
