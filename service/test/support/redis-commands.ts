import { createHash } from 'node:crypto';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { Bus, RedisCommands, Startable } from '../../src/contracts.ts';

const OPTIONS: RedisOptions = {
  lazyConnect: true,
  enableOfflineQueue: false,
  // What was in flight is answered when the connection breaks.
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  commandTimeout: 2_000,
  maxLoadingRetryTime: 50,
  retryStrategy: () => 50,
};

export interface RedisDoor extends Startable {
  readonly commands: RedisCommands;
  readonly bus: Bus;
}

/** The ports RedisCommands and Bus in their shortest form, for tests of what stands on them. Several URLs are a Cluster. */
export function createRedisDoor(url: string, prefix: string): RedisDoor {
  const client = connection(url, OPTIONS);
  const subscriber = connection(url, { ...OPTIONS, commandTimeout: 5_000 });
  const listeners = new Map<string, Set<(payload: string) => void>>();
  const channelOf = (topic: string) => `${prefix}:bus:${topic}`;
  const ignore = () => undefined;
  for (const one of [client, subscriber]) one.on('error', ignore);
  subscriber.on('ready', () => {
    for (const channel of listeners.keys()) subscriber.ssubscribe(channel).catch(ignore);
  });
  subscriber.on('smessage', (channel: string, payload: string) => {
    for (const listener of listeners.get(channel) ?? []) listener(payload);
  });
  const call: RedisCommands['call'] = async (command, ...args) => {
    // A Cluster would wait for ever.
    if (client.status !== 'ready') throw new Error('Redis is away');
    return client.call(command, ...args);
  };
  return {
    commands: {
      prefix,
      call,
      async script(source, keys, args) {
        const sha = createHash('sha1').update(source).digest('hex');
        try {
          return await call('EVALSHA', sha, keys.length, ...keys, ...args);
        } catch (error) {
          if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
          return call('EVAL', source, keys.length, ...keys, ...args);
        }
      },
      onUp: (listener) => void client.on('ready', listener),
    },
    bus: {
      publish: (topic, payload) => void call('SPUBLISH', channelOf(topic), payload).catch(ignore),
      subscribe(topic, listener) {
        const channel = channelOf(topic);
        const own = (payload: string) => listener(payload);
        const all = listeners.get(channel) ?? new Set();
        listeners.set(channel, all.add(own));
        if (all.size === 1) subscriber.ssubscribe(channel).catch(ignore);
        return () => {
          if (!all.delete(own) || all.size > 0) return;
          listeners.delete(channel);
          subscriber.sunsubscribe(channel).catch(ignore);
        };
      },
    },
    async start() {
      await Promise.all([client.connect().catch(ignore), subscriber.connect().catch(ignore)]);
    },
    async stop() {
      client.disconnect();
      subscriber.disconnect();
    },
  };
}

function connection(url: string, options: RedisOptions): Redis | Cluster {
  if (!url.includes(',')) return new Redis(url, options);
  return new Cluster(url.split(','), { lazyConnect: true, shardedSubscribers: true, redisOptions: options });
}
