import { describe, expect, it } from 'vitest';
import { createDrain, type DrainOptions, type Leaver, letGoBy, shuffled } from '../../../src/lifecycle/drain.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { createRecordingLog } from '../../support/silent-log.ts';

const TIMES: DrainOptions = { endpointWaitMs: 10_000, windowMs: 30_000, deadlineMs: 5_000 };
const TICK_MS = 50;

interface FakeLeaver extends Leaver {
  readonly name: string;
  hasUnsentNow: boolean;
  /** Ignores that it is asked to go. */
  isStubborn: boolean;
  letGoAt: number | undefined;
  cutAt: number | undefined;
  leave(): void;
}

function rig(count: number, options: Partial<DrainOptions> = {}) {
  const clock = createFakeClock();
  const open = new Set<FakeLeaver>();
  const remaining: number[] = [];
  let closed = 0;
  const log = createRecordingLog();
  const drain = createDrain(
    { ...TIMES, ...options },
    {
      clock,
      log,
      metrics: { drainRemaining: (left) => void remaining.push(left), drainClosed: () => void closed++ },
      count: () => open.size,
      connections: () => [...open],
    },
  );
  const add = (name: string): FakeLeaver => {
    const leaver: FakeLeaver = {
      name,
      hasUnsentNow: false,
      isStubborn: false,
      letGoAt: undefined,
      cutAt: undefined,
      isOpen: () => open.has(leaver),
      hasUnsent: () => leaver.hasUnsentNow,
      letGo() {
        expect(leaver.letGoAt, `${name} is let go once`).toBeUndefined();
        leaver.letGoAt = clock.now();
        if (!leaver.isStubborn) open.delete(leaver);
      },
      cut() {
        leaver.cutAt = clock.now();
        open.delete(leaver);
      },
      leave: () => void open.delete(leaver),
    };
    open.add(leaver);
    return leaver;
  };
  const leavers = Array.from({ length: count }, (_, i) => add(`client ${i}`));
  /** Moves on tick by tick, letting the drain go on in between. */
  const pass = async (ms: number) => {
    await new Promise(setImmediate);
    for (let left = ms; left > 0; left -= TICK_MS) {
      clock.advance(Math.min(left, TICK_MS));
      await new Promise(setImmediate);
    }
  };
  /** Runs to its end and tells how long that took. */
  const finish = async (run = drain.run('signal')) => {
    let isDone = false;
    void run.then(() => {
      isDone = true;
    });
    const start = clock.now();
    while (!isDone && clock.now() - start < 120_000) await pass(TICK_MS);
    expect(isDone).toBe(true);
    return clock.now() - start;
  };
  return { clock, drain, log, open, leavers, add, pass, finish, remaining, closed: () => closed };
}

/** How many were let go in each 100 ms of the window. */
function perTenth(leavers: readonly FakeLeaver[], start: number, windowMs: number): number[] {
  const counts = new Array<number>(windowMs / 100).fill(0);
  for (const { letGoAt } of leavers) {
    expect(letGoAt).toBeDefined();
    // What is let go at the end of a tenth belongs to it.
    const index = Math.ceil(((letGoAt ?? 0) - start) / 100) - 1;
    counts[Math.max(0, index)] = (counts[Math.max(0, index)] ?? 0) + 1;
  }
  return counts;
}

