/** The keys of the configuration, by algorithm, while their values change under a running process. */
import { createSecretKey, type KeyObject } from 'node:crypto';
import type { Log, SecretValues } from '../contracts.ts';
import { PUBLIC_KEY_ALGORITHMS, parsePublicKey } from './public-keys.ts';

/** The keys that may check a token of an algorithm. Shared secrets and public keys never stand in for one another. */
export interface KeyRing {
  /** Throws an Error that names the setting when a value is no key. */
  load(): void;
  /** Keys for an algorithm, as the configuration has them now. */
  keysFor(algorithm: string): readonly KeyObject[];
}

const SHARED_SECRET_ALGORITHMS: ReadonlySet<string> = new Set(['HS256', 'HS384', 'HS512']);

/** Creates a ring that asks for the values each time and parses them when they have changed. */
export function createKeyRing(values: { secrets: SecretValues; publicKeys: SecretValues }, log: Log): KeyRing {
  const shared = followed(() => parseAll('SOCKETFLEET_JWT_SECRET', values.secrets(), parseSecret), values.secrets, log);
  const published = followed(
    () => parseAll('SOCKETFLEET_JWT_PUBLIC_KEY', values.publicKeys(), parsePublicKey),
    values.publicKeys,
    log,
  );
  return {
    load() {
      shared.load();
      published.load();
    },
    keysFor(algorithm) {
      if (SHARED_SECRET_ALGORITHMS.has(algorithm)) return shared.current();
      if (!PUBLIC_KEY_ALGORITHMS.has(algorithm)) return [];
      const fitting = published.current().filter(({ algorithms }) => algorithms.includes(algorithm));
      return fitting.map(({ key }) => key);
    },
  };
}

interface Followed<T> {
  load(): void;
  current(): readonly T[];
}

function followed<T>(parse: () => readonly T[], values: SecretValues, log: Log): Followed<T> {
  let seen: readonly string[] = [];
  let keys: readonly T[] = [];
  function load(): void {
    // Before parsing: a broken list is reported once, not for every token.
    seen = [...values()];
    keys = parse();
  }
  function current(): readonly T[] {
    const now = values();
    if (now.length === seen.length && now.every((value, i) => value === seen[i])) return keys;
    try {
      load();
    } catch (error) {
      // The previous keys go on: a file that is broken in the middle of a rotation locks nobody out.
      log.error({ reason: (error as Error).message }, 'new keys for tokens are not usable, the previous ones stay');
    }
    return keys;
  }
  return { load, current };
}

function parseAll<T>(setting: string, values: readonly string[], parse: (value: string) => T): readonly T[] {
  return values.map((value, i) => {
    try {
      return parse(value);
    } catch (cause) {
      const problem = `${setting}: value ${i + 1} of ${values.length} ${(cause as Error).message}`;
      throw Object.assign(new Error(problem, { cause }), { code: 'ERR_SETTING' });
    }
  });
}

function parseSecret(value: string): KeyObject {
  // A public key taken for a shared secret would let everybody who can read it sign tokens.
  if (value.includes('-----BEGIN')) throw new Error('is a PEM block; public keys belong in SOCKETFLEET_JWT_PUBLIC_KEY');
  return createSecretKey(Buffer.from(value));
}
