/** Brings what this server holds to Redis: gathered per turn, in bounded rounds, again whenever it may be missing there. */
import type { Log, RedisCommands } from '../contracts.ts';
import { hasLease } from './lease-script.ts';
import { applyWrites, heldKey, type Write } from './registry-script.ts';
import {
  again,
  everything,
  type Holdings,
  type News,
  newsOf,
  pairOf,
  sliced,
  type Work,
  type Written,
} from './registry-work.ts';

export interface WriterDeps {
  readonly redis: RedisCommands;
  readonly log: Log;
  readonly generation: string;
  readonly holdings: Holdings;
  /** Tells watchers what happened to members of a key. */
  tell(key: string, written: readonly Written[]): void;
  /** Redis does not know this life any more; writing waits until there is another. */
  lifeLost(): void;
}

export interface Writer {
  /** A member is held, or no longer held; resolves when that is written or put off. */
  changed(key: string, member: string, news: News | undefined): Promise<void>;
  /** Whether a change of this member waits. */
  isPending(key: string, member: string): boolean;
  /** Forgets a removal that nobody has to hear of. */
  dropped(key: string, member: string): void;
  /** Writes everything again. `announce`: others were told that it had gone. */
  rewrite(announce: boolean): void;
  /** Writes this part (0 to 1) of everything again, and next time the next; true when it has come to the end. */
  refresh(part: number): boolean;
  /** Redis names a key for this life: it is checked, and leaves the list when nothing is held in it. */
  found(key: string): void;
  /** Redis took a renewal just now: what was put off may go. */
  resume(life: string): void;
  /** Whether writes wait for Redis. */
  isPaused(): boolean;
  /** Resolves when the round under way has ended; no other begins. */
  stop(): Promise<void>;
}

const MOST_MEMBERS_PER_ROUND = 512;

