import { createMember } from '../lib/member.js';
import { duration, int } from '../lib/params.js';
import { defineScenario } from '../lib/scenario.js';

const scenario = defineScenario({
  name: 'connect-ramp',
  question: 'How many clients can connect at this pace, how long does each of them wait, and do they stay?',
  params: {
    SOCKETS: { ...int(1, 1_000_000), whenUnset: '200', about: 'Clients that connect.' },
    HOLD: { ...duration('1s', '24h'), whenUnset: '10s', about: 'How long they stay once all are there.' },
    CONNECTED_P99_MS: { ...int(1, 600_000), whenUnset: '3000', about: 'Time to connected (p99) that is still good.' },
  },
  plan({ SOCKETS, RAMP, HOLD, PER_VU, CONNECTED_P99_MS, TRANSPORT }) {
    const rampMs = (SOCKETS / RAMP) * 1000;
    return {
      vus: Math.ceil(SOCKETS / PER_VU),
      totalMs: rampMs + HOLD,
      thresholds: {
        sio_time_to_connected: [`p(99)<${CONNECTED_P99_MS}`],
        sio_outages: ['count==0'],
        sio_ack_timeouts: ['count==0'],
      },
      facts: { sockets: SOCKETS, 'new clients/s': RAMP, 'held for s': HOLD / 1000, transport: TRANSPORT },
    };
  },
  async run(ctx) {
    const { params, plan, vu, vus } = ctx;
    const members = [];
    for (let turn = vu; turn < params.SOCKETS; turn += vus) {
      await ctx.at((turn / params.RAMP) * 1000);
      members.push(createMember(ctx, {}));
    }
    await ctx.at(plan.totalMs);
    for (const member of members) {
      // Connected is whoever has said where it is.
      if (member.pod === undefined) member.fail();
      else member.close();
    }
  },
});

export const { options, setup, handleSummary } = scenario;
export default scenario.main;
