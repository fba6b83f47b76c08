import { describe, expect, it } from 'vitest';
import { REFUSALS } from '../../../src/refusals.ts';
import { ask, collect, connect } from '../../support/connect.ts';
import { eventually } from '../../support/eventually.ts';
import { engineUrl, http, openEngine, openPolling, openSocket, openWebSocket } from '../../support/raw.ts';
import { startTown } from './town.ts';

const FEW = { SOCKETFLEET_MESSAGES_PER_SECOND: '10', SOCKETFLEET_PING_INTERVAL_MS: '60000' };
const RATE_LIMITED = { code: REFUSALS.rate_limited.close, reason: REFUSALS.rate_limited.message };

describe('a flood of messages', () => {
  it('is answered with rate_limited, then the connection is closed with that reason', async () => {
    const town = await startTown(FEW);
    const socket = await openSocket(town.url);
    for (let i = 0; i < 60; i++) socket.send(`42${i}["whoami"]`);
    const answers: string[] = [];
    while (answers.length < 60) answers.push(String(await socket.packet()));
    expect(answers.filter((text) => text.includes('"ok":true')).length).toBeLessThanOrEqual(22);
    expect(answers.filter((text) => /"code":"rate_limited".*"retry":true/.test(text)).length).toBeGreaterThanOrEqual(
      38,
    );
    for (let i = 0; i < 500; i++) socket.send('42["whoami"]');
    expect(await socket.closed).toEqual(RATE_LIMITED);
    expect(await town.metric('socketfleet_refusals_total{code="rate_limited"}')).toBeGreaterThan(0);
    expect(await town.metric('socketfleet_closes_total{transport="websocket",reason="rate_limited"}')).toBe(1);
    await town.expectPeace();
  });

  it('that ends in time is forgiven', async () => {
    const town = await startTown(FEW);
    const eve = await connect(town.url);
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask(eve, 'whoami')));
    expect(answers.some(({ ok }) => !ok)).toBe(true);
    await eventually(async () => (await ask(eve, 'whoami')).ok, 'an answer');
    expect(eve.connected).toBe(true);
    await town.expectPeace();
  });

  it.each([
    ['pongs', '3'],
    ['noops', '6'],
    ['acks for nothing', '43999[1]'],
    ['joins of unknown namespaces', '40/nowhere'],
    ['events that nobody handles', '42["x"]'],
  ])('of %s is closed as well', async (_what, packet) => {
    const town = await startTown(FEW);
    const socket = await openSocket(town.url);
    for (let i = 0; i < 500; i++) socket.send(packet);
    expect(await socket.closed).toEqual(RATE_LIMITED);
    await town.expectPeace();
  });

  it.each(['ping', 'pong'] as const)('of %ss of WebSocket itself is closed as well', async (name) => {
    const town = await startTown(FEW);
    const socket = await openSocket(town.url);
    for (let i = 0; i < 500; i++) socket.ws[name]();
    expect(await socket.closed).toEqual(RATE_LIMITED);
    await town.expectPeace();
  });

  it('of bytes beside messages is closed as well', async () => {
    const town = await startTown({ SOCKETFLEET_BYTES_PER_SECOND: '10000', SOCKETFLEET_MAX_PAYLOAD_BYTES: '10000' });
    const socket = await openSocket(town.url);
    const filler = Buffer.alloc(125);
    for (let i = 0; i < 300; i++) socket.ws.pong(filler);
    expect(await socket.closed).toEqual(RATE_LIMITED);
    await town.expectPeace();
  });

  it('of fragments that never make a message is ended', async () => {
    const town = await startTown();
    const socket = await openSocket(town.url);
    for (let i = 0; i < 200; i++) socket.ws.send('4', { fin: false });
    expect((await socket.closed).code).toBe(1008);
    await town.expectPeace();
  });

  it('that goes on and on after the connection was told to go is cut', async () => {
    const town = await startTown(FEW);
    const socket = await openSocket(town.url);
    // A client that ignores the close frame.
    socket.ws.removeAllListeners('close');
    socket.pause();
    const start = performance.now();
    const closed = 'socketfleet_closes_total{transport="websocket",reason="rate_limited"}';
    while ((await town.metric(closed)) === 0) for (let i = 0; i < 500; i++) socket.ws.ping();
    expect(performance.now() - start).toBeLessThan(4_000);
    await town.expectPeace();
  });

  it('in one polling body ends that session', async () => {
    const town = await startTown(FEW);
    const polling = await openPolling(town.url);
    await polling.post('40');
    await polling.post(Array(500).fill('42["whoami"]').join('\x1e'));
    await eventually(
      async () => (await polling.request()).body.includes('Session ID unknown'),
      'the end of the session',
    );
    expect(await town.metric('socketfleet_closes_total{transport="polling",reason="rate_limited"}')).toBe(1);
    await town.expectPeace();
  });

  it('is not heard any more once it was told to go, even when it goes on', async () => {
    const handled: number[] = [];
    const town = await startTown(FEW, (io) => {
      io.on('connection', (socket) => socket.on('count', (value: number) => void handled.push(value)));
    });
    const socket = await openSocket(town.url);
    // A client that ignores the close frame.
    socket.ws.removeAllListeners('close');
    socket.pause();
    for (let i = 0; i < 900; i++) socket.send(`42["count",${i}]`);
    await eventually(async () => (await town.metric('socketfleet_refusals_total{code="rate_limited"}')) > 100);
    expect(handled.length).toBeLessThanOrEqual(22);
    socket.ws.terminate();
    await town.expectPeace();
  });

  it('of bytes closes the connection', async () => {
    const town = await startTown({ SOCKETFLEET_BYTES_PER_SECOND: '10000', SOCKETFLEET_MAX_PAYLOAD_BYTES: '10000' });
    for (const packet of [`42["x","${'x'.repeat(9_000)}"]`, `3${'x'.repeat(9_000)}`]) {
      const socket = await openSocket(town.url);
      for (let i = 0; i < 4; i++) socket.send(packet);
      expect(await socket.closed).toEqual(RATE_LIMITED);
    }
    await town.expectPeace();
  });
});

