/** Who was in which room when, against what was published when. Pure. */

/** A message that was acknowledged so long before a member began to leave must have reached it. */
const ON_ITS_WAY_MS = 1_000;

/**
 * `messages` of one room: `{ n, sentAt, ackedAt }` (no `ackedAt`: owed to nobody). `stays` of one member in it: `{ asked, from, to, gone }`,
 * the times of asking to join, of the ack, of asking to leave and of the leave's ack. `arrivals`: numbers in the order of their coming.
 * A message is owed when the member was in before it was sent and still in when it was long acknowledged; it must not come when it
 * was sent after the leave's ack. What lies between is judged by nothing but order and doubling.
 */
export function settleStays(messages, stays, arrivals) {
  const sums = { expected: 0, delivered: 0, duplicated: 0, outOfOrder: 0, leaked: 0 };
  const seen = new Set();
  let high = -1;
  for (const n of arrivals) {
    if (seen.has(n)) sums.duplicated++;
    else if (n < high) sums.outOfOrder++;
    seen.add(n);
    high = Math.max(high, n);
  }
  for (const { n, sentAt, ackedAt } of messages) {
    const isOwed =
      ackedAt !== undefined && stays.some(({ from, to }) => from <= sentAt && ackedAt + ON_ITS_WAY_MS <= to);
    if (isOwed) {
      sums.expected++;
      if (seen.has(n)) sums.delivered++;
    } else if (seen.has(n) && isOutside(sentAt, ackedAt, stays)) sums.leaked++;
  }
  return { ...sums, lost: sums.expected - sums.delivered };
}

/** Not even joining when it was acknowledged, or gone before it was sent, for every stay. */
function isOutside(sentAt, ackedAt = Number.POSITIVE_INFINITY, stays) {
  return stays.every(({ asked, gone }) => ackedAt < asked || gone < sentAt);
}
