/** The two sides that are compared, and the processes that a round of one side consists of. */
import type { SubjectCalls, SwarmCalls } from './calls.ts';
import { type Child, startChild } from './child-process.ts';

/** Ours, or the rival. */
export type Side = 'ours' | 'stock';

/** Where and how the processes run. */
export interface Machine {
  /** Cores to pin to; undefined leaves all processes to the scheduler. */
  readonly cores: { readonly server: number; readonly clients: number } | undefined;
  /** V8 flags of both sides. */
  readonly nodeFlags: readonly string[];
}

/** The order in which they take turns. */
export const SIDES: readonly Side[] = ['ours', 'stock'];

/** What they are called in progress and errors. */
export const SIDE_NAMES: Readonly<Record<Side, string>> = { ours: 'Socketfleet', stock: 'stock Socket.IO' };

const SCRIPTS: Readonly<Record<Side, URL>> = {
  ours: new URL('../subjects/socketfleet.js', import.meta.url),
  stock: new URL('../subjects/stock.js', import.meta.url),
};
const SWARM = new URL('../swarm/swarm.js', import.meta.url);

/** Starts the process of a server under test; the server itself starts when it is asked to. */
export function startSubject(side: Side, { cores, nodeFlags }: Machine): Child<SubjectCalls> {
  return startChild<SubjectCalls>({
    label: SIDE_NAMES[side],
    script: SCRIPTS[side],
    nodeFlags: ['--expose-gc', ...nodeFlags],
    core: cores?.server,
  });
}

/** Starts the process of the clients. */
export function startSwarm({ cores }: Machine): Child<SwarmCalls> {
  return startChild<SwarmCalls>({ label: 'the swarm', script: SWARM, nodeFlags: [], core: cores?.clients });
}
