/** What /readyz says when one server loses Redis alone, and under each policy. */
import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { expectNoFaults } from '../../support/expect-no-faults.ts';
import { type StartedProxy, startProxy } from '../../support/redis/start-proxy.ts';
import { startRedis } from '../../support/redis/start-redis.ts';
import { knowEachOther, newPrefix, startNode } from './installation.ts';
import { readinessEnv, watchReadiness } from './watch-readiness.ts';

const GRACE_MS = 600;
const RECOVER_MS = 700;
/** How long until a peer's report is newer than the outage, answers of checks are served again, and a busy machine. */
const PROOF_MS = 5_000;

const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('one of two servers that is cut off from Redis', () => {
  const ways: [string, (proxy: StartedProxy) => void][] = [
    ['refused', (proxy) => proxy.cut()],
    ['silent', (proxy) => proxy.hang()],
  ];
  it.each(ways)('leaves while its peer stays, and comes back (the path is %s)', { timeout: 40_000 }, async (_, cut) => {
    expectNoFaults();
    const redis = await startRedis();
    const proxy = await startProxy(redis.port);
    const prefix = newPrefix();
    const peer = await startNode({ url: redis.url, prefix, env: readinessEnv('grace') });
    const alone = await startNode({ url: proxy.url, prefix, env: readinessEnv('grace') });
    await knowEachOther([peer, alone]);
    await eventually(async () => (await peer.ready()) && (await alone.ready()), 'both ready');
    const [watchedPeer, watchedAlone] = [watchReadiness(peer), watchReadiness(alone)];
    const start = performance.now();
    cut(proxy);
    await eventually(() => watchedAlone.turns.at(-1) === false, 'not ready', 15_000);
    const leftMs = performance.now() - start;
    expect(leftMs).toBeGreaterThan(GRACE_MS);
    // A silent path is noticed when a canary is not back in 2 s.
    expect(leftMs).toBeLessThan(GRACE_MS * 1.5 + 3_000 + PROOF_MS);
    expect((await alone.redis()).reason).toMatch(/^cut off from Redis/);
    await pass(1_500);
    const healed = performance.now();
    await proxy.heal();
    await eventually(() => watchedAlone.turns.at(-1) === true, 'ready again', 10_000);
    const backMs = performance.now() - healed;
    console.info(`left after ${Math.round(leftMs)} ms, came back after ${Math.round(backMs)} ms`);
    expect(backMs).toBeGreaterThan(RECOVER_MS);
    expect(watchedAlone.turns).toEqual([true, false, true]);
    expect(watchedPeer.turns).toEqual([true]);
  });
});

describe('policies', () => {
  it('say what a Redis means that has never been seen, and one that is lost', { timeout: 40_000 }, async () => {
    expectNoFaults();
    const redis = await startRedis();
    const proxy = await startProxy(redis.port);
    proxy.cut();
    const policies = ['off', 'startup', 'grace', 'strict'];
    const nodes = await Promise.all(policies.map((policy) => startNode({ url: proxy.url, env: readinessEnv(policy) })));
    const readiness = () => Promise.all(nodes.map((node) => node.ready()));
    expect(await readiness()).toEqual([true, false, false, false]);
    expect((await nodes[2]?.redis())?.reason).toMatch(/^has not seen Redis yet: .*ECONNREFUSED/);
    expect(await nodes[0]?.redis()).toMatchObject({ connected: false, degraded: true });
    await proxy.heal();
    await eventually(async () => (await readiness()).every(Boolean), 'all ready', 10_000);
    const watched = nodes.map(watchReadiness);
    proxy.cut();
    // Strict does not ask others; with grace nobody says that it is this server alone.
    await eventually(() => watched[3]?.turns.at(-1) === false, 'strict not ready', 10_000);
    await pass(1_500);
    await proxy.heal();
    await eventually(() => watched[3]?.turns.at(-1) === true, 'strict ready again', 10_000);
    expect(watched.map(({ turns }) => turns)).toEqual([[true], [true], [true], [true, false, true]]);
  });
});
