/** Runs one suite: fresh processes for every round and side, and the sides take turns. */
import type { RedisServer } from '../../scripts/find-redis.mjs';
import { type Machine, SIDE_NAMES, SIDES, type Side } from './sides.ts';
import { type Comparison, compare } from './stats.ts';
import type { Axes, Metric, Question, Scale, Values } from './suite.ts';

/** What a run is given. */
export interface Run extends Machine {
  readonly scale: Scale;
  /** What suites with Redis run as theirs. */
  readonly redis: RedisServer | undefined;
  say(text: string): void;
}

/** A suite together with the processes that it needs. */
export interface Playable extends Question {
  /** One round with one side, in fresh processes. Rejects when a message or a client is missing. */
  play(side: Side, run: Run): Promise<Values>;
}

/** A figure of both sides. */
export interface Measured extends Metric, Comparison {}

/** All figures of a suite. */
export interface SuiteResult {
  readonly name: string;
  readonly title: string;
  readonly axes: Axes;
  readonly figures: readonly Measured[];
}

/** Rejects as soon as one side loses a message or a client. */
export async function runSuite(suite: Playable, run: Run): Promise<SuiteResult> {
  const values: Record<Side, Values[]> = { ours: [], stock: [] };
  for (let round = 1; round <= run.scale.rounds; round++) {
    for (const side of SIDES) {
      const where = `${suite.name}, round ${round}/${run.scale.rounds}, ${SIDE_NAMES[side]}`;
      run.say(where);
      values[side].push(await suite.play(side, { ...run, say: (text) => run.say(`${where}: ${text}`) }));
    }
  }
  const figures = suite.metrics(run.scale).map((metric) => {
    const column = (side: Side) => values[side].map((round) => round[metric.key] ?? Number.NaN);
    return { ...metric, ...compare({ ours: column('ours'), stock: column('stock') }, metric.better) };
  });
  return { name: suite.name, title: suite.title, axes: suite.axes, figures };
}
