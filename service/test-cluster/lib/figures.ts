/** Figures over what clients went through. Pure. */

/** The value that `share` of all values do not exceed; 0 without values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/** Most events within any second; times are milliseconds in any order. */
export function peakPerSecond(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  let first = 0;
  let peak = 0;
  sorted.forEach((time, last) => {
    while (time - (sorted[first] ?? time) >= 1_000) first++;
    peak = Math.max(peak, last - first + 1);
  });
  return peak;
}
