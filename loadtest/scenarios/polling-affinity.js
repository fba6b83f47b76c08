import { createMember } from '../lib/member.js';
import { duration, int, number, oneOf } from '../lib/params.js';
import { defineScenario } from '../lib/scenario.js';

const scenario = defineScenario({
  name: 'polling-affinity',
  question: 'Does every polling request of a session reach the pod that holds it?',
  params: {
    TRANSPORT: { ...oneOf('polling'), whenUnset: 'polling', about: 'Only polling: a WebSocket stays where it is.' },
    SOCKETS: { ...int(1, 100_000), whenUnset: '100', about: 'Clients that poll.' },
    ASKS: { ...number(0.01, 100), whenUnset: '1', about: 'Questions per second of each client.' },
    DURATION: { ...duration('1s', '24h'), whenUnset: '30s', about: 'How long is asked.' },
  },
  plan({ SOCKETS, RAMP, ASKS, DURATION, PER_VU, TRANSPORT }) {
    const from = (SOCKETS / RAMP) * 1000 + 3_000;
    return {
      vus: Math.ceil(SOCKETS / PER_VU),
      from,
      totalMs: from + DURATION,
      thresholds: {
        sio_moved: ['count==0'],
        sio_outages: ['count==0'],
        sio_ack_timeouts: ['count==0'],
        sio_http_other: ['count==0'],
        sio_answers: ['count>0'],
      },
      facts: { sockets: SOCKETS, 'questions/s each': ASKS, transport: TRANSPORT },
    };
  },
  async run(ctx) {
    const { params, plan, vu, vus } = ctx;
    const members = [];
    for (let turn = vu; turn < params.SOCKETS; turn += vus) {
      await ctx.at((turn / params.RAMP) * 1000);
      members.push(createMember(ctx, {}));
    }
    await ctx.at(plan.from);
    for (const member of members) if (member.pod === undefined) member.fail();
    await Promise.all(members.filter(({ pod }) => pod !== undefined).map((member) => askOn(ctx, member)));
    for (const member of members) member.close();
  },
});

/** Asks who it is again and again: the same session on the same pod answers. */
async function askOn(ctx, member) {
  const everyMs = 1000 / ctx.params.ASKS;
  const { pod } = member;
  const { id } = member.socket;
  for (let due = ctx.plan.from + Math.random() * everyMs; due < ctx.plan.totalMs; due += everyMs) {
    await ctx.at(due);
    if (!member.socket.connected) continue;
    const me = await member.ask('whoami').catch(() => undefined);
    // After an outage, which is counted, it may be another session.
    if (me === undefined || member.socket.id !== id) continue;
    ctx.tally.count(me.pod === pod && me.id === id ? 'sio_answers' : 'sio_moved');
  }
}

export const { options, setup, handleSummary } = scenario;
export default scenario.main;