describe('a drain', () => {
  it.each([
    [200, 30_000],
    [1, 30_000],
    [7, 1_000],
    [999, 10_000],
    [3000, 5_000],
  ])('lets %i clients go evenly over %i ms', async (count, windowMs) => {
    const { clock, drain, leavers, finish } = rig(count, { endpointWaitMs: 0, windowMs });
    const start = clock.now();
    await finish(drain.run('signal'));
    const counts = perTenth(leavers, start, windowMs);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    expect(leavers.every(({ cutAt }) => cutAt === undefined)).toBe(true);
  });

  it('waits before it refuses and lets go, then takes its window, and no deadline when all have left', async () => {
    const { drain, finish, leavers, pass } = rig(60);
    const run = drain.run('signal');
    await pass(TIMES.endpointWaitMs - TICK_MS);
    expect(drain.refusesSessions()).toBe(false);
    expect(leavers.every(({ letGoAt }) => letGoAt === undefined)).toBe(true);
    await pass(TICK_MS);
    expect(drain.refusesSessions()).toBe(true);
    const took = await finish(run);
    expect(Math.abs(took - TIMES.windowMs)).toBeLessThanOrEqual(2 * TICK_MS);
    expect(drain.refusesSessions()).toBe(true);
  });

  it('lets neighbours go apart: in an order of its own', async () => {
    const { drain, finish, leavers } = rig(200, { endpointWaitMs: 0, windowMs: 2_000 });
    await finish(drain.run('signal'));
    const times = leavers.map(({ letGoAt }) => letGoAt ?? 0);
    expect(times).not.toEqual([...times].sort((a, b) => a - b));
  });

  it('asks those with something unsent later, while the others keep the pace', async () => {
    const { drain, finish, leavers, pass } = rig(100, { endpointWaitMs: 0, windowMs: 10_000 });
    const slow = leavers.slice(0, 50);
    for (const leaver of slow) leaver.hasUnsentNow = true;
    const run = drain.run('signal');
    await pass(4_000);
    expect(leavers.filter(({ letGoAt }) => letGoAt !== undefined)).toHaveLength(40);
    expect(slow.every(({ letGoAt }) => letGoAt === undefined)).toBe(true);
    for (const leaver of slow) leaver.hasUnsentNow = false;
    await finish(run);
    const counts = perTenth(leavers, 0, 10_000);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    expect(leavers.every(({ cutAt }) => cutAt === undefined)).toBe(true);
  });

  it('lets those go at the end of the window that still have something unsent', async () => {
    const { drain, finish, leavers } = rig(20, { endpointWaitMs: 0, windowMs: 1_000 });
    for (const leaver of leavers) leaver.hasUnsentNow = true;
    await finish(drain.run('signal'));
    expect(new Set(leavers.map(({ letGoAt }) => letGoAt))).toEqual(new Set([1_000]));
  });

  it('cuts whoever stays, when the deadline has passed and not before', async () => {
    const { clock, drain, finish, leavers, log } = rig(10, { endpointWaitMs: 0, windowMs: 1_000 });
    const stubborn = leavers.slice(0, 3);
    for (const leaver of stubborn) leaver.isStubborn = true;
    await finish(drain.run('signal'));
    expect(stubborn.map(({ cutAt }) => cutAt)).toEqual([6_000, 6_000, 6_000]);
    expect(leavers.slice(3).every(({ cutAt }) => cutAt === undefined)).toBe(true);
    expect(clock.pending()).toBe(0);
    expect(log.lines.at(-1)).toMatchObject({
      level: 'warn',
      event: expect.stringContaining('drain finished'),
      fields: { asked: 10, cut: 3 },
    });
  });

  it('does not wait for the deadline once the last has left by itself', async () => {
    const { drain, finish, leavers, pass } = rig(1, { endpointWaitMs: 0, windowMs: 0 });
    for (const leaver of leavers) leaver.isStubborn = true;
    const run = drain.run('signal');
    await pass(1_000);
    for (const leaver of leavers) leaver.leave();
    expect(await finish(run)).toBeLessThanOrEqual(2 * TICK_MS);
    expect(leavers[0]?.cutAt).toBeUndefined();
  });

  it('ends early when all have left during the window', async () => {
    const { drain, finish, leavers, pass } = rig(100, { endpointWaitMs: 0 });
    const run = drain.run('signal');
    await pass(3_000);
    for (const leaver of leavers) leaver.leave();
    expect(await finish(run)).toBeLessThanOrEqual(2 * TICK_MS);
  });

  it('without clients takes the wait only: proxies must still learn', async () => {
    const { finish } = rig(0);
    expect(Math.abs((await finish()) - TIMES.endpointWaitMs)).toBeLessThanOrEqual(2 * TICK_MS);
  });

  it('asks nobody to go who has gone', async () => {
    const { closed, drain, finish, leavers, pass } = rig(100, { endpointWaitMs: 0, windowMs: 1_000 });
    const run = drain.run('signal');
    await pass(100);
    const gone = leavers.filter(({ letGoAt }) => letGoAt === undefined).slice(0, 40);
    for (const leaver of gone) leaver.leave();
    await finish(run);
    expect(gone.every(({ letGoAt }) => letGoAt === undefined)).toBe(true);
    expect(closed()).toBe(60);
  });

  it('takes those along who came during the wait, and cuts those who slipped in later', async () => {
    const { add, drain, finish, log, pass } = rig(0, { windowMs: 1_000 });
    const run = drain.run('signal');
    await pass(1_000);
    const early = add('early');
    await pass(TIMES.endpointWaitMs - 1_000);
    const late = add('late');
    await finish(run);
    expect(early.letGoAt).toBeDefined();
    expect(late).toMatchObject({ letGoAt: undefined });
    expect(late.cutAt).toBeDefined();
    expect(log.lines.at(-1)?.fields).toMatchObject({ asked: 1, cut: 1 });
  });

  it('runs once, however often it is called', async () => {
    const { closed, drain, finish, log } = rig(50, { endpointWaitMs: 1_000, windowMs: 1_000 });
    const first = drain.run('signal');
    expect(drain.run('signal')).toBe(first);
    await finish(first);
    await drain.run('signal');
    expect(closed()).toBe(50);
    expect(log.lines.map(({ event }) => event)).toEqual(['drain started', 'drain finished']);
  });

  it('tells how many remain, never more than before, and none at the end', async () => {
    const { drain, finish, remaining } = rig(80, { endpointWaitMs: 0, windowMs: 2_000 });
    await finish(drain.run('signal'));
    expect(remaining).toEqual([...remaining].sort((a, b) => b - a));
    expect(remaining.at(-1)).toBe(0);
  });
});

