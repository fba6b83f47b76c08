import { describe, expect, it } from 'vitest';
import { ask, connect } from '../../support/connect.ts';
import { expectNoFaults } from '../../support/expect-no-faults.ts';
import { openPolling, openTcp } from '../../support/raw.ts';
import { startServer } from '../../support/start-server.ts';

const LIMITS = { headersTimeout: 300, requestTimeout: 600, connectionsCheckingInterval: 50 };

/** Writes one byte after the other until the other side has had enough; resolves with how long that took. */
async function drip(url: string, head: string, rest: string): Promise<{ ms: number; text: string }> {
  const tcp = await openTcp(url);
  const start = performance.now();
  tcp.write(head);
  let sent = 0;
  const timer = setInterval(() => tcp.write(rest[sent++ % rest.length] ?? ''), 20);
  await tcp.ended;
  clearInterval(timer);
  return { ms: performance.now() - start, text: tcp.text() };
}

describe('slow requests', () => {
  it.each([
    [
      'headers that come byte by byte',
      'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n',
      'X-Drip: y\r\n',
    ],
    ['nothing at all', '', ''],
    ['a request line that does not end', 'GET /', 'x'],
    [
      'an upgrade that does not end',
      'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nUpgrade: websocket\r\n',
      'X: y\r\n',
    ],
  ])('are ended: %s', async (_what, head, rest) => {
    expectNoFaults();
    const server = await startServer({}, undefined, { httpLimits: LIMITS });
    const { ms, text } = await drip(server.url, head, rest);
    expect(ms).toBeGreaterThan(250);
    expect(ms).toBeLessThan(3_000);
    expect(text).toMatch(/^(?:HTTP\/1.1 408|$)/);
    const socket = await connect(server.url);
    expect(await ask(socket, 'whoami')).toMatchObject({ ok: true });
  });

  it('are ended: a body that comes byte by byte', async () => {
    expectNoFaults();
    const server = await startServer({}, undefined, { httpLimits: LIMITS });
    const { sid } = await openPolling(server.url);
    const head = `POST /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n`;
    const { ms } = await drip(server.url, head, '4');
    expect(ms).toBeGreaterThan(500);
    expect(ms).toBeLessThan(3_000);
    expect(await server.metric('socketfleet_closes_total{transport="polling",reason="transport error"}')).toBe(1);
  });

  it('do not count against a poll that waits for the server', async () => {
    expectNoFaults();
    const server = await startServer({ SOCKETFLEET_PING_INTERVAL_MS: '1500' }, undefined, { httpLimits: LIMITS });
    const polling = await openPolling(server.url);
    expect(await polling.poll()).toEqual(['2']);
  });

  it('do not hold up a stop', async () => {
    expectNoFaults();
    const server = await startServer();
    const tcp = await openTcp(server.url);
    tcp.write('GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n');
    const deaf = await openTcp(server.url);
    deaf.write(
      'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    await connect(server.url);
    const start = performance.now();
    await server.server.stop();
    expect(performance.now() - start).toBeLessThan(2_500);
  });
});
