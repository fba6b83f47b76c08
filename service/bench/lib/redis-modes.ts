import type { RedisMode } from './calls.ts';

/** Both are measured on both sides: sharded is our default, classic is what most installations of Socket.IO use. */
export const REDIS_MODES: readonly RedisMode[] = ['sharded', 'classic'];
