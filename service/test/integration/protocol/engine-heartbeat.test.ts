import { describe, expect, it } from 'vitest';
import { openSession, TRANSPORTS } from '../../support/raw-session.ts';
import { startConformance } from '../../support/start-conformance.ts';

describe.each(TRANSPORTS)('heartbeats over %s', (transport) => {
  it('asks for a sign of life once the interval has passed', async () => {
    const { url } = await startConformance();
    // The server counts from the handshake, which on a busy machine is long before its answer is seen here.
    const start = performance.now();
    const session = await openSession(url, transport);
    expect(await session.receiveAny()).toBe('2');
    expect(performance.now() - start).toBeGreaterThan(250);
  });

  it('keeps a client that answers', async () => {
    const { url } = await startConformance({ SOCKETFLEET_CONNECT_TIMEOUT_MS: '10000' });
    const session = await openSession(url, transport);
    for (let beat = 0; beat < 3; beat++) {
      expect(await session.receiveAny()).toBe('2');
      await session.send('3');
    }
    await session.send('40');
    expect(await session.receive()).toMatch(/^40\{"sid":/);
  });

  it('closes a client that does not answer in time, and counts it', async () => {
    const { url, metric } = await startConformance();
    const session = await openSession(url, transport);
    const start = performance.now();
    expect(await session.receiveAny()).toBe('2');
    await session.ended();
    expect(performance.now() - start).toBeGreaterThan(450);
    expect(await metric(`socketfleet_closes_total{transport="${transport}",reason="ping timeout"}`)).toBe(1);
  });

  it('closes a client that sends pings itself, which only servers do', async () => {
    const { url } = await startConformance();
    const session = await openSession(url, transport);
    await session.send('2');
    await session.ended();
  });
});
