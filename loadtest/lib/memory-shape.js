/** What answers of /metrics say about memory. Pure. */

/** What the exposition says about resident memory, over all workers; 0 when it says nothing. */
export function residentBytes(text) {
  const lines = (text ?? '').matchAll(/^\w*process_resident_memory_bytes(?:\{[^}]*\})? ([\d.e+]+)/gm);
  return [...lines].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
}

/** Slope of the second half, in percent of its mean per hour (least squares); undefined with fewer than ten samples. */
export function growthPerHour(samples) {
  const half = samples.slice(Math.floor(samples.length / 2));
  if (half.length < 5) return undefined;
  const meanX = half.reduce((sum, [x]) => sum + x, 0) / half.length;
  const meanY = half.reduce((sum, [, y]) => sum + y, 0) / half.length;
  const up = half.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const down = half.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return (up / down / meanY) * 100 * 3_600_000;
}