describe('a flood of joins', () => {
  it('of one namespace in one turn closes the connection and leaves nothing', async () => {
    let sockets = 0;
    const town = await startTown({}, (io) => void io.on('connection', () => sockets++));
    const before = sockets;
    for (const send of [
      async () => {
        const socket = await openEngine(town.url);
        for (let i = 0; i < 500; i++) socket.send('40');
        await socket.closed;
      },
      async () => {
        const polling = await openPolling(town.url);
        await polling.post(Array(500).fill('40').join('\x1e'));
        await eventually(async () => (await polling.request()).body.includes('Session ID unknown'));
      },
    ]) {
      await send();
    }
    expect(sockets - before).toBeLessThanOrEqual(2);
    await eventually(async () => (await town.metric('socketfleet_sockets{nsp="/"}')) === 1);
    await town.expectPeace();
  });

  it('of many namespaces is bounded by the rate of messages', async () => {
    const town = await startTown(FEW, (io) => void io.of(/^\/tenant-\d+$/));
    const socket = await openEngine(town.url);
    for (let i = 0; i < 500; i++) socket.send(`40/tenant-${i}`);
    expect(await socket.closed).toEqual(RATE_LIMITED);
    await eventually(async () => (await town.metric('socketfleet_sockets{nsp="dynamic"}')) === 0);
    await town.expectPeace();
  });
});

describe('sessions that never join', () => {
  it('are closed at the connect time-out, over both transports', async () => {
    const town = await startTown({ SOCKETFLEET_CONNECT_TIMEOUT_MS: '200' });
    const [polling, socket] = [await openPolling(town.url), await openEngine(town.url)];
    await socket.closed;
    await eventually(async () => (await polling.request()).body.includes('Session ID unknown'));
    await town.expectPeace();
  });

  it('are counted per address, whatever X-Forwarded-For says, and make room when they end', async () => {
    const town = await startTown({ SOCKETFLEET_SESSIONS_PER_ADDRESS: '5', SOCKETFLEET_CONNECT_TIMEOUT_MS: '400' });
    const sessions = await Promise.all(Array.from({ length: 5 }, () => openPolling(town.url)));
    const answer = await http(engineUrl(town.url, { EIO: '4', transport: 'polling' }), {
      headers: { 'x-forwarded-for': '198.51.100.7' },
    });
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(JSON.parse(answer.body)).toMatchObject({ ok: false, code: 'too_many_sessions', retry: true });
    await expect(openEngine(town.url)).rejects.toThrow();
    expect(await town.metric('socketfleet_handshakes_total{outcome="too_many_sessions"}')).toBe(2);
    expect(await town.metric('socketfleet_refusals_total{code="too_many_sessions"}')).toBe(2);
    // A session that polls is told of its end at once; the others are kept until they ask, or for half a minute.
    await Promise.all(sessions.map((session) => session.poll()));
    await eventually(() => openPolling(town.url), 'a session after the time-out');
    await town.expectPeace();
  });

  it('meet the brake and the limit of all connections', async () => {
    const town = await startTown({ SOCKETFLEET_HANDSHAKES_PER_SECOND: '20', SOCKETFLEET_MAX_CONNECTIONS: '10' });
    const codes = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const { status, body } = await http(engineUrl(town.url, { EIO: '4', transport: 'polling' }));
        return status === 200 ? 'accepted' : (JSON.parse(body) as { code: string }).code;
      }),
    );
    expect(codes.filter((code) => code === 'accepted').length).toBeLessThanOrEqual(10);
    expect(codes.every((code) => ['accepted', 'brake', 'full'].includes(code))).toBe(true);
    expect(codes).toContain('brake');
    await town.expectPeace();
  });
});

