import { type Config, rereadSecret } from './config.ts';
import type { Cancel, Clock, Log, SecretValues } from './contracts.ts';
import type { Secret } from './setting-kinds.ts';

type SecretKey = { [K in keyof Config]: Config[K] extends Secret ? K : never }[keyof Config];

export interface RotatingSecrets {
  /** The current values of a secret. */
  of(key: SecretKey): SecretValues;
  /** Looks at the files from now on. */
  start(): void;
  stop(): void;
}

// Kubernetes itself takes up to a minute to bring a changed Secret to its file.
const POLL_MS = 5_000;

/** Secrets that are read again when their files change, so that they can be rotated without a restart. */
export function createRotatingSecrets(config: Config, deps: { clock: Clock; log: Log }): RotatingSecrets {
  const { clock, log } = deps;
  const current = new Map<SecretKey, Secret>();
  for (const [key, value] of Object.entries(config)) if (isSecret(value)) current.set(key as SecretKey, value);
  /** What was said about a file, so that it is said once. */
  const said = new Map<SecretKey, string>();
  let cancel: Cancel | undefined;

  function reread(key: SecretKey, secret: Secret): void {
    const { file } = secret;
    try {
      const next = rereadSecret(key, secret);
      said.delete(key);
      if (next.values.join('\n') === secret.values.join('\n')) return;
      current.set(key, next);
      log.info({ file, values: next.values.length }, 'secret changed');
    } catch (error) {
      const problem = (error as Error).message;
      if (said.get(key) === problem) return;
      said.set(key, problem);
      log.warn({ file, problem }, 'secret file cannot be used; the values before it stay in force');
    }
  }

  return {
    of: (key) => () => current.get(key)?.values ?? [],
    start() {
      cancel ??= clock.every(POLL_MS, () => {
        for (const [key, secret] of current) if (secret.file !== undefined) reread(key, secret);
      });
    },
    stop: () => cancel?.(),
  };
}

function isSecret(value: unknown): value is Secret {
  return Array.isArray((value as Secret | undefined)?.values);
}
