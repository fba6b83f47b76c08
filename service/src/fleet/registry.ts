/** The registry of this installation: what this server holds is kept here, all of it together in Redis. */
import { z } from 'zod';
import type { Answer, Bus, Cancel, Clock, Log, Member, RedisCommands, Registry, RegistryChange } from '../contracts.ts';
import { parseJson } from './lease-script.ts';
import type { Renewal } from './leases.ts';
import { tagOfLife } from './life.ts';
import { createReaper } from './reaper.ts';
import { lookUp, memberOf, membersKey, scanEntries } from './registry-script.ts';
import type { Holdings, News, Written } from './registry-work.ts';
import { createWriter } from './registry-writer.ts';

export interface RegistryOptions {
  /** Of the lease; tells this server's lives from those of others. */
  readonly generation: string;
  /** Of the lease. */
  readonly ttlMs: number;
  /** Redis does not know this server's life any more; a renewal is due. */
  lifeLost(): void;
  /** Whether changes of a key are told to the other servers. The same on all of them. */
  isAnnounced(key: string): boolean;
}

export interface FleetRegistry extends Registry {
  /** After each renewal of the lease. */
  renewed(renewal: Renewal): void;
  /** Redis may lack what was written last: everything is written and compared again after the next renewal. */
  suspect(): void;
  /** What is held stays in Redis until the lease ends. */
  stop(): Promise<void>;
}

const changeShape = z.object({
  by: z.string(),
  joined: z.array(z.object({ id: z.string(), meta: z.unknown().optional() })).max(1000),
  left: z.array(z.string()).max(1000),
  isAgain: z.boolean().default(false),
});
// In one message. A member's metadata is limited by who takes it from the client.
const MOST_TOLD = 100;
const PAGE = 250;
// Five minutes with a lease of 15 s.
const RENEWALS_PER_REFRESH = 60;

