import { describe, expect, it } from 'vitest';
import { connect } from '../../support/connect.ts';
import { eventually } from '../../support/eventually.ts';
import { engineUrl, http, openEngine, openPolling, openSocket, openTcp } from '../../support/raw.ts';
import { startTown } from './town.ts';

const SMALL = { SOCKETFLEET_MAX_PAYLOAD_BYTES: '1000' };
const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';

/** The first bytes of a WebSocket frame from a client whose mask is zero, which leaves the payload as it is. */
function frame(firstByte: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([firstByte, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

/** A WebSocket on which a test writes bytes of its own. */
async function openBare(url: string) {
  const tcp = await openTcp(url);
  tcp.write(`GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n\r\n`);
  await eventually(() => tcp.text().includes('"sid"'), 'the open packet');
  return tcp;
}

describe('what comes over the wire', () => {
  it.each([
    ['text that is no UTF-8', frame(0x81, Buffer.from([0x34, 0xc3, 0x28])), 1007],
    ['reserved bits', frame(0xf1, Buffer.from('2')), 1002],
    ['an unknown opcode', frame(0x83, Buffer.from('2')), 1002],
    ['a frame without a mask', Buffer.from([0x81, 0x01, 0x32]), 1002],
    ['a control frame in fragments', frame(0x09, Buffer.from('x')), 1002],
    ['a continuation of nothing', frame(0x80, Buffer.from('x')), 1002],
    ['a length beyond 2^53', Buffer.from([0x81, 0xff, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0]), 1009],
  ])('ends a WebSocket with %s, with a code that names the reason', async (_what, bytes, code) => {
    const town = await startTown();
    const tcp = await openBare(town.url);
    tcp.write(bytes);
    await tcp.ended;
    const close = Buffer.from(tcp.text(), 'latin1').subarray(-4);
    expect([close[0], close.readUInt16BE(2)]).toEqual([0x88, code]);
    await town.expectPeace();
  });

  it('ends a WebSocket whose message is too large with 1009, and counts it as that', async () => {
    const town = await startTown(SMALL);
    const socket = await openSocket(town.url);
    socket.send(`42["publish","town","${'x'.repeat(2_000)}"]`);
    expect((await socket.closed).code).toBe(1009);
    await eventually(
      async () => (await town.metric('socketfleet_closes_total{transport="websocket",reason="too_large"}')) === 1,
    );
    await town.expectPeace();
  });

  it('ends a WebSocket whose fragments are too large together', async () => {
    const town = await startTown(SMALL);
    const tcp = await openBare(town.url);
    tcp.write(frame(0x01, Buffer.alloc(100, '4')));
    for (let i = 0; i < 20; i++) tcp.write(frame(0x00, Buffer.alloc(100, 'x')));
    await tcp.ended;
    await town.expectPeace();
  });

  it('refuses a polling body that is too large with 413, names the reason and counts it', async () => {
    const town = await startTown(SMALL);
    const polling = await openPolling(town.url);
    const answer = await polling.post('4'.repeat(2_000));
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.body)).toMatchObject({ ok: false, code: 'too_large', retry: false });
    expect(await town.metric('socketfleet_refusals_total{code="too_large"}')).toBe(1);
    await town.expectPeace();
  });

  it('stops reading a body of unknown length at the limit', async () => {
    const town = await startTown(SMALL);
    const { sid } = await openPolling(town.url);
    const tcp = await openTcp(town.url);
    tcp.write(
      `POST /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    for (let i = 0; i < 20; i++) tcp.write(`64\r\n${'x'.repeat(100)}\r\n`);
    await eventually(() => tcp.text().startsWith('HTTP/1.1 413'), 'the refusal');
    await town.expectPeace();
  });

  it('gives up a body that stops half-way', async () => {
    const town = await startTown();
    const { sid, request } = await openPolling(town.url);
    const tcp = await openTcp(town.url);
    tcp.write(
      `POST /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n42["jo`,
    );
    tcp.socket.resetAndDestroy();
    await eventually(async () => (await request()).body.includes('Session ID unknown'), 'the end of the session');
    await town.expectPeace();
  });

  it.each(['PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND'])(
    'refuses %s for a session, says why, and keeps the session',
    async (method) => {
      const town = await startTown();
      const polling = await openPolling(town.url);
      const answer = await polling.request({ method });
      expect(answer.status).toBe(405);
      expect(JSON.parse(answer.body)).toMatchObject({ ok: false, code: 'wrong_method' });
      await polling.post('40');
      expect((await polling.packets(1))[0]).toMatch(/^40\{/);
      await town.expectPeace();
    },
  );

  it.each([
    ['no HTTP at all', 'hello\r\n\r\n', '400'],
    [
      'a header that is too long',
      `GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      '431',
    ],
    [
      'two different lengths',
      'POST /socket.io/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      '400',
    ],
    [
      'a length beside chunks',
      'POST /socket.io/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      '400',
    ],
    ['no Host', 'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n\r\n', '400'],
    ['CONNECT', 'CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n', ''],
  ])('ends a connection that sends %s', async (_what, text, status) => {
    const town = await startTown();
    const tcp = await openTcp(town.url);
    tcp.write(text);
    await tcp.ended;
    expect(tcp.text().split(' ')[1] ?? '').toBe(status);
    await town.expectPeace();
  });

  it('ends upgrades on other paths, and keeps nothing of them even when the client does not hang up', async () => {
    const town = await startTown();
    const strays = await Promise.all(
      ['/', '/other', '/socket.io', '//[', '/socket.ioo/?EIO=4&transport=websocket'].map(async (path) => {
        const tcp = await openTcp(town.url);
        // As a hostile client would: it never ends its own side.
        tcp.socket.allowHalfOpen = true;
        tcp.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n\r\n`);
        return tcp;
      }),
    );
    await Promise.all(strays.map((tcp) => tcp.ended));
    for (const tcp of strays) {
      expect(tcp.text()).toMatch(/^HTTP\/1.1 404 .*"code":"not_found"/s);
      await eventually(() => {
        tcp.write('x');
        return tcp.socket.destroyed;
      }, 'the end of the TCP connection');
    }
    await town.expectPeace();
  });

  it('survives an upgrade on another path whose client breaks off', async () => {
    const town = await startTown();
    const tcp = await openTcp(town.url);
    tcp.write(`GET /other HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n\r\n`);
    // An answer on another connection tells that the upgrade has been read.
    await http(`${town.url}/`);
    tcp.socket.resetAndDestroy();
    await http(`${town.url}/`);
    await town.expectPeace();
  });

  it.each([
    ['without a key', 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13', '400'],
    ['of an old version', UPGRADE.replace('13', '7'), '400'],
    ['to something else', UPGRADE.replace('websocket', 'h2c'), '400'],
  ])('refuses an upgrade %s', async (_what, headers, status) => {
    const town = await startTown();
    const tcp = await openTcp(town.url);
    tcp.write(`GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n`);
    await tcp.ended;
    expect(tcp.text().split(' ')[1]).toBe(status);
    await town.expectPeace();
  });

  it('takes an upgrade that names polling for no session', async () => {
    const town = await startTown();
    const tcp = await openTcp(town.url);
    tcp.write(`GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n\r\n`);
    await eventually(() => tcp.text().endsWith('\x88\x00'), 'the close frame');
    expect(await town.metric('socketfleet_connections{transport="polling"}')).toBe(0);
    expect(await town.metric('socketfleet_connections{transport="websocket"}')).toBe(1);
    await town.expectPeace();
  });

  it('ends a WebSocket that does not answer a close frame in time', async () => {
    const town = await startTown();
    const tcp = await openBare(town.url);
    const start = performance.now();
    tcp.write(frame(0x81, Buffer.from('nonsense')));
    await tcp.ended;
    expect(performance.now() - start).toBeLessThan(8_000);
    await town.expectPeace();
  });

  it('survives ten thousand packets in one body', async () => {
    const town = await startTown();
    for (const packet of ['3', '6', '4', '2', '42["x"]', 'b', '1']) {
      const polling = await openPolling(town.url);
      await polling.post('40');
      await polling.post(Array(10_000).fill(packet).join('\x1e'));
    }
    await town.expectPeace();
  });

  it('lets a client go that vanishes while it is being answered', async () => {
    const town = await startTown();
    for (let i = 0; i < 20; i++) {
      const tcp = await openTcp(town.url);
      tcp.write('GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n');
      tcp.socket.resetAndDestroy();
      const bare = await openBare(town.url);
      bare.socket.resetAndDestroy();
    }
    await eventually(async () => (await town.metric('socketfleet_connections{transport="websocket"}')) === 1);
    await town.expectPeace();
  });

  it.each(['%', '%00', '%E0%A4%A', '..%2f..', '&sid=&sid=', '&EIO[]=4', '&__proto__=1&constructor=2'])(
    'answers a query with %s',
    async (query) => {
      const town = await startTown();
      const answer = await http(
        `${town.url}/socket.io/?EIO=4&transport=polling${query.startsWith('&') ? '' : '&x='}${query}`,
      );
      expect([200, 400]).toContain(answer.status);
      await town.expectPeace();
    },
  );

  it('speaks only to the origins it was told', async () => {
    const town = await startTown({ SOCKETFLEET_ORIGINS: 'https://good.example' });
    const origin = 'https://evil.example';
    const polling = await http(engineUrl(town.url, { EIO: '4', transport: 'polling' }), { headers: { origin } });
    expect(polling.status).toBe(403);
    expect(JSON.parse(polling.body)).toMatchObject({ ok: false, code: 'bad_origin', retry: false });
    expect(polling.headers['access-control-allow-origin']).not.toBe(origin);
    await expect(openEngine(town.url, { origin })).rejects.toThrow();
    for (const wrong of [
      'null',
      'https://good.example.evil.example',
      'http://good.example',
      'https://good.example:8443',
    ]) {
      await expect(openPolling(town.url, { origin: wrong })).rejects.toThrow('403');
    }
    const good = await openPolling(town.url, { origin: 'https://good.example' });
    expect(good.sid).toHaveLength(20);
    expect(await town.metric('socketfleet_handshakes_total{outcome="bad_origin"}')).toBe(6);
    const stock = await connect(town.url, { extraHeaders: { origin: 'https://good.example' } });
    expect(stock.connected).toBe(true);
    await town.expectPeace();
  });
});
