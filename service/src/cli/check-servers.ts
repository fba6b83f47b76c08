/** What every server says about itself on its internal port. */
import { lookup } from 'node:dns/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { CheckContext, ServerAddress } from './check-context.ts';

export interface ServerReport {
  readonly address: ServerAddress;
  readonly pod: string;
  /** HTTP status of /livez and /readyz. */
  readonly livez: number;
  readonly readyz: number;
  /** Of the report behind /readyz. */
  readonly status: unknown;
  readonly phase: unknown;
  readonly checks: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** What the metric says. */
  readonly readyMetric: number | undefined;
}

const ASK_AGAIN_MS = 500;
const ANSWER_MS = 5_000;

/** Addresses behind a name, as servers. Rejects when the name does not resolve. */
export async function serversNamed(
  name: string,
  ports: { readonly port: number; readonly internalPort: number },
): Promise<readonly ServerAddress[]> {
  const found = await lookup(name, { all: true });
  return found.map(({ address, family }) => {
    const host = family === 6 ? `[${address}]` : address;
    return { publicUrl: `http://${host}:${ports.port}`, internalUrl: `http://${host}:${ports.internalPort}` };
  });
}

/** Reports of all servers. DNS is late: an address that does not answer is asked for anew, until patience ends. */
export async function readServers(context: CheckContext): Promise<readonly [ServerReport, ...ServerReport[]]> {
  const end = Date.now() + 3 * context.patienceMs;
  for (;;) {
    try {
      const [first, ...rest] = await Promise.all((await context.findServers()).map(readServer));
      if (first !== undefined) return [first, ...rest];
      throw new Error('the name of the servers has no address');
    } catch (error) {
      if (Date.now() > end) throw error;
      await delay(ASK_AGAIN_MS);
    }
  }
}

/** Those to which clients are sent. Rejects when there is none. */
export async function readyServers(context: CheckContext): Promise<readonly [ServerReport, ...ServerReport[]]> {
  const [first, ...rest] = (await readServers(context)).filter(({ readyz }) => readyz === 200);
  if (first === undefined) throw new Error('no server is ready');
  return [first, ...rest];
}

async function readServer(address: ServerAddress): Promise<ServerReport> {
  const [livez, readyz, metrics] = await Promise.all(
    ['/livez', '/readyz?verbose', '/metrics'].map((path) => get(`${address.internalUrl}${path}`)),
  );
  if (livez === undefined || readyz === undefined || metrics === undefined) throw new Error('unreachable');
  const report = parsed(readyz.text);
  const metric = /^socketfleet_ready (\S+)$/m.exec(metrics.text)?.[1];
  return {
    address,
    pod: String(report.pod ?? address.internalUrl),
    livez: livez.status,
    readyz: readyz.status,
    status: report.status,
    phase: report.phase,
    checks: (report.checks ?? {}) as ServerReport['checks'],
    readyMetric: metric === undefined ? undefined : Number(metric),
  };
}

async function get(url: string): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    return { status: response.status, text: await response.text() };
  } catch (cause) {
    throw new Error(`${url} does not answer: ${(cause as Error).cause ?? (cause as Error).message}`, { cause });
  }
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Something else listens there; what is missing tells.
    return {};
  }
}
