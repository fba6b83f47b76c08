/** Resident memory of one server, as its /metrics tell it. */
import http from 'k6/http';
import { matching } from './params.js';

const MIB = 1024 * 1024;
const MOST_SAMPLES = 300;

export const METRICS_URL = {
  ...matching(/^https?:\/\/[^\s?#@]+\/[^\s?#]*$/, 'an address like http://host:9464/metrics'),
  about: 'Where one server shows its metrics (internal port).',
};

/** Asks until `to`, in milliseconds of the run; resolves with `[[ms, MiB], ...]`. */
export async function watchMemory({ params, tally, at, now }, to) {
  const everyMs = Math.max(1000, to / MOST_SAMPLES);
  const samples = [];
  while (now() < to) {
    const response = await http.asyncRequest('GET', params.METRICS_URL, null, {
      redirects: 0,
      timeout: '5s',
      tags: { kind: 'metrics', name: 'metrics' },
    });
    const bytes = residentBytes(response.body);
    if (response.status === 200 && bytes > 0) {
      samples.push([now(), bytes / MIB]);
      tally.observe('sio_memory', bytes / MIB);
      tally.count('sio_memory_samples');
    }
    await at(now() + everyMs);
  }
  return samples;
}

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
