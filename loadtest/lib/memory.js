/** Resident memory of one server, as its /metrics tell it. */
import http from 'k6/http';
import { residentBytes } from './memory-shape.js';
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
