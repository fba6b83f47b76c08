/** Runs one suite: fresh processes for every round and side, and the sides take turns. */
import type { SubjectCalls, SwarmCalls } from './calls.ts';
import { startChild } from './child-process.ts';
import { type Comparison, compare } from './stats.ts';
import type { Axes, Metric, Rig, Scale, Suite } from './suite.ts';

/** Where and how the processes run. */
export interface Machine {
  /** Cores to pin to; undefined leaves both processes to the scheduler. */
  readonly cores: { readonly server: number; readonly clients: number } | undefined;
  /** V8 flags of both sides. */
  readonly nodeFlags: readonly string[];
}

/** What a run is given. */
export interface Run extends Machine {
  readonly scale: Scale;
  say(text: string): void;
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

type Side = 'ours' | 'stock';

const SIDES: readonly Side[] = ['ours', 'stock'];
const SCRIPTS: Readonly<Record<Side, URL>> = {
  ours: new URL('../subjects/socketfleet.js', import.meta.url),
  stock: new URL('../subjects/stock.js', import.meta.url),
};
const SWARM = new URL('../swarm/swarm.js', import.meta.url);
const NAMES: Readonly<Record<Side, string>> = { ours: 'Socketfleet', stock: 'stock Socket.IO' };

/** Rejects as soon as one side loses a message or a client. */
export async function runSuite(suite: Suite, run: Run): Promise<SuiteResult> {
  const values: Record<Side, Readonly<Record<string, number>>[]> = { ours: [], stock: [] };
  for (let round = 1; round <= run.scale.rounds; round++) {
    for (const side of SIDES) {
      const where = `${suite.name}, round ${round}/${run.scale.rounds}, ${NAMES[side]}`;
      run.say(where);
      values[side].push(await playRound(suite, { ...run, side, say: (text) => run.say(`${where}: ${text}`) }));
    }
  }
  const figures = suite.metrics(run.scale).map((metric) => {
    const column = (side: Side) => values[side].map((round) => round[metric.key] ?? Number.NaN);
    return { ...metric, ...compare({ ours: column('ours'), stock: column('stock') }, metric.better) };
  });
  return { name: suite.name, title: suite.title, axes: suite.axes, figures };
}

async function playRound(suite: Suite, run: Run & { readonly side: Side }): Promise<Readonly<Record<string, number>>> {
  const { side, scale, say, cores, nodeFlags } = run;
  const subject = startChild<SubjectCalls>({
    label: NAMES[side],
    script: SCRIPTS[side],
    nodeFlags: ['--expose-gc', ...nodeFlags],
    core: cores?.server,
  });
  const swarm = startChild<SwarmCalls>({ label: 'the swarm', script: SWARM, nodeFlags: [], core: cores?.clients });
  try {
    const { url } = await subject.call('start', undefined);
    const rig: Rig = { subject, swarm, url, scale, say };
    return await suite.round(rig);
  } finally {
    await Promise.all([swarm.stop(), subject.stop()]);
  }
}
