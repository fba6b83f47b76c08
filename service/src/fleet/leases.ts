/** The lease of this server, and the table of all that are alive. */
import { randomBytes } from 'node:crypto';
import type { Bus, Cancel, Clock, Log, Metrics, RedisCommands, ServerLease, Startable } from '../contracts.ts';
import { type LeaseFacts, type LeaseReply, releaseLease, renewLease, tagAt } from './lease-script.ts';
import { tagOfLife } from './life.ts';

export interface LeaseOptions {
  /** A server that does not renew for this long is dead. */
  readonly ttlMs: number;
  /** How long the members of a server that stops are still counted, in case they come back elsewhere. */
  readonly lingerMs: number;
}

export interface LeaseDeps {
  readonly redis: RedisCommands;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'leaseFailed' | 'observe'>;
  /** What the lease tells about this server; asked at each renewal. */
  facts(): LeaseFacts;
  /** From 0 to 1, as Math.random. */
  readonly random?: () => number;
}

/** What a renewal brought to light. */
export interface Renewal {
  readonly life: string;
  /**
   * Whether the lease was still there. `first`: there was none yet. `dead`: others had counted this server as dead,
   * and say so. `lost`: Redis has lost its data, and nobody was told anything.
   */
  readonly news: 'kept' | 'first' | 'dead' | 'lost';
  /** Another Redis answers than before; what was written last may be missing. */
  readonly isOtherRedis: boolean;
  /** Lives that ended and whose memberships somebody has to remove. */
  readonly dead: readonly string[];
}

export interface Leases extends Startable {
  /** Resolves when the tag is claimed, or after 3 s; without Redis it is tried again until it succeeds. */
  start(): Promise<void>;
  /** Until the first claim has succeeded the tag is only drawn. */
  own(): ServerLease;
  /** All living servers, this one included, as last heard. */
  table(): readonly ServerLease[];
  /** Whether the table was read within the last lease time. */
  isFresh(): boolean;
  /** Renews now. Resolves when that was tried. */
  renew(): Promise<void>;
  /** Reads the table anew, at most once per second. */
  refresh(): Promise<void>;
  /** The tag now belongs to another server, and this one has the tag that `own` tells. */
  onTagLost(listener: (lease: ServerLease) => void): void;
  onRenewed(listener: (renewal: Renewal) => void): void;
}

/** Topic on which servers tell that the table has changed. */
const NEWS = 'fleet';
const REFRESH_MS = 1_000;
const FIRST_CLAIM_MS = 3_000;

