/** The contracts between the runner, the suites and the report. */
import type { SubjectCalls, SwarmCalls } from './calls.ts';
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

/** One question, asked to both sides in every round. */
export interface Suite {
  readonly name: string;
  readonly title: string;
  /** What the axes of the chart say. The primary figures share the unit. */
  readonly axes: Axes;
  metrics(scale: Scale): readonly Metric[];
  /** One round with one side: a value for each metric. Rejects when a message or a client is missing. */
  round(rig: Rig): Promise<Readonly<Record<string, number>>>;
}
