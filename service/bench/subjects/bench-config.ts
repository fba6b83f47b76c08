import { type Config, parseConfig } from '../../src/config.ts';
import type { RedisSeat } from '../lib/calls.ts';

/**
 * What both servers run with: the defaults, with limits that a few thousand clients of one address do not meet.
 * The limits stay on, so that our side pays for them.
 */
export function benchConfig(redis: RedisSeat | undefined): Config {
  return parseConfig({
    ...FIXED,
    ...(redis === undefined ? {} : { REDIS_URL: redis.url, SOCKETFLEET_REDIS_MODE: redis.mode }),
  });
}

const FIXED = {
  PORT: '0',
  HOST: '127.0.0.1',
  LOG_LEVEL: 'error',
  SOCKETFLEET_INTERNAL_PORT: '0',
  SOCKETFLEET_HANDSHAKES_PER_SECOND: '100000',
  SOCKETFLEET_SESSIONS_PER_ADDRESS: '100000',
  SOCKETFLEET_MAX_CONNECTIONS: '100000',
};
