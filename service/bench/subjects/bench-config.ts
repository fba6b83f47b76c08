import { parseConfig } from '../../src/config.ts';

/** What the server under test runs with: the defaults, without the limits that a thousand clients of one address would meet. */
export const benchConfig = parseConfig({
  PORT: '0',
  HOST: '127.0.0.1',
  LOG_LEVEL: 'error',
  SOCKETFLEET_INTERNAL_PORT: '0',
  SOCKETFLEET_HANDSHAKES_PER_SECOND: '0',
  SOCKETFLEET_SESSIONS_PER_ADDRESS: '0',
  SOCKETFLEET_MAX_CONNECTIONS: '100000',
});
