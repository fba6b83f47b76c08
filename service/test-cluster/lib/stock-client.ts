/** One stock Socket.IO client, and a record of what happens to it. */
import { io, type Socket } from 'socket.io-client';
import type { Member, Stay } from './ledger.ts';

/** How a client comes: it stays with polling, begins with polling, or uses WebSocket only. */
export type Kind = 'polling' | 'upgrade' | 'websocket';

export interface Outage {
  readonly from: number;
  to?: number;
}

export interface Handshake {
  readonly at: number;
  /** Known once the client is in its room. */
  pod?: string;
}

/** Milliseconds since 1970, everywhere. */
export interface ClientRecord extends Member {
  readonly kind: Kind;
  readonly stays: Stay[];
  readonly outages: Outage[];
  readonly handshakes: Handshake[];
  /** HTTP answers of 400 and more, with their time. */
  readonly refusals: { readonly at: number; readonly status: number }[];
  readonly upgradeErrors: number[];
  /** Why the server sent it away for good, which no stock client recovers from by itself. */
  readonly ends: { readonly at: number; readonly why: string }[];
}

export interface StockClient {
  readonly record: ClientRecord;
  readonly socket: Socket;
  /** In its room, and told so by the server. */
  isHere(): boolean;
  transport(): string | undefined;
  /** Asks the server who this is; rejects without an answer. */
  whoami(): Promise<{ readonly pod: string; readonly id: string }>;
  stop(): void;
}

export interface StockClientOptions {
  readonly url: string;
  readonly kind: Kind;
  readonly room: string;
  token(): Promise<string>;
}

const TRANSPORTS: Readonly<Record<Kind, string[]>> = {
  polling: ['polling'],
  upgrade: ['polling', 'websocket'],
  websocket: ['websocket'],
};
const ACK_MS = 5_000;

/** Connects at once. Only what every user sets is set: transports, the token, and cookies as browsers keep them. */
export function createStockClient({ url, kind, room, token }: StockClientOptions): StockClient {
  const deliveries = new Map<number, number>();
  const record: ClientRecord = {
    kind,
    deliveries,
    stays: [],
    outages: [],
    handshakes: [],
    refusals: [],
    upgradeErrors: [],
    ends: [],
  };
  const socket = io(url, {
    transports: TRANSPORTS[kind],
    withCredentials: true,
    forceNew: true,
    auth: (give) => {
      token().then(
        (value) => give({ token: value }),
        () => give({}),
      );
    },
  });

  async function enter(): Promise<void> {
    const { id } = socket;
    const handshake = record.handshakes.at(-1);
    // A connection that ends meanwhile is no failure of this one: the next one enters again.
    const isStill = () => socket.connected && socket.id === id;
    while (isStill()) {
      try {
        const answer = await socket.timeout(ACK_MS).emitWithAck('join', room);
        if (!isStill()) return;
        if (answer.ok !== true && answer.retry !== true)
          record.ends.push({ at: Date.now(), why: `join: ${answer.message}` });
        if (answer.ok !== true) return;
        const now = Date.now();
        record.stays.push({ from: now });
        const outage = record.outages.at(-1);
        if (outage !== undefined) outage.to ??= now;
        const { pod } = await whoami();
        if (handshake !== undefined) handshake.pod = pod;
        return;
      } catch {
        // No answer in time: ask again as long as the connection lives.
      }
    }
  }

  async function whoami(): Promise<{ pod: string; id: string }> {
    return socket.timeout(ACK_MS).emitWithAck('whoami');
  }

  function refused(problem: unknown): void {
    const status = statusOf(problem);
    if (status !== undefined && status >= 400) record.refusals.push({ at: Date.now(), status });
  }

  socket.io.on('open', () => {
    record.handshakes.push({ at: Date.now() });
    const { engine } = socket.io;
    engine.on('close', (_reason, details) => refused(details));
    engine.on('upgradeError', () => record.upgradeErrors.push(Date.now()));
  });
  socket.io.on('error', refused);
  socket.on('connect', () => void enter());
  socket.on('disconnect', (reason) => {
    const now = Date.now();
    const stay = record.stays.at(-1);
    if (stay !== undefined && stay.to === undefined) {
      stay.to = now;
      record.outages.push({ from: now });
    }
    if (!socket.active) record.ends.push({ at: now, why: reason });
  });
  socket.on('connect_error', (error) => {
    // Rejected by the server, not by the way there: stock clients stay away after that.
    if (!socket.active) record.ends.push({ at: Date.now(), why: error.message });
  });
  socket.on('message', (data: { n?: number }) => {
    if (typeof data?.n === 'number') deliveries.set(data.n, (deliveries.get(data.n) ?? 0) + 1);
  });

  return {
    record,
    socket,
    isHere: () => {
      const stay = record.stays.at(-1);
      return socket.connected && stay !== undefined && stay.to === undefined;
    },
    transport: () => socket.io.engine?.transport.name,
    whoami,
    stop: () => void socket.disconnect(),
  };
}

/** The HTTP status in what engine.io-client reports: a number for polling, an event with a sentence for WebSocket. */
function statusOf(problem: unknown): number | undefined {
  const { description } = (problem ?? {}) as { description?: unknown };
  if (typeof description === 'number') return description;
  if (description instanceof Error) return statusOf(description);
  const sentence = (description as { message?: string } | undefined)?.message ?? '';
  const match = /Unexpected server response: (\d+)/.exec(sentence);
  return match === null ? undefined : Number(match[1]);
}
