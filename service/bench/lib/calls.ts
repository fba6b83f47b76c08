/** What the server under test and the swarm of clients can be asked. */
import type { Verdict } from './tally.ts';

/** Memory of a process, in bytes. */
export interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
}

/** Sockets as the server under test counts them. */
export interface Population {
  readonly sockets: number;
  /** Of those, the ones that have arrived at WebSocket. */
  readonly websockets: number;
  /** Of those, the ones that get broadcasts. */
  readonly members: number;
}

/** What a server spent between `openWindow` and `closeWindow`. */
export interface Window {
  /** User and system time of the process with all its threads. */
  readonly cpuUs: number;
  readonly wallMs: number;
  /** By how much the event loop was late; the 99th percentile. 0 when that was not watched. */
  readonly delayP99Ms: number;
  /** What came in over the connections that the process opened; that is Redis. */
  readonly redisBytes: number;
}

/** The two ways in which Socket.IO's Redis adapters publish. */
export type RedisMode = 'sharded' | 'classic';

/** The Redis that a server shall use. */
export interface RedisSeat {
  readonly url: string;
  readonly mode: RedisMode;
}

/** `turns` times `events` broadcasts, `burst` of them in one turn of the event loop; the next `events` wait for the notice `turn`. */
export interface EmitOrder {
  readonly turns: number;
  readonly events: number;
  readonly burst: number;
  readonly bytes: number;
  /** Number of the first event. */
  readonly first: number;
}

/** `events` broadcasts at a steady pace, each with the time of its emit. */
export interface SteadyOrder {
  readonly events: number;
  readonly perSecond: number;
  readonly bytes: number;
  /** Number of the first event. */
  readonly first: number;
}

/** What the swarm is to count. */
export type Expectation = Pick<EmitOrder, 'turns' | 'events' | 'bytes' | 'first'>;

/** Calls to the server under test. */
export interface SubjectCalls {
  /** Without a seat it is alone. */
  start: { ask: RedisSeat | undefined; answer: { url: string } };
  population: { ask: undefined; answer: Population };
  collectGarbage: { ask: undefined; answer: null };
  memory: { ask: undefined; answer: Memory };
  /**
   * Collects garbage first, so that a window pays for its own only. Watching the delay of the event loop wakes the process
   * a hundred times a second, which is too much where it should have nothing to do.
   */
  openWindow: { ask: { readonly watchDelay: boolean }; answer: null };
  closeWindow: { ask: undefined; answer: Window };
  emit: { ask: EmitOrder; answer: null };
  /** Resolves when all is emitted. */
  emitSteadily: { ask: SteadyOrder; answer: { wallMs: number } };
}

/** How clients connect: straight to WebSocket, or polling first as browsers do. */
export type Route = 'websocket' | 'upgrade';

/** Clients to connect, at most `concurrency` of them at the same time. */
export interface ConnectOrder {
  readonly url: string;
  readonly route: Route;
  readonly clients: number;
  readonly concurrency: number;
}

/** Calls to the swarm. It sends the notice `turn` when a turn has arrived everywhere. */
export interface SwarmCalls {
  /** Rejects when a client cannot connect. */
  connect: { ask: ConnectOrder; answer: { wallMs: number } };
  /** Starts counting what this order sends. */
  expect: { ask: Expectation; answer: null };
  /** The same, and notes how long each event has taken. */
  expectTimed: { ask: Expectation; answer: null };
  /** Since `expectTimed`: microseconds from emit to arrival, a list for each client in the order of connecting. */
  latencies: { ask: undefined; answer: readonly (readonly number[])[] };
  /** What has arrived since `expect`. */
  verdict: { ask: undefined; answer: Verdict };
  /** How many clients were closed by the server. */
  lost: { ask: undefined; answer: number };
  closeAll: { ask: undefined; answer: null };
}
