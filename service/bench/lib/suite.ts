/** The contracts between the runner, the suites and the report. */
import type { RedisMode, SubjectCalls, SwarmCalls } from './calls.ts';
import type { Caller } from './channel.ts';
import type { Better } from './stats.ts';

/** One figure that a suite measures. */
export interface Metric {
  readonly key: string;
  readonly label: string;
  /** Under its bars in the chart of a suite; primary figures only. */
  readonly mark?: string;
  readonly unit: string;
  readonly better: Better;
  /** What the suite is about. Other figures explain it and depend on the machine and the clients as well. */
  readonly isPrimary: boolean;
}

/** How much work a run does. */
export interface Scale {
  readonly rounds: number;
  /** Clients that connect at the same time. */
  readonly concurrency: number;
  readonly payloadBytes: number;
  readonly delivery: { readonly clients: number; readonly warmUpTurns: number; readonly loads: readonly Load[] };
  readonly memory: { readonly warmUpClients: number; readonly clients: number; readonly readingEveryMs: number };
  readonly connect: { readonly warmUpClients: number; readonly clients: number };
  readonly redis: RedisScale;
}

/** How much work the suites with Redis do. */
export interface RedisScale {
  readonly perSecond: number;
  /** Messages that warm up latency and bystander. */
  readonly warmUp: number;
  readonly latency: { readonly messages: number };
  readonly bystander: { readonly messages: number; readonly idleMs: number; readonly servers: readonly number[] };
  readonly publish: { readonly inFlight: number; readonly warmUpTurns: number; readonly turns: number };
}

/** Labels of a chart's axes. */
export interface Axes {
  readonly x: string;
  readonly y: string;
}

/** Broadcasts per event-loop turn, and for how many turns. */
export interface Load {
  readonly events: number;
  readonly turns: number;
}

/** A fresh server under test and a fresh swarm. */
export interface Rig {
  readonly subject: Caller<SubjectCalls>;
  readonly swarm: Caller<SwarmCalls>;
  /** Where the server listens. */
  readonly url: string;
  readonly scale: Scale;
  say(text: string): void;
}

/** Values of one round by the keys of the metrics. */
export type Values = Readonly<Record<string, number>>;

/** One question, asked to both sides in every round. */
export interface Question {
  readonly name: string;
  readonly title: string;
  /** What the axes of the chart say. The primary figures share the unit. */
  readonly axes: Axes;
  metrics(scale: Scale): readonly Metric[];
}

/** A question to one server. */
export interface Suite extends Question {
  /** One round with one side: a value for each metric. Rejects when a message or a client is missing. */
  round(rig: Rig): Promise<Values>;
}

/** Servers to start on a Redis. */
export interface FleetOrder {
  readonly mode: RedisMode;
  readonly servers: number;
}

/** Servers on one Redis; all rigs share a swarm. */
export interface Fleet {
  readonly first: Rig;
  readonly others: readonly Rig[];
}

/** What a suite with Redis is given. */
export interface FleetRig {
  readonly scale: Scale;
  say(text: string): void;
  /** Starts a fleet of fresh processes for `use` and ends it afterwards. */
  withFleet<T>(order: FleetOrder, use: (fleet: Fleet) => Promise<T>): Promise<T>;
}

/** A question to servers that talk through Redis. */
export interface FleetSuite extends Question {
  /** One round with one side: a value for each metric. Rejects when a message or a client is missing. */
  round(rig: FleetRig): Promise<Values>;
}
