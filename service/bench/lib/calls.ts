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
  /** By how much the event loop was late; the 99th percentile. */
  readonly delayP99Ms: number;
}

/** `turns` event-loop turns with `events` broadcasts each; the next turn waits for the notice `turn`. */
export interface EmitOrder {
  readonly turns: number;
  readonly events: number;
  readonly bytes: number;
  /** Number of the first event. */
  readonly first: number;
}

/** Calls to the server under test. */
export interface SubjectCalls {
  start: { ask: undefined; answer: { url: string } };
  population: { ask: undefined; answer: Population };
  collectGarbage: { ask: undefined; answer: null };
  memory: { ask: undefined; answer: Memory };
  /** Collects garbage first, so that a window pays for its own only. */
  openWindow: { ask: undefined; answer: null };
  closeWindow: { ask: undefined; answer: Window };
  emit: { ask: EmitOrder; answer: null };
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
  expect: { ask: EmitOrder; answer: null };
  /** What has arrived since `expect`. */
  verdict: { ask: undefined; answer: Verdict };
  /** How many clients were closed by the server. */
  lost: { ask: undefined; answer: number };
  closeAll: { ask: undefined; answer: null };
}
