import type { Socket } from 'socket.io-client';
import { onTestFinished } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { type Mode, member, type Node, startPair } from './installation.ts';

const PER_TICK = 10;
const TICK_MS = 20;

/** A message, as the members of the room have it. */
interface Heard {
  readonly n: number;
  readonly sentAt: number;
  readonly at: number;
}

export interface Traffic {
  readonly a: Node;
  readonly b: Node;
  /** Sent by `a` so far. */
  sent(): number;
  /** What a member on `a`, where everything is published, heard. */
  readonly here: readonly Heard[];
  /** What a member on `b` heard. */
  readonly there: readonly Heard[];
  /** Resolves with the milliseconds from `since` until `b` heard something that was sent after it. */
  backSince(since: number, ms?: number): Promise<number>;
  /** Ends it; resolves when the member on `a` has heard all that was sent. Rejects when something is missing. */
  stop(): Promise<void>;
}

export interface TrafficOptions {
  readonly url: string;
  /** Another way to the same Redis for the second server. */
  readonly urlOfB?: string;
  readonly mode?: Mode;
  readonly env?: Record<string, string>;
  /** Characters of each message. */
  readonly size?: number;
}

/** Two servers with a member each, and 500 messages per second that one of them publishes, until it is stopped. */
export async function startTraffic(options: TrafficOptions): Promise<Traffic> {
  const [a, b] = await startPair(options);
  const [memberHere, memberThere] = [await member(a, 'x'), await member(b, 'x')];
  const [here, there] = [memberHere, memberThere].map(listen) as [Heard[], Heard[]];
  const padding = 'x'.repeat(options.size ?? 0);
  let n = 0;
  const timer = setInterval(() => {
    for (let i = 0; i < PER_TICK; i++) {
      void a.services.publish({ rooms: ['x'], data: { n: n++, sentAt: performance.now(), padding } });
    }
  }, TICK_MS);
  onTestFinished(() => clearInterval(timer));
  await eventually(() => there.length > 0, 'traffic to the other server');
  return {
    a,
    b,
    sent: () => n,
    here,
    there,
    async backSince(since, ms = 15_000) {
      const first = await eventually(
        () => there.find(({ sentAt }) => sentAt > since),
        'delivery to the other server',
        ms,
      );
      return first.at - since;
    },
    async stop() {
      clearInterval(timer);
      await eventually(() => here.length >= n, `all ${n} messages on the server that published them`);
      const wrong = here.findIndex((one, index) => one.n !== index);
      if (wrong >= 0 || here.length > n) throw new Error(`out of order, lost or doubled at ${wrong}`);
    },
  };
}

function listen(socket: Socket): Heard[] {
  const heard: Heard[] = [];
  socket.on('message', ({ n, sentAt }: { n: number; sentAt: number }) => {
    heard.push({ n, sentAt, at: performance.now() });
  });
  return heard;
}

/** The longest that a member had to wait for a message from its own server. */
export function slowest(heard: readonly Heard[]): number {
  return heard.reduce((most, { sentAt, at }) => Math.max(most, at - sentAt), 0);
}

/** Whether each number came once at most, and in order. */
export function isOrderly(heard: readonly Heard[]): boolean {
  return heard.every(({ n }, index) => index === 0 || n > (heard[index - 1]?.n ?? -1));
}
