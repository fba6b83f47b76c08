/**
 * Rooms with members and one publisher each: every message is owed to every member, and every pair is verified.
 * A room may be spread over VUs; its first member publishes. At the end the publisher says how many messages there were.
 */
import { createMember } from './member.js';
import { createPublisher, pace, settle, verified } from './publisher.js';
import { createRoomAccount } from './room-account.js';

const LAST_WORDS = 3;
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

/** Name of a room of this run. */
export function roomName({ run }, index) {
  return `load-${run}-${index}`;
}

/**
 * Runs one VU's part: gather, publish, settle. `crowd` = `{ rooms, members, rate, size, sampleEvery }`;
 * `during(seats)` runs beside the publishing; a seat is `{ member, isPublisher }`.
 */
export async function runCrowd(ctx, crowd, during) {
  const { times } = ctx.plan;
  const rooms = new Map();
  for (const slot of slotsOf(ctx, crowd)) {
    await ctx.at(slot.connectAtMs);
    sit(ctx, crowd, roomOf(rooms, ctx, slot.room), slot);
  }
  await ctx.at(times.publishFrom - ADMIT_BEFORE_MS);
  const all = [...rooms.values()];
  for (const room of all) admit(ctx, crowd, room);
  const seats = all.flatMap((room) => room.seats.filter(({ index }) => index !== undefined));
  await Promise.all([
    ...all.filter(({ publisher }) => publisher).map((room) => publish(ctx, crowd, room)),
    during?.(seats),
  ]);
  while (ctx.now() < times.totalMs && !all.every(({ account }) => account.isComplete())) await ctx.at(ctx.now() + 50);
  // Whoever is out now tells the books before they are settled.
  for (const { member } of seats) member.close();
  for (const { account } of all) settle(ctx, account);
}

function roomOf(rooms, ctx, index) {
  let room = rooms.get(index);
  if (room === undefined) {
    room = { name: roomName(ctx, index), seats: [], publisher: undefined, account: undefined };
    rooms.set(index, room);
  }
  return room;
}

function sit(ctx, crowd, room, slot) {
  const seat = { index: undefined, member: undefined, isPublisher: slot.member === 0 };
  room.seats.push(seat);
  seat.member = createMember(ctx, {
    rooms: [room.name],
    onMessage: (data, meta, at) =>
      receive(ctx, crowd, { room, seat, at }, verified(ctx, { room: room.name, size: crowd.size }, data, meta)),
    onOutage: (from, to) => {
      if (seat.index !== undefined) room.account.outage(seat.index, from, to);
    },
  });
}

/** From here on messages are owed to everybody who is in; the others have failed and leave. */
function admit(ctx, crowd, room) {
  const present = room.seats.filter(({ member }) => member.wasIn);
  room.account = createRoomAccount({ members: present.length });
  present.forEach((seat, index) => {
    seat.index = index;
    if (!seat.isPublisher) return;
    const { member } = seat;
    room.publisher = createPublisher(ctx, { room: room.name, member, account: room.account, size: crowd.size });
  });
  for (const { index, member } of room.seats) if (index === undefined) member.fail();
}

let arrivals = 0;

function receive({ tally }, crowd, { room, seat, at }, data) {
  if (data === undefined) return;
  if (room.account === undefined) return tally.count('sio_unverified');
  if (data.total !== undefined) return room.account.close(data.total, data.notOwed);
  // It had not joined in time, was counted as failed, and is on its way out.
  if (seat.index === undefined) return;
  if (room.account.arrived(seat.index, data.n, data.at) === 'duplicate') return;
  tally.count('sio_arrived');
  arrivals++;
  if (arrivals % crowd.sampleEvery === 0) tally.observe('sio_latency', Math.max(0, at - data.at));
}

async function publish(ctx, { rate }, { account, publisher }) {
  const { publishFrom: from, publishTo: to } = ctx.plan.times;
  await pace(ctx, { rate, from, to }, () => void publisher.send());
  await publisher.settled();
  // The books of this VU need no message; those of others must hear one of several.
  account.close(publisher.total, account.notOwedRanges());
  for (let i = 0; i < LAST_WORDS; i++) {
    publisher.lastWord();
    await ctx.at(ctx.now() + 300);
  }
}