describe('a drain in a hurry', () => {
  it.each([
    ['before it began', 0],
    ['during the wait', 5_000],
    ['during the window', 20_000],
  ])('%s lets all go at once', async (_when, ms) => {
    const { clock, drain, finish, leavers, pass } = rig(100);
    if (ms === 0) drain.hurry();
    const run = drain.run('signal');
    await pass(ms);
    const before = clock.now();
    drain.hurry();
    expect(await finish(run)).toBeLessThanOrEqual(3 * TICK_MS);
    expect(drain.refusesSessions()).toBe(true);
    expect(leavers.every(({ letGoAt = Infinity }) => letGoAt <= before + 3 * TICK_MS)).toBe(true);
    expect(leavers.some(({ cutAt }) => cutAt !== undefined)).toBe(false);
  });

  it('lets those go too that have something unsent', async () => {
    const { drain, finish, leavers } = rig(10);
    for (const leaver of leavers) leaver.hasUnsentNow = true;
    drain.hurry();
    await finish(drain.run('signal'));
    expect(leavers.every(({ letGoAt }) => letGoAt !== undefined)).toBe(true);
  });

  it.each([
    ['before it began', 0],
    ['during the window', 20_000],
    ['during the deadline', 41_000],
  ])('%s still gives stragglers the deadline', async (_when, ms) => {
    const { drain, finish, leavers, pass } = rig(5);
    for (const leaver of leavers) leaver.isStubborn = true;
    if (ms === 0) drain.hurry();
    const run = drain.run('signal');
    await pass(ms);
    drain.hurry();
    drain.hurry();
    const took = await finish(run);
    expect(took).toBeLessThanOrEqual(TIMES.deadlineMs + 3 * TICK_MS);
    expect(took).toBeGreaterThanOrEqual(TIMES.deadlineMs - 1_000 - TICK_MS);
    expect(leavers.every(({ cutAt }) => cutAt !== undefined)).toBe(true);
  });

  it('after it has ended does nothing', async () => {
    const { clock, drain, finish } = rig(1, { endpointWaitMs: 0, windowMs: 0 });
    await finish(drain.run('signal'));
    drain.hurry();
    expect(clock.pending()).toBe(0);
  });
});

describe('the plan of a drain', () => {
  it.each([0, 1, 2, 7, 200, 9999])('for %i clients begins with none, ends with all and never goes back', (total) => {
    const steps = Array.from({ length: 1001 }, (_, i) => letGoBy(total, i * 30, 30_000));
    expect(steps[0]).toBe(0);
    expect(steps.at(-1)).toBe(total);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
  });

  it('without a window lets all go at once', () => {
    expect(letGoBy(10, 0, 0)).toBe(10);
  });

  it('never counts more than there are', () => {
    expect(letGoBy(10, 1e9, 30_000)).toBe(10);
  });
});

describe('a shuffled list', () => {
  it('has the same items, and leaves the original alone', () => {
    const items = Object.freeze(Array.from({ length: 100 }, (_, i) => i));
    const result = shuffled(items, seededRandom(3));
    expect(result).not.toEqual(items);
    expect([...result].sort((a, b) => a - b)).toEqual(items);
  });

  it('may be empty or have one item', () => {
    expect(shuffled([])).toEqual([]);
    expect(shuffled(['one'])).toEqual(['one']);
  });

  it('puts every item in every place about equally often', () => {
    const random = seededRandom(5);
    const rounds = 6000;
    const firsts = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < rounds; i++) {
      const place = shuffled([0, 1, 2, 3, 4, 5], random).indexOf(0);
      firsts[place] = (firsts[place] ?? 0) + 1;
    }
    for (const count of firsts) expect(Math.abs(count - rounds / 6)).toBeLessThan(150);
  });
});
