import { describe, expect, it } from 'vitest';
import { createLeases, type Renewal } from '../../../src/fleet/leases.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { createRecordingLog } from '../../support/silent-log.ts';
import { createFakeBus, createFakeRedis } from './fakes.ts';

const TTL_MS = 15_000;
const facts = { pod: 'pod', address: 'pod:9464', connections: 0, maxConnections: 1, mode: 'sharded' };

/** Leases over a Redis that grants everything, unless the test changes `reply`. */
function rig() {
  const clock = createFakeClock();
  const bus = createFakeBus();
  const log = createRecordingLog();
  const state = {
    epoch: 'epoch-1',
    soonest: -1,
    others: [] as string[],
    dead: [] as string[],
    /** Whom the lease is given to: the life that asks, or a new one when there is none. */
    life: ([life, tag, , suffix]: readonly string[]) => life || `${tag}${suffix}`,
    failure: undefined as Error | undefined,
    reply: undefined as unknown,
  };
  const redis = createFakeRedis((args) => {
    if (state.failure !== undefined) throw state.failure;
    if (args.length === 2) return 1;
    if (state.reply !== undefined) return state.reply;
    const life = state.life(args);
    const rows = [...state.others, life].flatMap((one) => [one, JSON.stringify(facts)]);
    return [life, state.epoch, 'redis-1', state.soonest, state.dead, rows];
  });
  let failures = 0;
  const leases = createLeases(
    { ttlMs: TTL_MS, lingerMs: 5_000 },
    {
      redis,
      bus,
      clock,
      log,
      metrics: { leaseFailed: () => void failures++, observe: () => undefined },
      facts: () => facts,
      random: () => 0,
    },
  );
  const renewals: Renewal[] = [];
  leases.onRenewed((renewal) => void renewals.push(renewal));
  const advance = async (ms: number) => {
    clock.advance(ms);
    for (let i = 0; i < 10; i++) await Promise.resolve();
  };
  return { clock, bus, log, state, redis, leases, renewals, advance, failures: () => failures };
}

const other = 'ZZotherone0';

