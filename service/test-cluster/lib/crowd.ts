/** A crowd of stock clients, a third of each kind, and what happened to them since a moment. */
import { peakPerSecond, percentile } from './figures.ts';
import { type Account, type Publish, settle } from './ledger.ts';
import { createStockClient, type Kind, type StockClient } from './stock-client.ts';
import { until } from './until.ts';

export interface CrowdOptions {
  readonly url: string;
  readonly clients: number;
  readonly room: string;
  token(): Promise<string>;
}

/** What happened to clients. Times are milliseconds. */
export interface CrowdReport extends Account {
  readonly clients: number;
  readonly outages: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
  /** Most new sessions in any second: all, and at the pod that took most. */
  readonly handshakePeak: number;
  readonly podPeak: number;
  /** Answers of 400 and more by status. */
  readonly refusals: Readonly<Record<string, number>>;
  readonly upgradeErrors: number;
  /** Clients that the server sent away for good, with why. */
  readonly ends: readonly string[];
}

export interface Crowd {
  /** Resolves once all are in the room. */
  start(deadlineMs: number): Promise<void>;
  stop(): void;
  /** Resolves once all are in the room (again); rejects with the number of those that are not. */
  gathered(deadlineMs: number): Promise<void>;
  /** Every client breaks its connection as a lost network would, and comes back wherever it is let in. */
  comeAnew(deadlineMs: number): Promise<void>;
  /** Resolves once everyone has heard message `n` or a later one. */
  heard(n: number, deadlineMs: number): Promise<void>;
  /** How many clients a pod has, as they last heard. */
  clientsOn(pod: string): number;
  report(since: number, publishes: readonly Publish[]): CrowdReport;
}

const KINDS: readonly Kind[] = ['polling', 'upgrade', 'websocket'];

export function createCrowd({ url, clients: size, room, token }: CrowdOptions): Crowd {
  const clients: StockClient[] = [];

  function gathered(deadlineMs: number): Promise<void> {
    const away = () => clients.filter((client) => !client.isHere());
    return until({
      what: 'every client is in its room',
      deadlineMs,
      ask: () => {
        const missing = away();
        if (missing.length === 0) return true;
        const kinds = KINDS.map((kind) => `${missing.filter(({ record }) => record.kind === kind).length} ${kind}`);
        throw new Error(`${missing.length} of ${clients.length} are away: ${kinds.join(', ')}`);
      },
    }).then(() => undefined);
  }

  return {
    async start(deadlineMs) {
      for (let i = 0; i < size; i++) {
        const kind = KINDS[i % KINDS.length] ?? 'upgrade';
        clients.push(createStockClient({ url, kind, room, token }));
      }
      await gathered(deadlineMs);
    },
    stop() {
      for (const client of clients) client.stop();
    },
    gathered,
    async comeAnew(deadlineMs) {
      for (const { socket } of clients) socket.io.engine.close();
      await gathered(deadlineMs);
    },
    async heard(n, deadlineMs) {
      const behind = ({ record }: StockClient) => Math.max(...record.deliveries.keys()) < n;
      await until({
        what: `every client hears message ${n}`,
        deadlineMs,
        ask: () => {
          const count = clients.filter(behind).length;
          if (count > 0) throw new Error(`${count} of ${clients.length} have not`);
          return true;
        },
      });
    },
    clientsOn: (pod) => clients.filter(({ record }) => record.handshakes.at(-1)?.pod === pod).length,
    report(since, publishes) {
      const records = clients.map(({ record }) => record);
      const outages = records
        .flatMap((record) => record.outages)
        .filter((outage) => outage.from >= since)
        .map((outage) => (outage.to ?? Date.now()) - outage.from);
      const handshakes = records.flatMap((record) => record.handshakes).filter(({ at }) => at >= since);
      const pods = [...new Set(handshakes.map(({ pod }) => pod))].filter((pod) => pod !== undefined);
      const peakAt = (pod: string) => peakPerSecond(handshakes.filter((one) => one.pod === pod).map(({ at }) => at));
      const refusals: Record<string, number> = {};
      for (const { at, status } of records.flatMap((record) => record.refusals)) {
        if (at >= since) refusals[status] = (refusals[status] ?? 0) + 1;
      }
      return {
        clients: clients.length,
        outages: outages.length,
        p50: percentile(outages, 0.5),
        p95: percentile(outages, 0.95),
        max: percentile(outages, 1),
        handshakePeak: peakPerSecond(handshakes.map(({ at }) => at)),
        podPeak: Math.max(0, ...pods.map(peakAt)),
        refusals,
        upgradeErrors: records.flatMap((record) => record.upgradeErrors).filter((at) => at >= since).length,
        ends: records.flatMap((record) => record.ends.filter(({ at }) => at >= since).map(({ why }) => why)),
        ...settle(
          publishes.filter(({ from }) => from >= since),
          records,
        ),
      };
    },
  };
}
