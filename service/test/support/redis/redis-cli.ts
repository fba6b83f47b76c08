import { Redis, type RedisOptions } from 'ioredis';

const NAME = 'socketfleet-fixture';

/** One line of CLIENT LIST. */
export type RedisClientInfo = Readonly<Record<string, string>>;

/**
 * Sends one command on a connection of its own, so that nothing of the fixture lives through a pause or a restart.
 * Rejects with the answer when that is an error, and when none comes within 5 s.
 */
export async function redisCli(
  options: RedisOptions,
  command: readonly (string | number | Buffer)[],
): Promise<unknown> {
  const [name = '', ...args] = command;
  const client = new Redis({
    ...options,
    connectionName: NAME,
    disableClientInfo: true,
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    retryStrategy: null,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    commandTimeout: 5_000,
  });
  let problem: Error | undefined;
  client.on('error', (error: Error) => {
    problem = error;
  });
  try {
    await client.connect();
    return await client.call(String(name), args);
  } catch (error) {
    // ioredis says only that the connection is closed; the event before it says why.
    throw problem ?? error;
  } finally {
    client.disconnect();
  }
}

/** CLIENT LIST without the connections of `redisCli`. */
export function parseClients(list: unknown): RedisClientInfo[] {
  return String(list)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) =>
      Object.fromEntries(
        line.split(' ').map((field) => {
          const at = field.indexOf('=');
          return [field.slice(0, at), field.slice(at + 1)];
        }),
      ),
    )
    .filter((client) => client.name !== NAME);
}
