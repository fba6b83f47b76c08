/** Where a process is in its life: the one truth behind probes and refusals. */

export type PhaseName = 'starting' | 'ready' | 'draining' | 'stopped';

const ORDER: readonly PhaseName[] = ['starting', 'ready', 'draining', 'stopped'];

export interface Phase {
  name(): PhaseName;
  /** Whether /readyz may say yes as far as the phase goes. */
  isReady(): boolean;
  isDraining(): boolean;
  /** Moves forward; going back or staying does nothing. */
  advance(to: PhaseName): void;
  /** From now on not ready, whatever `readyWhileDraining` says: an operator asked for it. */
  withdraw(): void;
}

/** `readyWhileDraining` keeps a draining process ready that was so before, for platforms that take terminating pods out by themselves. */
export function createPhase(options: { readyWhileDraining: boolean }): Phase {
  let name: PhaseName = 'starting';
  let wasReady = false;
  let isWithdrawn = false;
  return {
    name: () => name,
    isReady: () =>
      wasReady && !isWithdrawn && (name === 'ready' || (name === 'draining' && options.readyWhileDraining)),
    isDraining: () => name === 'draining',
    advance(to) {
      if (ORDER.indexOf(to) <= ORDER.indexOf(name)) return;
      name = to;
      if (to === 'ready') wasReady = true;
    },
    withdraw() {
      isWithdrawn = true;
    },
  };
}
