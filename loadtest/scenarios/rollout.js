import { runCrowd } from '../lib/crowd.js';
import { CROWD_PARAMS, crowdPlan } from '../lib/crowd-plan.js';
import { int, number } from '../lib/params.js';
import { EXPECT, returned } from '../lib/returning.js';
import { defineScenario } from '../lib/scenario.js';

const scenario = defineScenario({
  name: 'rollout',
  question: 'What do connected clients notice while the pods are replaced?',
  params: {
    ...CROWD_PARAMS,
    DURATION: {
      ...CROWD_PARAMS.DURATION,
      whenUnset: '3m',
      about: 'How long is published; restart the pods within it.',
    },
    SETTLE: { ...CROWD_PARAMS.SETTLE, whenUnset: '60s' },
    P99_MS: { ...CROWD_PARAMS.P99_MS, whenUnset: '30000' },
    BACK_MS: { ...int(1, 600_000), whenUnset: '30000', about: 'How long the last one may be away.' },
    PEAK: {
      ...number(1, 100_000),
      about: 'Handshakes per second that may not be exceeded once the crowd has gathered.',
    },
    EXPECT,
  },
  plan(params) {
    const plan = crowdPlan(params);
    return {
      ...plan,
      ...(params.PEAK === undefined ? {} : { peak: { fromMs: plan.times.publishFrom, perSecond: params.PEAK } }),
      // A run during which nothing was restarted has tested nothing.
      thresholds: { ...returned(params, plan.thresholds), sio_outages: ['count>0'] },
      // A poll that comes to a pod which replaced another is told, rightly, that its session is unknown.
      tolerated: ['sio_http_400'],
      facts: { ...plan.facts, 'clients are to be': params.EXPECT },
    };
  },
  run(ctx) {
    if (ctx.vu === 0) {
      const { publishFrom, publishTo } = ctx.plan.times;
      const inS = (ms) => Math.max(0, Math.round((ms - ctx.now()) / 1000));
      console.log(`loadtest: restart the pods between ${inS(publishFrom)} s and ${inS(publishTo)} s from now`);
    }
    return runCrowd(ctx, ctx.plan.crowd);
  },
});

export const { options, setup, handleSummary } = scenario;
export default scenario.main;