describe('a client that does not read', () => {
  const LIMITS = { SOCKETFLEET_SLOW_READER_SOFT_BYTES: '100000', SOCKETFLEET_SLOW_READER_HARD_BYTES: '1000000' };
  const CHUNK = 'x'.repeat(90_000);

  it('is closed at the hard limit, while the others hear everything and memory stays bounded', async () => {
    const town = await startTown(LIMITS);
    const deaf = await openSocket(town.url);
    deaf.send('421["join","town"]');
    await deaf.packet();
    deaf.pause();
    const heard = collect(town.bystander, 'message');
    const before = process.memoryUsage().rss;
    const reason = 'socketfleet_closes_total{transport="websocket",reason="slow_reader"}';
    let published = 0;
    while ((await town.metric(reason)) === 0) {
      await town.api('POST', '/api/v1/publish', { room: 'town', data: CHUNK });
      published++;
      expect(published).toBeLessThan(1_000);
    }
    await eventually(() => heard.length === published, 'every message at the bystander');
    expect(process.memoryUsage().rss - before).toBeLessThan(300_000_000);
    expect(await town.metric('socketfleet_refusals_total{code="slow_reader"}')).toBe(1);
    expect(await town.metric('socketfleet_sockets{nsp="/"}')).toBe(1);
    await town.expectPeace();
  });

  it('is closed over polling as well', async () => {
    const town = await startTown(LIMITS);
    const polling = await openPolling(town.url);
    await polling.post('40');
    await polling.packets(1);
    await polling.post('421["join","town"]');
    await polling.packets(1);
    for (let i = 0; i < 15; i++) await town.api('POST', '/api/v1/publish', { room: 'town', data: CHUNK });
    await eventually(
      async () => (await town.metric('socketfleet_closes_total{transport="polling",reason="slow_reader"}')) === 1,
    );
    expect((await polling.request()).body).toContain('Session ID unknown');
    await town.expectPeace();
  });

  it('and pings without end is closed before its pongs fill the memory', async () => {
    const unlimited = { SOCKETFLEET_MESSAGES_PER_SECOND: '0', SOCKETFLEET_BYTES_PER_SECOND: '0' };
    const town = await startTown({ ...LIMITS, ...unlimited });
    const deaf = await openWebSocket(engineUrl(town.url, { EIO: '4', transport: 'websocket' }));
    deaf.send('40');
    deaf.pause();
    const ping = Buffer.alloc(125, 'x');
    const reason = 'socketfleet_closes_total{transport="websocket",reason="slow_reader"}';
    for (let rounds = 0; (await town.metric(reason)) === 0; rounds++) {
      expect(rounds).toBeLessThan(1_000);
      if (deaf.ws.readyState === deaf.ws.OPEN) for (let i = 0; i < 2_000; i++) deaf.ws.ping(ping);
    }
    await town.expectPeace();
  });
});

describe('questions about presence', () => {
  it('are answered in bounded length, and not to those who do not read the answers', async () => {
    const town = await startTown({
      SOCKETFLEET_SLOW_READER_SOFT_BYTES: '100000',
      SOCKETFLEET_MESSAGES_PER_SECOND: '0',
    });
    const crowd = await Promise.all(Array.from({ length: 60 }, () => connect(town.url, { transports: ['websocket'] })));
    const presence = { name: 'x'.repeat(2_000) };
    await Promise.all(crowd.map((one) => ask(one, 'join', 'town', { presence })));
    const answer = await ask(town.bystander, 'presence', 'town');
    expect(answer).toMatchObject({ ok: true, count: 61 });
    expect(JSON.stringify(answer).length).toBeLessThan(70_000);
    const deaf = await openSocket(town.url);
    deaf.pause();
    const refused = 'socketfleet_refusals_total{code="rate_limited"}';
    for (let rounds = 0; (await town.metric(refused)) === 0; rounds++) {
      expect(rounds).toBeLessThan(100);
      for (let i = 0; i < 20; i++) deaf.send('420["presence","town"]');
    }
    expect(await town.metric('socketfleet_buffered_bytes')).toBeLessThan(4_000_000);
    await town.expectPeace();
  });
});
