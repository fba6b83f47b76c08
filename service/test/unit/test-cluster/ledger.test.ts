import { describe, expect, it } from 'vitest';
import { type Member, type Stay, settle } from '../../../test-cluster/lib/ledger.ts';

const member = (stays: Stay[], ...heard: number[]): Member => {
  const deliveries = new Map<number, number>();
  for (const n of heard) deliveries.set(n, (deliveries.get(n) ?? 0) + 1);
  return { stays, deliveries };
};
const message = (n: number, from: number) => ({ n, from, to: from + 10 });

describe('the ledger of the cluster test', () => {
  it('owes a client what is published after it joined, and nothing from before', () => {
    const account = settle([message(1, 50), message(2, 150)], [member([{ from: 100 }], 2)]);
    expect(account).toEqual({ owed: 1, delivered: 1, doubled: 0, lostAway: 0, lostHere: 0 });
  });

  it('counts what a client missed while it was away', () => {
    const stays = [{ from: 0, to: 1_000 }, { from: 5_000 }];
    expect(settle([message(1, 2_000)], [member(stays)])).toMatchObject({ owed: 1, delivered: 0, lostAway: 1 });
  });

  it('counts what a client missed although it was there all the time', () => {
    expect(settle([message(1, 2_000)], [member([{ from: 0 }])])).toMatchObject({ lostAway: 0, lostHere: 1 });
  });

  it('gives a message that was on its way when the client went the benefit of the doubt', () => {
    const account = settle([message(1, 2_000)], [member([{ from: 0, to: 2_500 }])]);
    expect(account).toMatchObject({ lostAway: 1, lostHere: 0 });
  });

  it('counts doubles once for each message', () => {
    expect(settle([message(1, 10), message(2, 20)], [member([{ from: 0 }], 1, 1, 1, 2)])).toMatchObject({
      owed: 2,
      delivered: 2,
      doubled: 1,
    });
  });

  it('owes nothing to a client that never joined', () => {
    expect(settle([message(1, 10)], [member([])]).owed).toBe(0);
  });
});
