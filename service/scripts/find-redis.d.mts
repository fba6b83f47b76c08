/** A Redis that runs somewhere already. */
export interface RedisAtUrl {
  readonly kind: 'url';
  readonly url: string;
}

/** A server that can be run. */
export type RedisServer =
  | { readonly kind: 'binary'; readonly file: string; readonly version: string }
  | { readonly kind: 'docker'; readonly image: string };

export interface FindRedisOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly platform?: NodeJS.Platform;
  readonly isRoot?: boolean;
  /** Told before something takes long. */
  readonly say?: (line: string) => void;
}

export function findRedis(options: FindRedisOptions & { readonly own: true }): Promise<RedisServer>;
export function findRedis(options?: FindRedisOptions & { readonly own?: boolean }): Promise<RedisAtUrl | RedisServer>;

export function redisCommand(
  found: RedisServer,
  options: { readonly folder: string; readonly args: readonly string[] },
): { file: string; args: string[] };

export function signalCommand(found: RedisServer, signal: NodeJS.Signals): [string, ...string[]];
