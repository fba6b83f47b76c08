import { CROWD_PARAMS, DELIVERY } from '../lib/crowd-plan.js';
import { createMember } from '../lib/member.js';
import { int } from '../lib/params.js';
import { createPublisher, pace, settle, verified } from '../lib/publisher.js';
import { createRoomAccount } from '../lib/room-account.js';
import { defineScenario } from '../lib/scenario.js';

const { RATE, SIZE, DURATION, SETTLE, P99_MS } = CROWD_PARAMS;

const scenario = defineScenario({
  name: 'chatty',
  question: 'How fast do two clients talk to each other when every message is answered?',
  params: {
    PAIRS: {
      ...int(1, 100_000),
      whenUnset: '50',
      about: 'Pairs of clients, each with a room of its own for each direction.',
    },
    RATE: { ...RATE, about: 'Questions per second of each pair.' },
    SIZE,
    DURATION,
    SETTLE,
    P99_MS,
  },
  plan({ PAIRS, RAMP, RATE: rate, DURATION: durationMs, SETTLE: settleMs, PER_VU, P99_MS: p99, TRANSPORT }) {
    const from = ((PAIRS * 2) / RAMP) * 1000 + 3_000;
    return {
      vus: Math.ceil((PAIRS * 2) / PER_VU),
      from,
      to: from + durationMs,
      totalMs: from + durationMs + settleMs,
      thresholds: {
        ...DELIVERY,
        sio_latency: [`p(99)<${p99}`],
        sio_rtt: [`p(99)<${p99}`],
        sio_outages: ['count==0'],
      },
      facts: { sockets: PAIRS * 2, pairs: PAIRS, 'questions/s each': rate, transport: TRANSPORT },
    };
  },
  async run(ctx) {
    const { params, plan, vu, vus } = ctx;
    const pairs = [];
    for (let index = vu; index < params.PAIRS; index += vus) {
      await ctx.at(((index * 2) / params.RAMP) * 1000);
      pairs.push(createPair(ctx, index));
    }
    await ctx.at(plan.from - 500);
    const present = pairs.filter((pair) => pair.admit());
    await Promise.all(present.map((pair) => pair.talk()));
    while (ctx.now() < plan.totalMs && !present.every((pair) => pair.isComplete())) await ctx.at(ctx.now() + 50);
    for (const pair of present) pair.settle();
  },
});

/** One asks, the other answers each question with a message of its own. */
function createPair(ctx, index) {
  const { params, plan, tally, run } = ctx;
  const rooms = [`load-${run}-${index}-asks`, `load-${run}-${index}-answers`];
  const accounts = rooms.map(() => createRoomAccount({ members: 1 }));
  const publishers = [];
  // Each listens in the room into which the other publishes.
  const members = [1, 0].map((other) =>
    createMember(ctx, {
      rooms: [rooms[other]],
      onMessage(data, meta, at) {
        const message = verified(ctx, { room: rooms[other], size: params.SIZE }, data, meta);
        if (message === undefined || accounts[other].arrived(0, message.n, message.at) === 'duplicate') return;
        tally.count('sio_arrived');
        tally.observe('sio_latency', Math.max(0, at - message.at));
        if (other === 0) void publishers[1]?.send();
      },
    }),
  );
  return {
    /** Whether both are in; otherwise both leave. */
    admit() {
      if (!members.every(({ wasIn }) => wasIn)) {
        for (const member of members) member.wasIn ? member.close() : member.fail();
        return false;
      }
      members.forEach((member, i) => {
        publishers.push(createPublisher(ctx, { room: rooms[i], member, account: accounts[i], size: params.SIZE }));
      });
      return true;
    },
    async talk() {
      await pace(ctx, { rate: params.RATE, from: plan.from, to: plan.to }, () => void publishers[0].send());
    },
    isComplete() {
      close();
      return accounts.every((account) => account.isComplete()) && publishers[0].total === publishers[1].total;
    },
    settle() {
      close();
      for (const member of members) member.close();
      for (const account of accounts) settle(ctx, account);
    },
  };

  function close() {
    for (const [i, account] of accounts.entries()) account.close(publishers[i].total, []);
  }
}

export const { options, setup, handleSummary } = scenario;
export default scenario.main;
