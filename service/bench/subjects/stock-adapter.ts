import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import type { RedisSeat } from '../lib/calls.ts';

type AdapterFactory = ReturnType<typeof createAdapter> | ReturnType<typeof createShardedAdapter>;

/** The stock adapter as its documentation sets it up with ioredis; resolves when both connections are ready. */
export async function createStockAdapter({ url, mode }: RedisSeat): Promise<AdapterFactory> {
  const publishing = new Redis(url, { lazyConnect: true });
  const subscribing = publishing.duplicate();
  await Promise.all([publishing.connect(), subscribing.connect()]);
  return mode === 'sharded' ? createShardedAdapter(publishing, subscribing) : createAdapter(publishing, subscribing);
}
