import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRedisKeys } from '../../src/fleet/idempotency-keys.ts';
import { eventually } from '../support/eventually.ts';
import type { StartedRedis } from '../support/redis/run-redis.ts';
import { startRedis } from '../support/redis/start-redis.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { newPrefix, type StartedFleet, startFleet } from '../support/start-fleet.ts';

let redis: StartedRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

/** A fleet, and what it should hold: `key member`. */
interface Holder {
  readonly fleet: StartedFleet;
  readonly holds: Set<string>;
}

/** Everything in Redis about members, as `key member tags`. */
async function contents(of: StartedRedis, prefix: string): Promise<string[]> {
  const start = `{${prefix}:reg:`;
  const found: string[] = [];
  for (const name of (await of.cli('KEYS', `${start}*`)) as string[]) {
    const flat = (await of.cli('HGETALL', name)) as string[];
    for (let i = 0; i < flat.length; i += 2) {
      const lives = (flat[i + 1] ?? '').split('\n')[0]?.split(',') ?? [];
      const tags = lives.map((life) => life.slice(2, 10)).sort();
      found.push([name.slice(start.length, -1), flat[i], ...tags].join(' '));
    }
  }
  return found.sort();
}

function expected(holders: readonly Holder[]): string[] {
  const generations = new Map<string, string[]>();
  for (const { fleet, holds } of holders) {
    for (const pair of holds) generations.set(pair, [...(generations.get(pair) ?? []), fleet.leases.own().generation]);
  }
  return [...generations].map(([pair, held]) => [pair, ...held.sort()].join(' ')).sort();
}

describe('the registry', () => {
  it.each([1, 2])(
    'is right in the end, whatever happened to servers and to Redis (seed %i)',
    async (seed) => {
      const own = await startRedis({ appendOnly: true });
      const prefix = newPrefix();
      const random = seededRandom(seed * 7919);
      const pick = (most: number) => Math.floor(random() * most);
      const start = async (): Promise<Holder> => ({
        fleet: await startFleet({ url: own.url, prefix, ttlMs: 1_500 }),
        holds: new Set(),
      });
      const holders = await Promise.all([start(), start(), start()]);
      const events: (() => Promise<unknown>)[] = [
        () => own.cli('FLUSHALL'),
        () => own.cli('SCRIPT', 'FLUSH'),
        () => own.cli('CLIENT', 'KILL', 'TYPE', 'normal'),
        () => own.restart('SIGKILL'),
        async () => {
          // One server is counted as dead although it lives.
          const lives = (await own.cli('ZRANGE', `{${prefix}:fleet}:expiry`, 0, -1)) as string[];
          await own.cli('ZADD', `{${prefix}:fleet}:expiry`, 1, lives[pick(lives.length)] ?? '');
        },
        async () => {
          const [dead] = holders.splice(pick(holders.length), 1, await start());
          await dead?.fleet.kill();
        },
      ];
      for (let round = 0; round < 8; round++) {
        let event: Promise<unknown> | undefined;
        for (let i = 0; i < 300; i++) {
          const { fleet, holds } = holders[pick(holders.length)] ?? (await start());
          const [key, member] = [`key-${pick(20)}`, `user-${pick(30)}`];
          const isAdded = random() < 0.6;
          if (isAdded) holds.add(`${key} ${member}`);
          else holds.delete(`${key} ${member}`);
          const done = isAdded ? fleet.registry.add(key, { id: member, meta: i }) : fleet.registry.remove(key, member);
          if (i % 10 === 0) await done;
          // What cannot be done because the event before it is not over is not done.
          if (i === 150) event = events[pick(events.length)]?.().catch(() => undefined);
        }
        // Events of two rounds overlap, and those of the next two find everything in its place.
        if (round % 4 === 3) await Promise.all([event, ...holders.map(nextRenewal)]);
        else await Promise.race(holders.map(nextRenewal));
      }
      await eventually(
        async () => {
          expect(await contents(own, prefix)).toEqual(expected(holders));
          return true;
        },
        'the truth',
        10_000,
      );
      const [{ fleet } = await start()] = holders;
      expect((await fleet.registry.count('key-0')).value).toBe(
        new Set(
          expected(holders)
            .filter((line) => line.startsWith('key-0 '))
            .map((line) => line.split(' ')[1]),
        ).size,
      );
      // A day of churn leaves no garbage.
      for (const holder of holders) await Promise.all([...holder.holds].map((pair) => remove(holder, pair)));
      await eventually(async () => (await contents(own, prefix)).length === 0, 'an empty registry');
      await eventually(
        async () =>
          ((await own.cli('KEYS', '*')) as string[])
            .filter((key) => !key.endsWith(':fleet}:leases'))
            .sort()
            .join() === [`{${prefix}:fleet}:expiry`, `{${prefix}:fleet}:state`].join(),
        'no other keys',
        10_000,
      );
    },
    60_000,
  );

  it('writes a crowd of one turn together, and nothing for who came and went within it', async () => {
    const { registry, redis: commands } = await startFleet({ url: redis.url, prefix: newPrefix() });
    await registry.add('k', { id: 'first' });
    const before = await calls();
    const done = Array.from({ length: 200 }, (_, i) => registry.add('k', { id: `m${i}` }));
    done.push(registry.add('k', { id: 'brief' }), registry.remove('k', 'brief'));
    await Promise.all(done);
    expect((await calls()) - before).toBe(1);
    expect(await registry.count('k')).toEqual({ value: 201, partial: false });
    expect(await redis.cli('HEXISTS', `{${commands.prefix}:reg:k}`, 'brief')).toBe(0);
  });

  it('removes a member that came back and left again before anything was written', async () => {
    const { registry } = await startFleet({ url: redis.url, prefix: newPrefix() });
    await registry.add('k', { id: 'ann' });
    await Promise.all([registry.remove('k', 'ann'), registry.add('k', { id: 'ann' }), registry.remove('k', 'ann')]);
    expect((await registry.count('k')).value).toBe(0);
  });

  it('names the servers that hold a member', async () => {
    const prefix = newPrefix();
    const [a, b] = await Promise.all([startFleet({ url: redis.url, prefix }), startFleet({ url: redis.url, prefix })]);
    await a.registry.add('user:ann', { id: 'ann' });
    await b.registry.add('user:ann', { id: 'ann' });
    const tags = [a, b].map(({ leases }) => leases.own().tag).sort();
    const { value, partial } = await a.registry.holders('user:ann', 'ann');
    expect([[...value].sort(), partial]).toEqual([tags, false]);
    expect(await a.registry.holders('user:ann', 'bob')).toEqual({ value: [], partial: false });
  });

  it('answers from what this server holds while Redis is silent, and says so', async () => {
    const own = await startRedis();
    const { registry } = await startFleet({ url: own.url, prefix: newPrefix(), ttlMs: 600 });
    await registry.add('k', { id: 'ann', meta: [1] });
    await own.pause();
    const adding = registry.add('k', { id: 'bob' });
    expect(await registry.count('k')).toEqual({ value: 2, partial: true });
    await adding;
    expect(await registry.members('k', 1)).toEqual({ value: [{ id: 'ann', meta: [1] }], partial: true });
    expect(await registry.look('k', ['bob', 'cid'])).toEqual({
      value: { count: 2, members: [{ id: 'bob' }] },
      partial: true,
    });
    expect(await registry.holders('k', 'ann')).toEqual({ value: [], partial: true });
    await own.resume();
    await eventually(async () => !(await registry.count('k')).partial, 'Redis again');
    expect(await registry.look('k', ['bob', 'cid'])).toEqual({
      value: { count: 2, members: [{ id: 'bob' }] },
      partial: false,
    });
  });

  it('has no end of watchers of one key, each of which ends alone', async () => {
    const { registry } = await startFleet({ url: redis.url, prefix: newPrefix() });
    const heard: string[] = [];
    const listener = ({ joined }: { joined: readonly { id: string }[] }) =>
      void heard.push(...joined.map(({ id }) => id));
    const [cancel, cancelOther] = [registry.watch('k', listener), registry.watch('k', listener)];
    await registry.add('k', { id: 'ann' });
    expect(heard).toEqual(['ann', 'ann']);
    cancel();
    cancel();
    await registry.add('k', { id: 'bob' });
    expect(heard).toEqual(['ann', 'ann', 'bob']);
    cancelOther();
    await registry.add('k', { id: 'cid' });
    expect(heard).toHaveLength(3);
  });

  async function calls(): Promise<number> {
    const info = String(await redis.cli('INFO', 'commandstats'));
    return [...info.matchAll(/cmdstat_(?:evalsha|eval):calls=(\d+)/g)].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    );
  }
});

