/** Publishes numbered messages of one room from one member, and knows in the end which of them are owed. */

/**
 * `account` of the room takes what is sent; `send` returns at once and resolves when the ack came or will not:
 * `{ n, sentAt, ackedAt }`, without `ackedAt` when the message is owed to nobody.
 */
export function createPublisher({ tally, run }, { room, member, account, size }) {
  const pad = 'x'.repeat(size);
  const pending = new Set();
  let total = 0;
  let wasWarned = false;

  async function confirm(n, sentAt, answer) {
    try {
      const { ok, code, message } = await answer;
      if (ok) return { n, sentAt, ackedAt: Date.now() };
      tally.count('sio_publish_refused');
      if (!wasWarned) console.warn(`loadtest: the server refused a publish: ${code}: ${message}`);
      wasWarned = true;
    } catch {
      tally.count('sio_unconfirmed');
    }
    account.notOwed(n);
    return { n, sentAt };
  }

  return {
    get total() {
      return total;
    },
    send(more = {}) {
      if (!member.socket.connected) {
        tally.count('sio_not_sent');
        return Promise.resolve(undefined);
      }
      const n = total++;
      const at = Date.now();
      account.sent(n, at);
      tally.count('sio_sent');
      const done = confirm(n, at, member.ask('publish', room, { run, n, at, pad, ...more }));
      pending.add(done);
      void done.then(() => pending.delete(done));
      return done;
    },
    /** Resolves when every ack has come, or will not. */
    async settled() {
      while (pending.size > 0) await Promise.all(pending);
    },
    /** Tells those who keep books elsewhere how many messages there were. */
    lastWord() {
      const notOwed = account.notOwedRanges();
      if (member.socket.connected) member.socket.emit('publish', room, { run, total, notOwed });
    },
  };
}

/** Calls `act` `rate` times a second between two times of the run, and observes whether the generator kept its plan. */
export async function pace(ctx, { rate, from, to }, act) {
  const everyMs = 1000 / rate;
  // Publishers do not beat in time with each other.
  const first = from + Math.random() * everyMs;
  for (let turn = 0; first + turn * everyMs < to; turn++) {
    const due = first + turn * everyMs;
    await ctx.at(due);
    ctx.tally.share('gen_on_time', ctx.now() - due <= ctx.params.MAX_LAG_MS);
    act(turn);
  }
}

/** What arrived, when it is a whole message of this run in this room; counts everything else as alien. */
export function verified({ tally, run }, { room, size }, data, meta) {
  const isOurs = data?.run === run && meta?.room === room;
  if (isOurs && (data.total !== undefined || (Number.isInteger(data.n) && data.pad?.length === size))) return data;
  tally.count('sio_alien');
  return undefined;
}

/** Adds the books of one room to the sums of the run. */
export function settle({ tally }, account) {
  if (account === undefined || !account.isClosed) return tally.count('sio_unverified');
  const sums = account.settle();
  tally.count('sio_expected', sums.expected);
  tally.count('sio_delivered', sums.delivered);
  tally.count('sio_duplicated', sums.duplicated);
  tally.count('sio_out_of_order', sums.outOfOrder);
  tally.count('sio_lost', sums.lost);
  tally.count('sio_lost_connected', sums.lostConnected);
}
