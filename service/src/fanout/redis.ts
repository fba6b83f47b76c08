/** Fanout over Redis: Socket.IO's own adapters, guarded, over a link that says how it is. */
import type { AdapterFactory, Bus, Fanout, Metrics, RedisCommands } from '../contracts.ts';
import { createClassicFactory } from './classic.ts';
import { countedInstance } from './counted.ts';
import { createRedisLink, type RedisLinkDeps, type RedisLinkOptions } from './redis-link.ts';
import { createShardedFactory } from './sharded.ts';

export type { RedisLinkOptions } from './redis-link.ts';

export interface RedisFanout extends Fanout {
  readonly commands: RedisCommands;
  readonly bus: Bus;
}

export interface RedisFanoutDeps extends RedisLinkDeps {
  readonly metrics: Pick<Metrics, 'broadcast'> & RedisLinkDeps['metrics'];
}

/** Starts at once and without Redis: whether it is there is a check. */
export function createRedisFanout(options: RedisLinkOptions, deps: RedisFanoutDeps): RedisFanout {
  const link = createRedisLink(options, deps);
  const guard = {
    publisher: link.publisher,
    subscriber: link.subscriber,
    onForeign(error: unknown) {
      deps.metrics.redisForeign();
      deps.log.debug({ err: error }, 'foreign message on our channels');
    },
    onFault(error: unknown) {
      deps.metrics.redisLost();
      deps.log.error({ err: error }, 'a message for other servers cannot be encoded');
    },
  };
  const create =
    options.mode === 'sharded'
      ? createShardedFactory(options.prefix, guard)
      : createClassicFactory(options.prefix, guard);
  const adapter: AdapterFactory = (nsp) => countedInstance(create(nsp), deps.metrics);
  return {
    kind: `redis-${options.mode}`,
    adapter,
    checks: [link.check],
    reachesOthers: link.isUp,
    commands: link.commands,
    bus: link.bus,
    start: link.start,
    stop: link.stop,
  };
}
