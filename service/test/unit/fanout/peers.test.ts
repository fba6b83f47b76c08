import { describe, expect, it } from 'vitest';
import { askPeers } from '../../../src/fanout/peers.ts';

const DOWN_MS = 10_000;

/** Peers by address, and what each reports; an error is a peer that does not answer. */
function peers(reports: Record<string, unknown>) {
  const asked: string[] = [];
  const ask = (async (url: string, options: RequestInit) => {
    expect(options.signal).toBeInstanceOf(AbortSignal);
    const { host, pathname, search } = new URL(url);
    asked.push(host);
    expect(`${pathname}${search}`).toBe('/readyz?verbose');
    const report = reports[host];
    if (report === undefined || report instanceof Error) throw report ?? new Error('nobody there');
    return { json: async () => report };
  }) as unknown as typeof fetch;
  return { asked, deps: { addresses: () => Object.keys(reports), fetch: ask } };
}
const report = (redis: unknown) => ({ checks: { redis } });

describe('asking peers', () => {
  it.each<[string, Record<string, unknown>, boolean | undefined]>([
    ['nobody', {}, undefined],
    ['one that sees Redis', { '10.0.0.1:1': report({ connected: true, seenMs: 300 }) }, true],
    ['one that does not', { '10.0.0.1:1': report({ connected: false, seenMs: 9_000 }) }, false],
    [
      'one of each',
      {
        '10.0.0.1:1': report({ connected: false, seenMs: 9_000 }),
        '10.0.0.2:1': report({ connected: true, seenMs: 300 }),
      },
      true,
    ],
    ['one that does not answer', { '10.0.0.1:1': new Error('ECONNREFUSED') }, undefined],
    [
      'one that does not answer and one that does not see Redis',
      { '10.0.0.1:1': new Error('timeout'), '10.0.0.2:1': report({ connected: false, seenMs: 9_000 }) },
      false,
    ],
    ['one without Redis', { '10.0.0.1:1': { checks: {} } }, undefined],
    ['one that is not ready and gives no details', { '10.0.0.1:1': report({ ok: false, reason: 'no' }) }, undefined],
    ['something else on that port', { '10.0.0.1:1': 'hello' }, undefined],
    ['something else that speaks JSON', { '10.0.0.1:1': report({ connected: 'yes', seenMs: 'now' }) }, undefined],
  ])('%s', async (_name, reports, answer) => {
    expect(await askPeers(DOWN_MS, peers(reports).deps)).toBe(answer);
  });

  it('believes that one sees Redis only when it has seen it since it is out of reach here', async () => {
    const seen = (seenMs: number) => peers({ '10.0.0.1:1': report({ connected: true, seenMs }) }).deps;
    // A report may be a second old.
    expect(await askPeers(3_000, seen(1_999))).toBe(true);
    expect(await askPeers(3_000, seen(2_000))).toBe(undefined);
    expect(await askPeers(500, seen(0))).toBe(undefined);
  });

  it('asks three at most, each once, and others the next time', async () => {
    const reports = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`10.0.0.${i}:1`, report({ connected: false, seenMs: 9_000 })]),
    );
    const all = new Set<string>();
    for (let i = 0; i < 40; i++) {
      const { asked, deps } = peers(reports);
      await askPeers(DOWN_MS, { ...deps, addresses: () => [...deps.addresses(), ...deps.addresses()] });
      expect(new Set(asked).size).toBe(3);
      expect(asked.length).toBe(3);
      for (const one of asked) all.add(one);
    }
    expect(all.size).toBeGreaterThan(10);
  });

  it('takes addresses of IPv6, and a name for all its addresses', async () => {
    const { asked, deps } = peers({ '[::1]:9464': report({ connected: false, seenMs: 9_000 }) });
    expect(await askPeers(DOWN_MS, deps)).toBe(false);
    await askPeers(DOWN_MS, { ...deps, addresses: () => ['localhost:9464', 'no-such-host.invalid:9464'] });
    expect(asked.slice(1).every((host) => ['127.0.0.1:9464', '[::1]:9464'].includes(host))).toBe(true);
    expect(asked.length).toBeGreaterThan(1);
  });
});
