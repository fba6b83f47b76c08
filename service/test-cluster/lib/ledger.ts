/** What became of the messages that clients were owed. Pure; times are milliseconds since 1970. */

export interface Publish {
  readonly n: number;
  /** When it was first attempted. */
  readonly from: number;
  /** When it was acknowledged. */
  readonly to: number;
}

/** A time in which a client was in the room; without an end it still is. */
export interface Stay {
  readonly from: number;
  to?: number;
}

export interface Member {
  /** How often each message came. */
  readonly deliveries: ReadonlyMap<number, number>;
  /** In the order in which they were. */
  readonly stays: readonly Stay[];
}

export interface Account {
  /** Pairs of a message and a client that had joined before it was published. */
  readonly owed: number;
  readonly delivered: number;
  readonly doubled: number;
  /** Lost while the client was away. At most once is the present guarantee, so this is what it costs. */
  readonly lostAway: number;
  /** Lost although the client was there before, during and after. */
  readonly lostHere: number;
}

// A message is still on its way when its publisher hears that it was sent, and so is the news that a client is gone.
const ON_ITS_WAY_MS = 1_000;

/** Settles messages against members. */
export function settle(publishes: readonly Publish[], members: readonly Member[]): Account {
  const account = { owed: 0, delivered: 0, doubled: 0, lostAway: 0, lostHere: 0 };
  for (const { deliveries, stays } of members) {
    const since = stays[0]?.from ?? Number.POSITIVE_INFINITY;
    for (const { n, from, to } of publishes) {
      if (from < since) continue;
      account.owed++;
      const times = deliveries.get(n) ?? 0;
      if (times > 0) account.delivered++;
      else if (stays.some((stay) => stay.from <= from && (stay.to ?? Number.POSITIVE_INFINITY) >= to + ON_ITS_WAY_MS))
        account.lostHere++;
      else account.lostAway++;
      if (times > 1) account.doubled++;
    }
  }
  return account;
}
