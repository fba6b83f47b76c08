/** Parameters and plan of the scenarios whose clients sit in rooms and listen. */
import { crowdTimes } from './crowd.js';
import { duration, int, number } from './params.js';

/** So many latencies are kept, at most; beyond that one in n. Deliveries are always all counted. */
const MOST_LATENCIES = 2_000_000;

export const CROWD_PARAMS = {
  ROOMS: { ...int(1, 100_000), whenUnset: '10', about: 'Rooms.' },
  MEMBERS: { ...int(1, 100_000), whenUnset: '10', about: 'Members of each room; the first one publishes, too.' },
  RATE: { ...number(0.001, 1_000), whenUnset: '1', about: 'Messages per second in each room.' },
  SIZE: { ...int(0, 1_000_000), whenUnset: '100', about: 'Characters of padding in each message.' },
  DURATION: { ...duration('1s', '24h'), whenUnset: '30s', about: 'How long is published.' },
  SETTLE: { ...duration('1s', '10m'), whenUnset: '10s', about: 'How long stragglers are waited for, at most.' },
  P99_MS: { ...int(1, 600_000), whenUnset: '1000', about: 'Latency (p99) that is still good.' },
};

/** What everybody who publishes promises: every pair verified, nothing lost, doubled, out of order or strange. */
export const DELIVERY = {
  gen_on_time: ['rate>0.99'],
  sio_unverified: ['count==0'],
  sio_alien: ['count==0'],
  sio_delivered: ['count>0'],
  sio_lost: ['count==0'],
  sio_duplicated: ['count==0'],
  sio_out_of_order: ['count==0'],
};

/** The plan, and the crowd that `runCrowd` takes. */
export function crowdPlan(params) {
  const { ROOMS: rooms, MEMBERS: members, RATE: rate, SIZE: size, DURATION, PER_VU, P99_MS } = params;
  const sockets = rooms * members;
  const vus = Math.ceil(sockets / PER_VU);
  const times = crowdTimes(params, sockets);
  const deliveries = sockets * rate * (DURATION / 1000);
  const sampleEvery = Math.max(1, Math.ceil(deliveries / MOST_LATENCIES));
  return {
    vus,
    times,
    totalMs: times.totalMs,
    crowd: { rooms, members, rate, size, sampleEvery },
    thresholds: { ...DELIVERY, sio_latency: [`p(99)<${P99_MS}`] },
    facts: {
      sockets,
      rooms,
      'members each': members,
      'messages/s each': rate,
      'deliveries/s': Math.round(sockets * rate),
      transport: params.TRANSPORT,
      ...(sampleEvery > 1 ? { 'latency of one delivery in': sampleEvery } : {}),
    },
  };
}