function nextRenewal({ fleet }: Holder): Promise<void> {
  return new Promise((resolve) => fleet.leases.onRenewed(() => resolve()));
}

async function remove({ fleet }: Holder, pair: string): Promise<void> {
  const [key = '', member = ''] = pair.split(' ');
  await fleet.registry.remove(key, member);
}

describe('idempotency keys', () => {
  it('are claimed by the first, on whichever server, and answer its id to the others', async () => {
    const prefix = newPrefix();
    const fleets = await Promise.all([1, 2, 3].map(() => startFleet({ url: redis.url, prefix })));
    const keys = fleets.map((one) => createRedisKeys(one.redis));
    const answers = await Promise.all(keys.map((one, i) => one.claim('api\norder-1', `id-${i}`, 60_000)));
    const winner = answers.indexOf(undefined);
    expect(answers.filter((answer) => answer === undefined)).toHaveLength(1);
    for (const [i, answer] of answers.entries()) if (i !== winner) expect(answer).toBe(`id-${winner}`);
    expect(await keys[0]?.claim('api\norder-2', 'other', 60_000)).toBeUndefined();
  });

  it('end with their window', async () => {
    const { redis: commands } = await startFleet({ url: redis.url, prefix: newPrefix() });
    const keys = createRedisKeys(commands);
    expect(await keys.claim('k', 'first', 30)).toBeUndefined();
    expect(await keys.claim('k', 'second', 30)).toBe('first');
    await eventually(async () => (await keys.claim('k', 'third', 30)) === undefined, 'the end of the window');
    expect(await keys.claim('never', 'a', 0)).toBeUndefined();
    expect(await keys.claim('never', 'b', 0)).toBeUndefined();
  });

  it('are given back by who claimed them, and by nobody else', async () => {
    const { redis: commands } = await startFleet({ url: redis.url, prefix: newPrefix() });
    const keys = createRedisKeys(commands);
    await keys.claim('k', 'first', 60_000);
    await keys.forget('k', 'another');
    expect(await keys.claim('k', 'second', 60_000)).toBe('first');
    await keys.forget('k', 'first');
    expect(await keys.claim('k', 'third', 60_000)).toBeUndefined();
  });

  it('may be of any length, and reject without Redis', async () => {
    const own = await startRedis();
    const { redis: commands } = await startFleet({ url: own.url, prefix: newPrefix() });
    const keys = createRedisKeys(commands);
    await keys.claim('x'.repeat(100_000), 'id', 60_000);
    const [name = ''] = (await own.cli('KEYS', '*:idem:*')) as string[];
    expect(name.length).toBeLessThan(80);
    await own.down();
    await expect(keys.claim('k', 'id', 60_000)).rejects.toThrow();
  });
});