export function createRegistry(
  options: RegistryOptions,
  deps: { readonly redis: RedisCommands; readonly bus: Bus; readonly clock: Clock; readonly log: Log },
): FleetRegistry {
  const { redis, bus, clock, log } = deps;
  const { generation } = options;
  const holdings: Holdings = new Map();
  const watchers = new Map<string, { listeners: Set<(change: RegistryChange) => void>; cancel: Cancel }>();
  const writer = createWriter({ redis, log, generation, holdings, tell, lifeLost: options.lifeLost });
  const reaper = createReaper(
    { lockMs: options.ttlMs },
    { redis, log, gone: (key, left) => tellAll(key, { joined: [], left }) },
  );
  let isSuspect = false;
  let unsettledUntil = 0;
  let isStopped = false;
  let isChecking = false;

  function tell(key: string, written: readonly Written[]): void {
    for (const isAgain of [false, true]) {
      const some = written.filter((one) => one.isAgain === isAgain);
      tellOwn(key, {
        ...changeOf(
          key,
          some.filter(({ toOwn }) => toOwn),
        ),
        isAgain,
      });
      tellOthers(key, {
        ...changeOf(
          key,
          some.filter(({ toOthers }) => toOthers),
        ),
        isAgain,
      });
    }
  }

  function changeOf(key: string, written: readonly Written[]): RegistryChange {
    const pick = (news: News) => written.filter((one) => one.news === news).map(({ member }) => member);
    return {
      joined: pick('joined').map((id) => memberOf(id, holdings.get(key)?.get(id)?.meta ?? '')),
      left: pick('left'),
    };
  }

  function tellAll(key: string, change: RegistryChange): void {
    tellOwn(key, change);
    tellOthers(key, change);
  }

  function tellOwn(key: string, change: RegistryChange): void {
    if (change.joined.length + change.left.length === 0) return;
    for (const listener of watchers.get(key)?.listeners ?? []) {
      try {
        listener(change);
      } catch (error) {
        log.error({ err: error }, 'a watcher of the registry failed');
      }
    }
  }

  function tellOthers(key: string, { joined, left, isAgain }: RegistryChange): void {
    if (!options.isAnnounced(key)) return;
    for (let at = 0; at < Math.max(joined.length, left.length); at += MOST_TOLD) {
      const part = { joined: joined.slice(at, at + MOST_TOLD), left: left.slice(at, at + MOST_TOLD) };
      bus.publish(key, JSON.stringify({ by: generation, ...part, ...(isAgain ? { isAgain } : {}) }));
    }
  }

  function hear(key: string, payload: string): void {
    const parsed = changeShape.safeParse(parseJson(payload));
    if (!parsed.success || parsed.data.by === generation) return;
    const { joined, left, isAgain } = parsed.data;
    tellOwn(key, { joined: joined.map(({ id, meta }) => (meta === undefined ? { id } : { id, meta })), left, isAgain });
  }

  /** Redis may count for this server what it no longer holds, for instance after a restart with older data. */
  async function check(life: string): Promise<void> {
    if (isChecking) return;
    isChecking = true;
    try {
      for await (const { key, members } of reaper.heldBy(life)) {
        if (isStopped) return;
        for (const member of members) {
          if (!holdings.get(key)?.has(member)) void writer.changed(key, member, undefined);
        }
        if (!holdings.has(key)) writer.found(key);
      }
    } catch (error) {
      log.debug({ err: error }, 'registry could not be compared; that is tried again');
      isSuspect = true;
    } finally {
      isChecking = false;
    }
  }

  /** Redis's answer, or what this server holds. */
  async function orLocal<T>(ask: () => Promise<T>, local: () => T): Promise<Answer<T>> {
    try {
      return { value: await ask(), partial: writer.isPaused() };
    } catch (error) {
      log.debug({ err: error }, 'registry answers from what this server holds');
      return { value: local(), partial: true };
    }
  }

  const localMembers = (key: string) => [...(holdings.get(key) ?? [])].map(([id, { meta }]) => memberOf(id, meta));

  return {
    async add(key, member) {
      const meta = (member.meta === undefined ? undefined : JSON.stringify(member.meta)) ?? '';
      let members = holdings.get(key);
      if (members === undefined) {
        members = new Map();
        holdings.set(key, members);
      }
      const before = members.get(member.id);
      if (before !== undefined && (meta === '' || meta === before.meta)) return;
      // A removal that waits says that Redis has it.
      const isSent = before?.isSent ?? writer.isPending(key, member.id);
      members.set(member.id, { meta: meta === '' ? (before?.meta ?? '') : meta, isSent });
      await writer.changed(key, member.id, before === undefined ? 'joined' : undefined);
    },
    async remove(key, memberId) {
      const members = holdings.get(key);
      const held = members?.get(memberId);
      if (members === undefined || held === undefined) return;
      members.delete(memberId);
      if (members.size === 0) holdings.delete(key);
      if (held.isSent) await writer.changed(key, memberId, 'left');
      else writer.dropped(key, memberId);
    },
    count: (key) =>
      orLocal(
        async () => z.number().parse(await redis.call('HLEN', membersKey(redis, key))),
        () => holdings.get(key)?.size ?? 0,
      ),
    members: (key, limit) =>
      orLocal(
        async () => {
          const found = new Map<string, Member>();
          for await (const entries of scanEntries(redis, key, Math.max(1, Math.min(limit, PAGE)))) {
            for (const { member } of entries) if (found.size < limit) found.set(member.id, member);
            if (found.size >= limit) break;
          }
          return [...found.values()];
        },
        () => localMembers(key).slice(0, limit),
      ),
    look: (key, memberIds) =>
      orLocal(
        async () => {
          const { count, entries } = await lookUp(redis, key, memberIds);
          return { count, members: entries.map(({ member }) => member) };
        },
        () => {
          const wanted = new Set(memberIds);
          const members = localMembers(key);
          return { count: members.length, members: members.filter(({ id }) => wanted.has(id)) };
        },
      ),
    async holders(key, memberId) {
      const ask = async () => {
        const { entries } = await lookUp(redis, key, [memberId]);
        return [...new Set(entries.flatMap(({ lives }) => lives.map(tagOfLife)))];
      };
      const { value, partial } = await orLocal(ask, () => []);
      return { value, partial: partial || clock.now() < unsettledUntil };
    },
    watch(key, listener) {
      let entry = watchers.get(key);
      if (entry === undefined) {
        entry = { listeners: new Set(), cancel: bus.subscribe(key, (payload) => hear(key, payload)) };
        watchers.set(key, entry);
      }
      const { listeners, cancel } = entry;
      // Of its own, so that one function given twice is two listeners.
      const own = (change: RegistryChange) => listener(change);
      listeners.add(own);
      return () => {
        if (!listeners.delete(own) || listeners.size > 0) return;
        watchers.delete(key);
        cancel();
      };
    },
    renewed({ life, news, isOtherRedis, dead }) {
      if (isStopped) return;
      writer.resume(life);
      const isNewLife = news === 'dead' || news === 'lost';
      const isDoubtful = isSuspect || isOtherRedis || news === 'lost';
      isSuspect = false;
      const mustRewrite = isNewLife || isDoubtful;
      if (mustRewrite) writer.rewrite(news === 'dead');
      // Slowly all the time, too: one node of a Cluster can lose what it holds without anybody being told.
      const isAllRefreshed = !mustRewrite && writer.refresh(1 / RENEWALS_PER_REFRESH);
      // Under a new life nothing was ever written that could be wrong.
      if (!isNewLife && (isDoubtful || isAllRefreshed)) void check(life);
      // The other servers write theirs again as well, each after its own renewal.
      if (isDoubtful) unsettledUntil = clock.now() + options.ttlMs;
      void reaper.reap(dead);
    },
    suspect() {
      isSuspect = true;
    },
    async stop() {
      isStopped = true;
      await writer.stop();
    },
  };
}
