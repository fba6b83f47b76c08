/** Numbers of several rounds, and how two sides compare. */

/** Several readings of one thing. */
export interface Spread {
  readonly samples: readonly number[];
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Which direction is an improvement. */
export type Better = 'lower' | 'higher';

/** Two sides measured in the same rounds. Ratios above 1 mean that `ours` is better. */
export interface Comparison {
  readonly ours: Spread;
  readonly stock: Spread;
  /** Ratio of the medians. */
  readonly ratio: number;
  /** Smallest and largest ratio within one round. */
  readonly ratioLow: number;
  readonly ratioHigh: number;
}

/** The middle value; the mean of the two middle ones when there are two. Throws without values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new Error('there is no median of nothing');
  return (lower + upper) / 2;
}

/** The smallest value that is not below `share` (0 to 1) of all. Throws without values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new Error('there is no percentile of nothing');
  return value;
}

/** Median, smallest and largest of some readings. Throws without values. */
export function spread(samples: readonly number[]): Spread {
  return { samples, median: median(samples), low: Math.min(...samples), high: Math.max(...samples) };
}

/** Compares readings taken in pairs, one pair a round. Throws when the rounds do not match. */
export function compare(rounds: Readonly<Record<'ours' | 'stock', readonly number[]>>, better: Better): Comparison {
  if (rounds.ours.length !== rounds.stock.length) throw new Error('both sides need the same number of rounds');
  const advantage = (ours: number, stock: number) => (better === 'lower' ? stock / ours : ours / stock);
  const ours = spread(rounds.ours);
  const stock = spread(rounds.stock);
  const paired = spread(rounds.ours.map((value, round) => advantage(value, rounds.stock[round] ?? Number.NaN)));
  return { ours, stock, ratio: advantage(ours.median, stock.median), ratioLow: paired.low, ratioHigh: paired.high };
}
