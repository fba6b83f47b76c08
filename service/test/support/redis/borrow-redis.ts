import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { findRedis } from '../../../scripts/find-redis.mjs';
import { atTestEnd } from './at-test-end.ts';
import { startRedis } from './start-redis.ts';

export interface BorrowedRedis {
  readonly url: string;
  /** Begins every key and channel of this test; nobody else uses it. */
  readonly prefix: string;
  /** Comes by itself after the test in which it was borrowed. */
  stop(): Promise<void>;
}

/**
 * A Redis for tests that neither stop nor configure it and keep to `prefix`: the one of REDIS_URL, otherwise one of
 * their own. What is left below the prefix is deleted.
 */
export async function borrowRedis(): Promise<BorrowedRedis> {
  const prefix = `test-${randomUUID()}`;
  const found = await findRedis();
  if (found.kind !== 'url') {
    const { url, stop } = await startRedis();
    return { url, prefix, stop: () => stop() };
  }
  const { url } = found;
  await withClient(url, (client) => client.ping()).catch((error: Error) => {
    throw new Error(`the Redis of REDIS_URL does not answer: ${error.message}`);
  });
  let isOver = false;
  const stop = async () => {
    if (isOver) return;
    isOver = true;
    await withClient(url, (client) => deleteBelow(client, prefix));
  };
  atTestEnd(stop);
  return { url, prefix, stop };
}

async function withClient<T>(url: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0 });
  let problem: Error | undefined;
  client.on('error', (error: Error) => {
    problem = error;
  });
  try {
    await client.connect();
    return await use(client);
  } catch (error) {
    throw problem ?? error;
  } finally {
    client.disconnect();
  }
}

async function deleteBelow(client: Redis, prefix: string): Promise<void> {
  // Keys may carry the prefix in a hash tag.
  for await (const keys of client.scanStream({ match: `*${prefix}*`, count: 1_000 })) {
    if (keys.length > 0) await client.unlink(...(keys as string[]));
  }
}