export function createLeases(options: LeaseOptions, deps: LeaseDeps): Leases {
  const { redis, bus, clock, log, metrics } = deps;
  const random = deps.random ?? Math.random;
  const generation = randomBytes(6).toString('base64url');
  const intervalMs = options.ttlMs / 3;
  const lostListeners: ((lease: ServerLease) => void)[] = [];
  const renewalListeners: ((renewal: Renewal) => void)[] = [];
  const cancels: Cancel[] = [];
  let tag = tagAt(random());
  let lives = 0;
  let latest: LeaseReply | undefined;
  /** Servers that were known when Redis lost its data, and may not have claimed their leases anew yet. */
  let remembered: { readonly table: readonly ServerLease[]; readonly until: number } | undefined;
  let inFlight: Promise<void> | undefined;
  let triedAt = Number.NEGATIVE_INFINITY;
  let renewedAt = Number.NEGATIVE_INFINITY;
  let isRunning = false;
  let failingSince: number | undefined;
  let isFailureSaid = false;
  let firstClaimed: (() => void) | undefined;
  let timer: { readonly at: number; readonly cancel: Cancel } | undefined;

  const ownLease = (): ServerLease => ({ tag, generation, ...deps.facts() });

  /** The others as last heard, then this server. */
  function table(): ServerLease[] {
    if (remembered !== undefined && remembered.until <= clock.now()) remembered = undefined;
    const heardOf = latest?.table ?? [];
    const tags = new Set([tag, ...heardOf.map((lease) => lease.tag)]);
    const others = heardOf.filter((lease) => lease.tag !== tag);
    return [...others, ...(remembered?.table ?? []).filter((lease) => !tags.has(lease.tag)), ownLease()];
  }

  /** Renews in `ms`, or earlier if that was planned before. */
  function planWithin(ms: number): void {
    const at = clock.now() + Math.max(ms, 10);
    if (!isRunning || (timer !== undefined && timer.at <= at)) return;
    timer?.cancel();
    timer = { at, cancel: clock.after(at - clock.now(), () => void renew()) };
  }

  async function renew(): Promise<void> {
    if (!isRunning) return;
    inFlight ??= attempt().finally(() => {
      inFlight = undefined;
    });
    await inFlight;
  }

  async function attempt(): Promise<void> {
    timer?.cancel();
    timer = undefined;
    triedAt = clock.now();
    try {
      const reply = await renewLease(redis, {
        life: latest?.life,
        wantedTag: tag,
        start: random(),
        suffix: `${generation}${lives.toString(36)}`,
        facts: deps.facts(),
        ttlMs: options.ttlMs,
        epoch: randomBytes(6).toString('base64url'),
      });
      renewedAt = triedAt;
      if (isFailureSaid) log.info({ tag, downMs: Math.round(triedAt - (failingSince ?? 0)) }, 'lease renewed again');
      failingSince = undefined;
      isFailureSaid = false;
      // Somebody's lease may end before the next turn: the news should not wait for it. With jitter, because all see it.
      planWithin(Math.min(intervalMs, (reply.soonestMs ?? intervalMs) + 5 + (random() * options.ttlMs) / 50));
      heard(reply);
    } catch (error) {
      failed(error);
      planWithin(intervalMs / 2);
    }
  }

  function failed(error: unknown): void {
    // At the start nothing is wrong yet while the first connections are being made.
    const isExpected = latest === undefined && failingSince === undefined;
    failingSince ??= triedAt;
    if (isExpected) return;
    metrics.leaseFailed();
    if (!isFailureSaid) log.warn({ err: error, tag }, 'lease cannot be renewed');
    isFailureSaid = true;
  }

  function heard(reply: LeaseReply): void {
    const before = latest;
    const news = newsOf(before, reply);
    if (news === 'lost') remembered = { table: table(), until: clock.now() + options.ttlMs };
    latest = reply;
    const isNewLife = reply.life !== before?.life;
    if (isNewLife) lives += 1;
    const newTag = tagOfLife(reply.life);
    if (newTag !== tag) {
      const lost = tag;
      tag = newTag;
      if (before !== undefined) log.warn({ lost, tag }, 'another server has the tag');
      for (const listener of lostListeners) listener(ownLease());
    }
    if (before === undefined) log.info({ tag, servers: reply.table.length }, 'lease claimed');
    else if (isNewLife) log.warn({ tag, redisLostData: news === 'lost' }, 'lease was gone; claimed anew');
    if (isNewLife && isRunning) bus.publish(NEWS, tag);
    const renewal = {
      life: reply.life,
      news,
      isOtherRedis: before !== undefined && before.redisId !== reply.redisId,
      dead: reply.dead,
    };
    for (const listener of renewalListeners) listener(renewal);
    firstClaimed?.();
  }

  /** The connections of this server may be made at this very moment. */
  async function firstClaim(): Promise<void> {
    if (latest !== undefined) return;
    await new Promise<void>((resolve) => {
      firstClaimed = resolve;
      cancels.push(clock.after(FIRST_CLAIM_MS, resolve));
    });
    firstClaimed = undefined;
  }

  return {
    async start() {
      if (isRunning) return;
      isRunning = true;
      const hear = (from: string) => {
        if (from !== tag) planWithin(Math.max(50 + random() * 450, triedAt + REFRESH_MS - clock.now()));
      };
      cancels.push(bus.subscribe(NEWS, hear));
      metrics.observe({ servers: () => table().length });
      await renew();
      await firstClaim();
    },
    async stop() {
      if (!isRunning) return;
      isRunning = false;
      firstClaimed?.();
      timer?.cancel();
      for (const cancel of cancels.splice(0)) cancel();
      await inFlight;
      timer?.cancel();
      if (latest === undefined) return;
      try {
        // First, because after the answer the connection may be closed with the message still in it.
        bus.publish(NEWS, tag);
        await releaseLease(redis, latest.life, options.lingerMs);
      } catch (error) {
        log.warn({ err: error, tag }, 'lease not given back; it ends by itself');
      }
    },
    own: ownLease,
    table,
    isFresh: () => clock.now() - renewedAt < options.ttlMs,
    renew,
    async refresh() {
      if (inFlight === undefined && clock.now() - triedAt < REFRESH_MS) return;
      await renew();
    },
    onTagLost: (listener) => void lostListeners.push(listener),
    onRenewed: (listener) => void renewalListeners.push(listener),
  };
}

function newsOf(before: LeaseReply | undefined, reply: LeaseReply): Renewal['news'] {
  if (before === undefined) return 'first';
  if (before.life === reply.life) return 'kept';
  return before.epoch === reply.epoch ? 'dead' : 'lost';
}
