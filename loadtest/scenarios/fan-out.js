import { runCrowd } from '../lib/crowd.js';
import { CROWD_PARAMS, crowdPlan } from '../lib/crowd-plan.js';
import { defineScenario } from '../lib/scenario.js';

const scenario = defineScenario({
  name: 'fan-out',
  question: 'Does every member of every room get every message once, in order, and how soon?',
  params: CROWD_PARAMS,
  plan: crowdPlan,
  run: (ctx) => runCrowd(ctx, ctx.plan.crowd),
});

export const { options, setup, handleSummary } = scenario;
export default scenario.main;
