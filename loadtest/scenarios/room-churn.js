import { settleStays } from '../lib/churn-account.js';
import { CROWD_PARAMS, DELIVERY } from '../lib/crowd-plan.js';
import { createMember } from '../lib/member.js';
import { int, number } from '../lib/params.js';
import { createPublisher, pace, verified } from '../lib/publisher.js';
import { createRoomAccount } from '../lib/room-account.js';
import { defineScenario } from '../lib/scenario.js';

const { RATE, SIZE, DURATION, SETTLE, P99_MS } = CROWD_PARAMS;
const NEVER = Number.POSITIVE_INFINITY;

const scenario = defineScenario({
  name: 'room-churn',
  question: 'Do clients that join and leave all the time get exactly what was published while they were in?',
  params: {
    SOCKETS: { ...int(2, 100_000), whenUnset: '100', about: 'Clients that come and go.' },
    ROOMS: { ...int(1, 1_000), whenUnset: '5', about: 'Rooms of each VU, among which its clients wander.' },
    HOPS: { ...number(0.01, 20), whenUnset: '0.3', about: 'Changes of room per second of each client.' },
    RATE,
    SIZE,
    DURATION,
    SETTLE: { ...SETTLE, whenUnset: '3s', about: 'How long what is on its way may take.' },
    P99_MS,
  },
  plan({
    SOCKETS,
    ROOMS,
    HOPS,
    RAMP,
    RATE: rate,
    DURATION: durationMs,
    SETTLE: settleMs,
    PER_VU,
    P99_MS: p99,
    TRANSPORT,
  }) {
    const vus = Math.ceil(SOCKETS / PER_VU);
    const from = ((SOCKETS + vus * ROOMS) / RAMP) * 1000 + 3_000;
    return {
      vus,
      from,
      to: from + durationMs,
      totalMs: from + durationMs + settleMs,
      thresholds: {
        ...DELIVERY,
        sio_latency: [`p(99)<${p99}`],
        sio_rtt: [`p(99)<${p99}`],
        sio_outages: ['count==0'],
        sio_ack_timeouts: ['count==0'],
      },
      facts: {
        sockets: SOCKETS + vus * ROOMS,
        rooms: vus * ROOMS,
        'messages/s each': rate,
        'joins and leaves/s': Math.round(SOCKETS * HOPS * 2),
        transport: TRANSPORT,
      },
    };
  },
  async run(ctx) {
    const { params, plan, vu, vus } = ctx;
    const rooms = Array.from({ length: params.ROOMS }, (_, i) => openRoom(ctx, `load-${ctx.run}-${vu}-${i}`));
    const wanderers = [];
    for (let turn = vu; turn < params.SOCKETS; turn += vus) {
      await ctx.at((turn / params.RAMP) * 1000);
      wanderers.push(createWanderer(ctx, rooms));
    }
    await ctx.at(plan.from);
    const everybody = [...rooms.map(({ member }) => member), ...wanderers.map(({ member }) => member)];
    for (const member of everybody) if (!member.wasIn) member.fail();
    const present = wanderers.filter(({ member }) => member.wasIn);
    await Promise.all([
      ...rooms.map((room) => pace(ctx, { rate: params.RATE, ...plan }, () => room.publish())),
      ...present.map((wanderer) => wanderer.wander()),
    ]);
    await Promise.all(rooms.map(({ publisher }) => publisher.settled()));
    // What is on its way arrives; nobody leaves any more.
    await ctx.at(plan.totalMs);
    for (const member of everybody) member.close();
    for (const wanderer of present) wanderer.settle();
  },
});

function openRoom(ctx, name) {
  const member = createMember(ctx, {});
  // Only its notes of what is owed are used: members of these rooms change.
  const account = createRoomAccount({ members: 0 });
  const publisher = createPublisher(ctx, { room: name, member, account, size: ctx.params.SIZE });
  const room = { name, member, publisher, messages: [] };
  room.publish = async () => {
    const message = await publisher.send();
    if (message !== undefined) room.messages.push(message);
  };
  return room;
}

function createWanderer(ctx, rooms) {
  const { params, plan, tally } = ctx;
  const visits = new Map(rooms.map(({ name }) => [name, { stays: [], arrivals: [] }]));
  const member = createMember(ctx, {
    onMessage(data, meta, at) {
      const visit = visits.get(meta?.room);
      const message = verified(ctx, { room: visit && meta.room, size: params.SIZE }, data, meta);
      if (message === undefined) return;
      visit.arrivals.push(message.n);
      tally.count('sio_arrived');
      tally.observe('sio_latency', Math.max(0, at - message.at));
    },
  });

  async function stay(name, until) {
    const visit = { asked: Date.now(), from: NEVER, to: NEVER, gone: NEVER };
    visits.get(name).stays.push(visit);
    await member.join(name);
    visit.from = Date.now();
    await ctx.at(until);
    if (until >= plan.to) return;
    visit.to = Date.now();
    await member.leave(name);
    visit.gone = Date.now();
  }

  return {
    member,
    async wander() {
      const everyMs = 1000 / params.HOPS;
      await ctx.at(plan.from + Math.random() * everyMs);
      while (ctx.now() < plan.to) {
        const { name } = rooms[Math.floor(Math.random() * rooms.length)];
        // An ack that did not come is counted; the next room is another try.
        await stay(name, Math.min(plan.to, ctx.now() + everyMs * (0.5 + Math.random()))).catch(() =>
          ctx.at(ctx.now() + 100),
        );
      }
    },
    settle() {
      for (const { name, messages } of rooms) {
        const { stays, arrivals } = visits.get(name);
        const sums = settleStays(messages, stays, arrivals);
        tally.count('sio_expected', sums.expected);
        tally.count('sio_delivered', sums.delivered);
        tally.count('sio_lost', sums.lost);
        tally.count('sio_lost_connected', sums.lost);
        tally.count('sio_duplicated', sums.duplicated);
        tally.count('sio_out_of_order', sums.outOfOrder);
        tally.count('sio_alien', sums.leaked);
      }
    },
  };
}

export const { options, setup, handleSummary } = scenario;
export default scenario.main;