describe('a lease', () => {
  it('is free to create, claimed at the start, and renewed every third of its time', async () => {
    const { clock, redis, leases, renewals, advance } = rig();
    expect([redis.calls.length, clock.pending()]).toEqual([0, 0]);
    await leases.start();
    const { generation } = leases.own();
    expect(leases.own()).toEqual({ tag: 'AA', generation, ...facts });
    expect(redis.calls[0]?.slice(0, 4)).toEqual(['', 'AA', '0', `${generation}0`]);
    for (let i = 0; i < 3; i++) await advance(TTL_MS / 3);
    expect(redis.calls.slice(1).map(([life]) => life)).toEqual(Array(3).fill(`AA${generation}0`));
    expect(renewals.map(({ news }) => news)).toEqual(['first', 'kept', 'kept', 'kept']);
  });

  it('is renewed early when the lease of another server is about to end, so that its end is seen', async () => {
    const { state, redis, leases, advance } = rig();
    state.soonest = 700;
    await leases.start();
    state.soonest = 14_000;
    await advance(700);
    expect(redis.calls).toHaveLength(1);
    await advance(20);
    expect(redis.calls).toHaveLength(2);
    await advance(4_900);
    expect(redis.calls).toHaveLength(2);
    await advance(101);
    expect(redis.calls).toHaveLength(3);
  });

  it('is tried again after a failure; one line says so, another that it is over', async () => {
    const { state, leases, log, redis, advance, failures } = rig();
    await leases.start();
    state.failure = new Error('away');
    for (let i = 0; i < 8; i++) await advance(2_500);
    expect(failures()).toBe(7);
    expect(leases.isFresh()).toBe(false);
    expect(leases.table()).toHaveLength(1);
    state.failure = undefined;
    await advance(2_500);
    expect(leases.isFresh()).toBe(true);
    expect(log.lines.map(({ event }) => event)).toEqual([
      'lease claimed',
      'lease cannot be renewed',
      'lease renewed again',
    ]);
    const before = redis.calls.length;
    await advance(4_999);
    expect(redis.calls.length).toBe(before);
  });

  it.each([[null], [[]], ['OK'], [[1, 2, 3]], [['AA', 'e', 'r', 'x', [], []]], [{}]])(
    'counts the answer %j as a failure',
    async (reply) => {
      const { state, leases, advance, failures } = rig();
      await leases.start();
      state.reply = reply;
      await advance(TTL_MS / 3);
      expect(failures()).toBe(1);
      expect(leases.own().tag).toBe('AA');
    },
  );

  it('does not hold up the start for longer than 3 s', async () => {
    const { state, leases, advance, log } = rig();
    state.failure = new Error('away');
    let hasStarted = false;
    const starting = leases.start().then(() => {
      hasStarted = true;
    });
    await advance(0);
    await advance(2_000);
    expect(hasStarted).toBe(false);
    expect(log.lines).toEqual([]);
    await advance(1_000);
    await starting;
    expect(leases.own().tag).toBe('AA');
    expect(leases.isFresh()).toBe(false);
    state.failure = undefined;
    await leases.renew();
    expect(leases.isFresh()).toBe(true);
  });

  it('tells that the tag went to somebody else, and to whom the sockets now belong', async () => {
    const { state, leases, renewals } = rig();
    const told: string[] = [];
    leases.onTagLost(({ tag }) => void told.push(tag));
    await leases.start();
    state.life = ([, , , suffix]) => `QQ${suffix}`;
    await leases.renew();
    expect(told).toEqual(['QQ']);
    expect(leases.own().tag).toBe('QQ');
    expect(renewals.at(-1)?.news).toBe('dead');
    expect(renewals.at(-1)?.life).toBe(`QQ${leases.own().generation}1`);
  });

  it('remembers the others for one lease time when Redis has lost its data', async () => {
    const { state, leases, renewals, advance } = rig();
    state.others = [other];
    await leases.start();
    expect(leases.table().map(({ tag }) => tag)).toEqual(['ZZ', 'AA']);
    state.others = [];
    state.epoch = 'epoch-2';
    state.life = ([, tag, , suffix]) => `${tag}${suffix}`;
    await leases.renew();
    expect(renewals.at(-1)?.news).toBe('lost');
    state.life = ([life]) => life ?? '';
    await advance(TTL_MS - 1);
    expect(leases.table().map(({ tag }) => tag)).toEqual(['ZZ', 'AA']);
    await advance(1);
    expect(leases.table().map(({ tag }) => tag)).toEqual(['AA']);
  });

  it('forgets another server as soon as its lease has ended', async () => {
    const { state, leases } = rig();
    state.others = [other];
    await leases.start();
    state.others = [];
    await leases.renew();
    expect(leases.table().map(({ tag }) => tag)).toEqual(['AA']);
  });

  it('is renewed once however many ask at the same time, and read anew once a second', async () => {
    const { redis, leases, advance } = rig();
    await leases.start();
    await Promise.all([leases.renew(), leases.renew(), leases.refresh(), leases.refresh()]);
    expect(redis.calls).toHaveLength(2);
    await leases.refresh();
    expect(redis.calls).toHaveLength(2);
    await advance(1_000);
    await leases.refresh();
    expect(redis.calls).toHaveLength(3);
  });

  it('is looked at soon after news of others, but a flood of them costs one look a second', async () => {
    const { bus, redis, leases, advance } = rig();
    await leases.start();
    await advance(1_000);
    for (let i = 0; i < 100; i++) bus.publish('fleet', `x${i}`);
    await advance(0);
    await advance(500);
    expect(redis.calls).toHaveLength(2);
    for (let second = 0; second < 3; second++) {
      for (let i = 0; i < 100; i++) bus.publish('fleet', '\u0000');
      await advance(1_000);
    }
    expect(redis.calls.length).toBeLessThanOrEqual(6);
    await advance(1_000);
    const before = redis.calls.length;
    bus.publish('fleet', leases.own().tag);
    await advance(2_000);
    expect(redis.calls.length).toBe(before);
  });

  it('is given back at the stop, once, and nothing is left running', async () => {
    const { clock, bus, redis, leases, advance } = rig();
    await leases.stop();
    expect(redis.calls).toEqual([]);
    await leases.start();
    await leases.stop();
    await leases.stop();
    expect(redis.calls.at(-1)).toEqual([`AA${leases.own().generation}0`, '5000']);
    expect(redis.calls).toHaveLength(2);
    expect([clock.pending(), bus.topics()]).toEqual([0, []]);
    await leases.renew();
    await advance(60_000);
    expect(redis.calls).toHaveLength(2);
  });

  it('that cannot be given back ends by itself', async () => {
    const { state, leases, log } = rig();
    await leases.start();
    state.failure = new Error('away');
    await leases.stop();
    expect(log.lines.at(-1)?.event).toBe('lease not given back; it ends by itself');
  });

  it('does not show what is no lease', async () => {
    const { state, leases } = rig();
    state.others = ['', 'x', 'ZZ', '../../etc/pa', 'ZZotherone!', other];
    await leases.start();
    expect(leases.table().map(({ tag }) => tag)).toEqual(['ZZ', 'AA']);
    const life = `AA${leases.own().generation}0`;
    state.reply = [life, 'e', 'r', -1, [], [other, '{"pod":1}', 'YYotherone0', '{', 'XXotherone0', '', life]];
    await leases.renew();
    expect(leases.table().map(({ tag }) => tag)).toEqual(['AA']);
  });
});
