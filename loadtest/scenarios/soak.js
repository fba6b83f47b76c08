import { runCrowd } from '../lib/crowd.js';
import { CROWD_PARAMS, crowdPlan } from '../lib/crowd-plan.js';
import { createMember } from '../lib/member.js';
import { METRICS_URL, watchMemory } from '../lib/memory.js';
import { growthPerHour } from '../lib/memory-shape.js';
import { int, number } from '../lib/params.js';
import { probeMetrics } from '../lib/probe.js';
import { defineScenario } from '../lib/scenario.js';

const scenario = defineScenario({
  name: 'soak',
  question:
    'After hours of messages, and of clients that come and go, is everything still delivered and the memory flat?',
  params: {
    ...CROWD_PARAMS,
    DURATION: { ...CROWD_PARAMS.DURATION, whenUnset: '2h' },
    VISITORS: {
      ...int(0, 10_000),
      whenUnset: '1',
      about: 'Clients of each VU that connect, stay for a moment and leave.',
    },
    STAY_S: { ...number(0.5, 3_600), whenUnset: '5', about: 'How long each of them stays.' },
    GROWTH: { ...number(0.1, 10_000), whenUnset: '5', about: 'Growth of memory that is still flat, % per hour.' },
    METRICS_URL: { ...METRICS_URL, isRequired: true },
  },
  plan(params) {
    const plan = crowdPlan(params);
    return {
      ...plan,
      thresholds: {
        ...plan.thresholds,
        sio_outages: ['count==0'],
        sio_memory_samples: ['count>9'],
        sio_memory_growth: [`max<${params.GROWTH}`],
      },
      facts: { ...plan.facts, 'visitors at a time': params.VISITORS * plan.vus },
    };
  },
  prepare: ({ METRICS_URL: url }) => probeMetrics(url),
  async run(ctx) {
    const { params, plan, tally, vu } = ctx;
    const memory = vu === 0 ? watchMemory(ctx, plan.times.publishTo) : undefined;
    await runCrowd(ctx, plan.crowd, () =>
      Promise.all(Array.from({ length: params.VISITORS }, () => comeAndGo(ctx, plan.times.publishTo))),
    );
    const growth = memory && growthPerHour(await memory);
    if (growth !== undefined) tally.observe('sio_memory_growth', growth);
  },
});

async function comeAndGo(ctx, to) {
  const stayMs = ctx.params.STAY_S * 1000;
  await ctx.at(ctx.now() + Math.random() * stayMs);
  while (ctx.now() < to) {
    const visitor = createMember(ctx, {});
    await ctx.at(ctx.now() + stayMs);
    if (visitor.pod === undefined) visitor.fail();
    else visitor.close();
  }
}

export const { options, setup, handleSummary } = scenario;
export default scenario.main;
