import { runCrowd } from '../lib/crowd.js';
import { CROWD_PARAMS, crowdPlan } from '../lib/crowd-plan.js';
import { duration, int } from '../lib/params.js';
import { EXPECT, returned } from '../lib/returning.js';
import { defineScenario } from '../lib/scenario.js';

const scenario = defineScenario({
  name: 'reconnect-storm',
  question:
    'When everybody loses the connection at once, how soon is everybody back, and with everything that was missed?',
  params: {
    ...CROWD_PARAMS,
    SETTLE: { ...CROWD_PARAMS.SETTLE, whenUnset: '60s' },
    // Who is away for a while gets what was missed late.
    P99_MS: { ...CROWD_PARAMS.P99_MS, whenUnset: '30000' },
    CUTS: { ...int(1, 20), whenUnset: '1', about: 'How often; the times are spread over the duration.' },
    BACK_MS: { ...int(1, 600_000), whenUnset: '30000', about: 'How long the last one may be away.' },
    CUT_WITHIN: {
      ...duration('0s', '10m'),
      whenUnset: '0s',
      about: 'Over which time the connections end; 0s is at once.',
    },
    EXPECT,
  },
  plan(params) {
    const plan = crowdPlan(params);
    return {
      ...plan,
      thresholds: { ...returned(params, plan.thresholds), sio_outages: ['count>0'] },
      facts: {
        ...plan.facts,
        cuts: params.CUTS,
        'over s': params.CUT_WITHIN / 1000,
        'clients are to be': params.EXPECT,
      },
    };
  },
  run: (ctx) =>
    runCrowd(ctx, ctx.plan.crowd, async (seats) => {
      const { CUTS, CUT_WITHIN, DURATION } = ctx.params;
      // Publishers stay, so that there is something to miss.
      const crowd = seats.filter(({ isPublisher }) => !isPublisher);
      for (let i = 1; i <= CUTS; i++) {
        await ctx.at(ctx.plan.times.publishFrom + (DURATION * i) / (CUTS + 1));
        await Promise.all(crowd.map(({ member }) => cutWithin(ctx, member, CUT_WITHIN)));
      }
    }),
});

async function cutWithin(ctx, member, ms) {
  if (ms > 0) await ctx.at(ctx.now() + Math.random() * ms);
  member.cut();
}

export const { options, setup, handleSummary } = scenario;
export default scenario.main;
