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
// Reports are served again for this long.
const REPORT_AGE_MS = 1_000;

/**
 * Resolves with true when one has seen Redis within the last `downMs`, false when those that answered do not see it,
 * undefined when nobody could tell. Never rejects.
 */
export async function askPeers(downMs: number, deps: PeersDeps): Promise<boolean | undefined> {
  const addresses = (await Promise.all(deps.addresses().map(resolveAddress))).flat();
  const chosen = [...new Set(addresses)].sort(() => Math.random() - 0.5).slice(0, MOST_ASKED);
  const answers = await Promise.all(chosen.map((address) => ask(address, { downMs, fetchFrom: deps.fetch })));
  const known = answers.filter((answer) => answer !== undefined);
  return known.length === 0 ? undefined : known.includes(true);
}

async function ask(
  address: string,
  { downMs, fetchFrom }: { downMs: number; fetchFrom: typeof fetch },
): Promise<boolean | undefined> {
  try {
    const response = await fetchFrom(`http://${address}/readyz?verbose`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const report = (await response.json()) as { checks?: { redis?: { connected?: unknown; seenMs?: unknown } } };
    const { connected, seenMs } = report.checks?.redis ?? {};
    if (typeof connected !== 'boolean' || typeof seenMs !== 'number') return undefined;
    if (!connected) return false;
    // What it saw before our outage is no sign that Redis is there: it may only not have noticed yet.
    return seenMs + REPORT_AGE_MS < downMs ? true : undefined;
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
