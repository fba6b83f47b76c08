import { sleep } from 'k6';
import { roomName, runCrowd } from '../lib/crowd.js';
import { CROWD_PARAMS, crowdPlan } from '../lib/crowd-plan.js';
import { createMember } from '../lib/member.js';
import { METRICS_URL, watchMemory } from '../lib/memory.js';
import { int } from '../lib/params.js';
import { defineScenario } from '../lib/scenario.js';

const NAP_S = 1;

const scenario = defineScenario({
  name: 'slow-readers',
  question: 'Do clients that stop reading slow down those who read, or cost the server its memory?',
  params: {
    ...CROWD_PARAMS,
    RATE: { ...CROWD_PARAMS.RATE, whenUnset: '10' },
    SIZE: { ...CROWD_PARAMS.SIZE, whenUnset: '16000' },
    SLOW: { ...int(1, 5_000), whenUnset: '10', about: 'Clients that join the first room and then read nothing.' },
    METRICS_URL,
  },
  plan(params) {
    const plan = crowdPlan(params);
    // They share a VU of their own: what does not read is its whole event loop.
    const readers = plan.vus;
    return {
      ...plan,
      readers,
      vus: readers + 1,
      thresholds: { ...plan.thresholds, sio_outages: ['count==0'] },
      facts: { ...plan.facts, 'slow readers': params.SLOW },
    };
  },
  async run(ctx) {
    const { plan, vu } = ctx;
    if (vu === plan.readers) return readNothing(ctx);
    if (vu === 0 && ctx.params.METRICS_URL) void watchMemory(ctx, plan.times.publishTo);
    return runCrowd({ ...ctx, vus: plan.readers }, plan.crowd);
  },
});

async function readNothing(ctx) {
  const { params, plan, tally } = ctx;
  const { publishFrom, publishTo } = plan.times;
  // It lags by design.
  ctx.endWatch();
  const sockets = [];
  for (let i = 0; i < params.SLOW; i++) {
    await ctx.at((i / params.RAMP) * 1000);
    const { socket } = createMember({ ...ctx, tally: SILENT }, { rooms: [roomName(ctx, 0)] });
    // Whoever is let go stays away: it would come back fresh, and read.
    socket.io.settings.reconnection = false;
    sockets.push(socket);
  }
  await ctx.at(publishFrom - 500);
  const wasIn = sockets.filter(({ connected }) => connected);
  tally.count('sio_connect_failed', sockets.length - wasIn.length);
  // k6's sleep blocks the event loop: nothing is read, no heartbeat is answered.
  while (ctx.now() < publishTo) sleep(NAP_S);
  await ctx.at(ctx.now() + 1_000);
  tally.count('sio_slow_closed', wasIn.filter(({ connected }) => !connected).length);
  for (const socket of sockets) socket.disconnect();
}

/** Their outages and delays are not those of the readers. */
const SILENT = { count: () => undefined, observe: () => undefined, share: () => undefined, pod: () => undefined };

export const { options, setup, handleSummary } = scenario;
export default scenario.main;
