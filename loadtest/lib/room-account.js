/**
 * The books of one room in one VU: which message of its publisher reached which of its members. Pure.
 * Messages are numbered from 0. A member in good order costs two numbers; only gaps are written down.
 */

/** @param {{ members: number }} options How many members this VU has in the room. */
export function createRoomAccount({ members }) {
  const books = Array.from({ length: members }, () => ({
    high: -1,
    missing: new Set(),
    duplicated: 0,
    outOfOrder: 0,
    outages: [],
  }));
  /** When each message was sent, by whoever saw it. */
  const sentAt = [];
  const notOwed = new Set();
  let total;

  return {
    /** What was sent, but is owed to nobody: refused, or never acknowledged. */
    notOwed(n) {
      notOwed.add(n);
    },
    sent(n, at) {
      sentAt[n] = at;
    },
    /** Files one arrival: `first` or `duplicate`. */
    arrived(member, n, at) {
      sentAt[n] ??= at;
      const book = books[member];
      if (n > book.high) {
        for (let gap = book.high + 1; gap < n; gap++) book.missing.add(gap);
        book.high = n;
      } else if (book.missing.delete(n)) {
        book.outOfOrder++;
      } else {
        book.duplicated++;
        return 'duplicate';
      }
      return 'first';
    },
    /** A time during which this member knew that it was away. */
    outage(member, from, to) {
      books[member].outages.push([from, to]);
    },
    /** The publisher's last word: how many messages there were, and ranges of those that are owed to nobody. */
    close(count, ranges) {
      total = count;
      for (const [from, to] of ranges) for (let n = from; n <= to; n++) notOwed.add(n);
    },
    get isClosed() {
      return total !== undefined;
    },
    /** Everything owed has arrived. */
    isComplete() {
      if (total === undefined) return false;
      return books.every(({ high, missing }) => {
        for (const n of missing) if (!notOwed.has(n)) return false;
        for (let n = high + 1; n < total; n++) if (!notOwed.has(n)) return false;
        return true;
      });
    },
    /** The sums over all members. Throws when the account was not closed: nothing could be verified. */
    settle() {
      if (total === undefined) throw new Error('the total of this room is not known');
      const sums = { expected: 0, delivered: 0, duplicated: 0, outOfOrder: 0, lost: 0, lostConnected: 0 };
      for (const book of books) {
        const lost = [...book.missing, ...range(book.high + 1, total)].filter((n) => !notOwed.has(n));
        sums.expected += total - notOwed.size;
        sums.delivered += total - notOwed.size - lost.length;
        sums.duplicated += book.duplicated;
        sums.outOfOrder += book.outOfOrder;
        sums.lost += lost.length;
        sums.lostConnected += lost.filter((n) => !isWithin(n, book.outages)).length;
      }
      return sums;
    },
    notOwedRanges: () => toRanges([...notOwed].sort((a, b) => a - b)),
  };

  /** Whether a message may have been sent during one of the outages, as far as its time is known. */
  function isWithin(n, outages) {
    let from = n;
    let to = n;
    while (from >= 0 && sentAt[from] === undefined) from--;
    while (to < sentAt.length && sentAt[to] === undefined) to++;
    const earliest = sentAt[from] ?? Number.NEGATIVE_INFINITY;
    const latest = sentAt[to] ?? Number.POSITIVE_INFINITY;
    return outages.some(([start, end]) => latest >= start && earliest <= end);
  }
}

function range(from, to) {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}

function toRanges(sorted) {
  const ranges = [];
  for (const n of sorted) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === n - 1) last[1] = n;
    else ranges.push([n, n]);
  }
  return ranges;
}
