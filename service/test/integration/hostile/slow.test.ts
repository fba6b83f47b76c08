import { describe, expect, it } from 'vitest';
import type { HttpLimits } from '../../../src/realtime/realtime.ts';
import { ask, connect } from '../../support/connect.ts';
import { eventually } from '../../support/eventually.ts';
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

/** Asks and never reads; the system's buffers take what they can. */
async function askDeafly(url: string, path: string) {
  const tcp = await openTcp(url);
  tcp.socket.pause();
  tcp.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  return tcp;
}

describe('responses that nobody reads', () => {
  const CHUNK = 'x'.repeat(900_000);

  /** A member over polling for whom 27 MB are waiting, more than buffers of the system take. */
  async function startWaiting(env: Record<string, string>, options: { httpLimits: HttpLimits }) {
    expectNoFaults();
    const server = await startServer({ SOCKETFLEET_SLOW_READER_HARD_BYTES: '100000000', ...env }, undefined, options);
    const polling = await openPolling(server.url);
    await polling.post('40');
    await polling.packets(1);
    await polling.post('421["join","hot"]');
    await polling.packets(1);
    const path = `/socket.io/?EIO=4&transport=polling&sid=${polling.sid}`;
    const publish = async () => {
      for (let i = 0; i < 30; i++) await server.api('POST', '/api/v1/publish', { room: 'hot', data: CHUNK });
    };
    return { server, path, publish };
  }

  it('are counted while they wait, and cut', async () => {
    const { server, path, publish } = await startWaiting({}, { httpLimits: { responseTimeoutMs: 2_500 } });
    await publish();
    const tcp = await askDeafly(server.url, path);
    await eventually(async () => (await server.metric('socketfleet_buffered_bytes')) > 5_000_000, 'unread bytes');
    await eventually(async () => (await server.metric('socketfleet_buffered_bytes')) === 0, 'the end of the wait');
    tcp.socket.resume();
    await tcp.ended;
    expect(tcp.text().length).toBeLessThan(27_000_000);
  });

  it('count against their session, which may not have more and more of them', async () => {
    const env = { SOCKETFLEET_SLOW_READER_HARD_BYTES: '30000000' };
    const { server, path, publish } = await startWaiting(env, { httpLimits: {} });
    const closed = 'socketfleet_closes_total{transport="polling",reason="slow_reader"}';
    for (let rounds = 0; (await server.metric(closed)) === 0; rounds++) {
      expect(rounds).toBeLessThan(10);
      await publish();
      await askDeafly(server.url, path);
    }
    await eventually(async () => (await server.metric('socketfleet_buffered_bytes')) === 0, 'the end of all responses');
  });
});
