/** Asks a few other servers whether they see Redis. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

export interface PeersDeps {
  /** Internal addresses `host:port`; names stand for all their addresses. */
  addresses(): readonly string[];
  readonly fetch: typeof fetch;
}

// A few are enough: one that sees Redis decides.
const MOST_ASKED = 3;
const TIMEOUT_MS = 1_000;

/** Resolves with true when one sees Redis, false when those that answered do not, undefined when none answered. Never rejects. */
export async function askPeers(deps: PeersDeps): Promise<boolean | undefined> {
  const addresses = (await Promise.all(deps.addresses().map(resolveAddress))).flat();
  const chosen = [...new Set(addresses)].sort(() => Math.random() - 0.5).slice(0, MOST_ASKED);
  const answers = await Promise.all(chosen.map((address) => ask(address, deps.fetch)));
  const known = answers.filter((answer) => answer !== undefined);
  return known.length === 0 ? undefined : known.includes(true);
}

async function ask(address: string, fetchFrom: typeof fetch): Promise<boolean | undefined> {
  try {
    const response = await fetchFrom(`http://${address}/readyz?verbose`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const report = (await response.json()) as { checks?: { redis?: { connected?: unknown } } };
    const connected = report.checks?.redis?.connected;
    return typeof connected === 'boolean' ? connected : undefined;
  } catch {
    // A peer that does not answer has nothing to say.
    return undefined;
  }
}

async function resolveAddress(address: string): Promise<string[]> {
  const split = address.lastIndexOf(':');
  const [host, port] = [address.slice(0, split), address.slice(split + 1)];
  if (isIP(host) || host.startsWith('[')) return [address];
  try {
    const found = await lookup(host, { all: true });
    return found.map((entry) => (entry.family === 6 ? `[${entry.address}]:${port}` : `${entry.address}:${port}`));
  } catch {
    // A name that does not resolve names nobody.
    return [];
  }
}
