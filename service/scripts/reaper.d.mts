export interface Reaper {
  /** What is to be ended when this process is gone; `undefined` for nothing. */
  watch(id: string | number | undefined): void;
  /** Ends what is watched and removes the folder. Safe to call twice. */
  reap(): Promise<void>;
}

export function createReaper(options: {
  readonly folder: string | undefined;
  readonly end: readonly [string, ...string[]];
}): Reaper;
