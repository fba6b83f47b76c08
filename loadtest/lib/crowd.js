/**
 * Rooms with members and one publisher each: every message is owed to every member, and every pair is verified.
 * A room may be spread over VUs; its first member publishes. At the end the publisher says how many messages there were.
 */
import { createMember } from './member.js';
import { createRoomAccount } from './room-account.js';

const LAST_WORDS = 3;
const LATE_MS = 100;
/** The books of every VU are open before the first message of any. */
const ADMIT_BEFORE_MS = 1_000;

/** Where each slot (one member of one room) lives, and when it connects: spread over all VUs alike. */
export function slotsOf({ vu, vus, params }, { rooms, members }) {
  const perVu = Math.ceil((rooms * members) / vus);
  const slots = [];
  for (let slot = vu * perVu; slot < Math.min((vu + 1) * perVu, rooms * members); slot++) {
    const turn = (slot % perVu) * vus + vu;
    slots.push({ room: Math.floor(slot / members), member: slot % members, connectAtMs: (turn / params.RAMP) * 1000 });
  }
  return slots;
}

/** Times of a crowd's run in milliseconds. */
export function crowdTimes({ RAMP, DURATION, SETTLE }, sockets) {
  const publishFrom = (sockets / RAMP) * 1000 + 3_000;
  const publishTo = publishFrom + DURATION;
  return { publishFrom, publishTo, totalMs: publishTo + SETTLE };
}

/**
 * Runs one VU's part: gather, publish, settle. `crowd` = `{ rooms, members, rate, size, sampleEvery }`;
 * `during({ members, accounts })` runs beside the publishing.
 */
export async function runCrowd(ctx, crowd, during) {
  const { tally, plan } = ctx;
  const rooms = new Map();
  const members = [];
  for (const slot of slotsOf(ctx, crowd)) {
    await ctx.at(slot.connectAtMs);
    members.push(enter(ctx, crowd, roomOf(rooms, ctx, slot.room), slot));
  }
  await ctx.at(plan.times.publishFrom - ADMIT_BEFORE_MS);
  for (const room of rooms.values()) admit(room, tally);
  const present = members.filter(({ wasIn }) => wasIn);
  const publishers = [...rooms.values()].filter(({ publisher }) => publisher?.wasIn);
  await Promise.all([...publishers.map((room) => publish(ctx, crowd, room)), during?.({ members: present })]);
  while (ctx.now() < plan.times.totalMs && ![...rooms.values()].every(({ account }) => account.isComplete())) {
    await ctx.at(ctx.now() + 50);
  }
  // Whoever is out now tells the books before they are closed.
  for (const { close } of members) close();
  for (const room of rooms.values()) settle(room, tally);
}

function roomOf(rooms, ctx, index) {
  let room = rooms.get(index);
  if (room === undefined) {
    room = { name: `load-${ctx.run}-${index}`, slots: [], publisher: undefined, account: undefined };
    rooms.set(index, room);
  }
  return room;
}

function enter(ctx, crowd, room, slot) {
  const seat = { index: undefined, member: undefined };
  seat.member = createMember(ctx, {
    rooms: [room.name],
    onMessage: (data, meta, at) => receive(ctx, crowd, room, seat, { data, meta, at }),
    onOutage: (from, to) => {
      if (seat.index !== undefined) room.account.outage(seat.index, from, to);
    },
  });
  room.slots.push(seat);
  if (slot.member === 0) room.publisher = seat.member;
  return seat.member;
}

/** From here on messages are owed to everybody who is in; the others have failed and leave. */
function admit(room, tally) {
  let count = 0;
  for (const seat of room.slots) {
    if (seat.member.wasIn) seat.index = count++;
    else {
      tally.count('sio_connect_failed');
      if (seat.member.problem !== undefined) console.warn(`loadtest: a client could not join: ${seat.member.problem}`);
      seat.member.close();
    }
  }
  room.account = createRoomAccount({ members: count });
}

let arrivals = 0;

function receive({ tally, run }, crowd, room, seat, { data, meta, at }) {
  if (data?.run !== run || meta?.room !== room.name) return tally.count('sio_alien');
  if (room.account === undefined) return tally.count('sio_unverified');
  // It had not joined in time, was counted as failed, and is on its way out.
  if (seat.index === undefined) return;
  if (data.total !== undefined) return room.account.close(data.total, data.notOwed);
  if (!Number.isInteger(data.n) || data.pad?.length !== crowd.size) return tally.count('sio_alien');
  if (room.account.arrived(seat.index, data.n, data.at) === 'duplicate') return;
  tally.count('sio_arrived');
  arrivals++;
  if (arrivals % crowd.sampleEvery === 0) tally.observe('sio_latency', Math.max(0, at - data.at));
}

async function publish(ctx, { rate, size }, room) {
  const { tally, plan, run } = ctx;
  const pad = 'x'.repeat(size);
  const pending = new Set();
  const everyMs = 1000 / rate;
  // Publishers do not beat in time with each other.
  const first = plan.times.publishFrom + Math.random() * everyMs;
  let n = 0;
  for (let turn = 0; first + turn * everyMs < plan.times.publishTo; turn++) {
    const due = first + turn * everyMs;
    await ctx.at(due);
    tally.share('gen_on_time', ctx.now() - due <= LATE_MS);
    if (!room.publisher.socket.connected) {
      tally.count('sio_not_sent');
      continue;
    }
    const number = n++;
    const at = Date.now();
    room.account.sent(number, at);
    tally.count('sio_sent');
    const answer = confirm(ctx, room, number, room.publisher.ask('publish', room.name, { run, n: number, at, pad }));
    pending.add(answer);
    void answer.then(() => pending.delete(answer));
  }
  await Promise.all(pending);
  await lastWords(ctx, room, n);
}

async function confirm({ tally }, room, n, answer) {
  try {
    const { ok, code, message } = await answer;
    if (ok) return;
    room.account.notOwed(n);
    tally.count('sio_publish_refused');
    if (!room.wasWarned) console.warn(`loadtest: the server refused a publish: ${code}: ${message}`);
    room.wasWarned = true;
  } catch {
    room.account.notOwed(n);
    tally.count('sio_unconfirmed');
  }
}

/** Said several times, because one member of each VU must hear it; the books of this VU need no message. */
async function lastWords(ctx, room, total) {
  const { account, publisher, name } = room;
  const notOwed = account.notOwedRanges();
  account.close(total, notOwed);
  for (let i = 0; i < LAST_WORDS; i++) {
    if (i > 0) await ctx.at(ctx.now() + 500);
    if (publisher.socket.connected) publisher.socket.emit('publish', name, { run: ctx.run, total, notOwed });
    if (account.isComplete() && i > 0) return;
  }
}

function settle({ account }, tally) {
  if (account === undefined || !account.isClosed) return tally.count('sio_unverified');
  const sums = account.settle();
  tally.count('sio_expected', sums.expected);
  tally.count('sio_delivered', sums.delivered);
  tally.count('sio_duplicated', sums.duplicated);
  tally.count('sio_out_of_order', sums.outOfOrder);
  tally.count('sio_lost', sums.lost);
  tally.count('sio_lost_connected', sums.lostConnected);
}
