/** Numbers as people read them. Pure. */

const GROUPS = /\B(?=(\d{3})+(?!\d))/g;

/** 1,234,567; small ones with what matters after the point. */
export function readable(value) {
  if (value === undefined || value === null || Number.isNaN(value)) return '-';
  if (Number.isInteger(value)) return String(value).replace(GROUPS, ',');
  if (Math.abs(value) >= 100) return String(Math.round(value)).replace(GROUPS, ',');
  return String(Number(value.toPrecision(3)));
}

/** 350 ms, 4.2 s, 3 min, 2.5 h. */
export function readableMs(ms) {
  if (ms === undefined || ms === null) return '-';
  if (ms < 1_000) return `${readable(Math.round(ms * 10) / 10)} ms`;
  if (ms < 120_000) return `${Number((ms / 1_000).toFixed(1))} s`;
  if (ms < 7_200_000) return `${Number((ms / 60_000).toFixed(1))} min`;
  return `${Number((ms / 3_600_000).toFixed(1))} h`;
}

/** 100 % is said only of everything, 0 % only of nothing. */
export function percent(part, whole) {
  if (whole === 0) return '-';
  const value = (part / whole) * 100;
  if (part !== whole && value > 99.99) return '> 99.99 %';
  if (part !== 0 && value < 0.01) return '< 0.01 %';
  return `${Number(value.toFixed(2))} %`;
}

/** The sum of a metric's fastest slice, per second. */
export function peakPerSecond({ sliceMs, counters }, name) {
  return Math.max(0, ...counters[name]) / (sliceMs / 1000);
}