export function createWriter(deps: WriterDeps): Writer {
  const { redis, log, generation, holdings } = deps;
  const fresh = new Map<string, Work>();
  const stale = new Set<string>();
  /** Keys that are on this life's list in Redis. */
  const listed = new Set<string>();
  let refreshing: Iterator<Work> | undefined;
  let announceStale = false;
  let life: string | undefined;
  let isPaused = true;
  let isStopped = false;
  let running: Promise<void> | undefined;
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled || running !== undefined || isPaused || isStopped) return;
    isScheduled = true;
    // At the end of the turn, so that a crowd is one round.
    setImmediate(() => {
      isScheduled = false;
      running = run().finally(() => {
        running = undefined;
        if (fresh.size + stale.size > 0) schedule();
      });
    });
  }

  async function run(): Promise<void> {
    while (!isPaused && !isStopped && fresh.size + stale.size > 0) {
      await round(fresh.size > 0 ? takeFresh() : takeStale());
    }
  }

  function takeFresh(): Map<string, Work[]> {
    const taken = new Map<string, Work[]>();
    let count = 0;
    for (const [pair, work] of fresh) {
      if (count++ === MOST_MEMBERS_PER_ROUND) break;
      fresh.delete(pair);
      const works = taken.get(work.key);
      if (works === undefined) taken.set(work.key, [work]);
      else works.push(work);
    }
    return taken;
  }

  function takeStale(): Map<string, Work[]> {
    const taken = new Map<string, Work[]>();
    let count = 0;
    for (const key of stale) {
      if (count >= MOST_MEMBERS_PER_ROUND) break;
      stale.delete(key);
      const members = [...(holdings.get(key)?.keys() ?? [])].filter((member) => !fresh.has(pairOf(key, member)));
      taken.set(
        key,
        members.map((member) => again(key, member, !announceStale)),
      );
      count += members.length + 1;
    }
    return taken;
  }

  /** Never rejects; what could not be written waits for the next renewal. */
  async function round(taken: Map<string, Work[]>): Promise<void> {
    const roundLife = life ?? '';
    try {
      await list(roundLife, taken);
    } catch (error) {
      for (const [key, works] of taken) putOff(key, works);
      pause(error);
      return;
    }
    const slices = [...taken].flatMap(([key, works]) => sliced(works).map((slice) => ({ key, slice })));
    const results = await Promise.allSettled(slices.map(({ key, slice }) => write(key, slice, roundLife)));
    for (const [index, result] of results.entries()) {
      const { key, slice } = slices[index] ?? { key: '', slice: [] };
      if (result.status === 'fulfilled') continue;
      putOff(key, slice);
      pause(result.reason);
    }
    await unlist(roundLife, [...taken.keys()]);
  }

  /** The list is written first, and only for a life that Redis knows, so that whatever is held can be found by who cleans up. */
  async function list(roundLife: string, taken: ReadonlyMap<string, readonly Work[]>): Promise<void> {
    const missing = [...taken].flatMap(([key, works]) =>
      holdings.has(key) && (!listed.has(key) || works.some(({ op }) => op === '=')) ? key : [],
    );
    const [isKnown] = await Promise.all([
      hasLease(redis, roundLife),
      missing.length === 0 ? undefined : redis.call('SADD', heldKey(redis, roundLife), ...missing),
    ]);
    if (!isKnown) {
      deps.lifeLost();
      throw new Error('the lease is gone');
    }
    if (roundLife === life) for (const key of missing) listed.add(key);
  }

  async function unlist(roundLife: string, keys: readonly string[]): Promise<void> {
    if (roundLife !== life || isPaused) return;
    const empty = keys.filter((key) => listed.has(key) && !holdings.has(key) && !stale.has(key));
    if (empty.length === 0) return;
    for (const key of empty) listed.delete(key);
    try {
      await redis.call('SREM', heldKey(redis, roundLife), ...empty);
    } catch (error) {
      for (const key of empty) stale.add(key);
      pause(error);
    }
  }

  async function write(key: string, taken: readonly Work[], roundLife: string): Promise<void> {
    // What has gone since it was taken has work of its own, which tells.
    const slice = taken.filter(({ op, member }) => op === '+' || holdings.get(key)?.has(member));
    if (slice.length === 0) return;
    const writes = slice.map(({ member, op }): Write => {
      const held = holdings.get(key)?.get(member);
      if (held === undefined) return { op: '-', member, meta: '' };
      held.isSent = true;
      return { op, member, meta: held.meta };
    });
    const outcomes = await applyWrites(redis, { key, out: generation, life: roundLife }, writes);
    const written = slice.flatMap((work, index) => newsOf(work, writes[index], outcomes[index]) ?? []);
    if (written.length > 0) deps.tell(key, written);
    for (const work of slice) for (const done of work.done) done();
  }

  function putOff(key: string, works: readonly Work[]): void {
    if (works.length === 0) stale.add(key);
    for (const work of works) {
      const { member } = work;
      if (work.op === '=' && work.told === undefined) {
        stale.add(key);
        continue;
      }
      if (work.told === undefined) tellOwn(work, holdings.get(key)?.has(member) ? 'joined' : 'left');
      const newer = fresh.get(pairOf(key, member));
      if (newer !== undefined) Object.assign(newer, { told: newer.told ?? work.told, isRetry: true });
      else fresh.set(pairOf(key, member), { ...work, isRetry: true, done: [] });
      for (const done of work.done) done();
    }
  }

  function tellOwn(work: Work, news: News): void {
    work.told = news;
    deps.tell(work.key, [{ member: work.member, news, toOwn: true, toOthers: false, isAgain: false }]);
  }

  function pause(error: unknown): void {
    if (isPaused) return;
    isPaused = true;
    log.debug({ err: error, fresh: fresh.size, stale: stale.size }, 'registry waits for Redis');
    // Those that wait for their turn are told now: the turn may be long in coming.
    for (const work of fresh.values()) {
      if (work.op === '+' && work.told === undefined)
        tellOwn(work, holdings.get(work.key)?.has(work.member) ? 'joined' : 'left');
      for (const done of work.done.splice(0)) done();
    }
  }

  return {
    changed(key, member, news) {
      const pair = pairOf(key, member);
      const work = fresh.get(pair) ?? again(key, member, false);
      Object.assign(work, { op: '+', isQuiet: false });
      fresh.set(pair, work);
      if (isPaused) {
        if (news !== undefined) tellOwn(work, news);
        return Promise.resolve();
      }
      const { done } = work;
      schedule();
      return new Promise((resolve) => done.push(resolve));
    },
    isPending: (key, member) => fresh.has(pairOf(key, member)),
    dropped(key, member) {
      const work = fresh.get(pairOf(key, member));
      // An earlier write of it failed and may still stand in Redis: its removal has to be carried out.
      if (work?.isRetry) return schedule();
      fresh.delete(pairOf(key, member));
      if (work?.told === 'joined') tellOwn(work, 'left');
      for (const done of work?.done ?? []) done();
    },
    rewrite(announce) {
      announceStale = announce || (announceStale && stale.size > 0);
      // It is among the rest, and may have to be told.
      for (const [pair, work] of fresh) if (work.isQuiet) fresh.delete(pair);
      for (const key of holdings.keys()) stale.add(key);
      schedule();
    },
    refresh(part) {
      // All of it is being written already, perhaps with news.
      if (stale.size > 0) return false;
      refreshing ??= everything(holdings, true);
      let total = 0;
      for (const members of holdings.values()) total += members.size;
      // Holding nothing is a round as well: at its end Redis is asked what it lists for this life.
      for (let left = Math.max(1, Math.ceil(total * part)); left > 0; left--) {
        const { value, done } = refreshing.next();
        if (done) {
          refreshing = undefined;
          return true;
        }
        const pair = pairOf(value.key, value.member);
        if (!fresh.has(pair)) fresh.set(pair, value);
      }
      schedule();
      return false;
    },
    found(key) {
      listed.add(key);
      stale.add(key);
      schedule();
    },
    resume(currentLife) {
      if (currentLife !== life) listed.clear();
      life = currentLife;
      isPaused = false;
      schedule();
    },
    isPaused: () => isPaused,
    async stop() {
      isStopped = true;
      await running;
      for (const work of fresh.values()) for (const done of work.done.splice(0)) done();
    },
  };
}
