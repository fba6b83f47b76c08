import { describe, expect, it } from 'vitest';
import { engineUrl, http, openEngine, openPolling, openWebSocket } from '../../support/raw.ts';
import { startConformance } from '../../support/start-conformance.ts';

const KEYS = ['maxPayload', 'pingInterval', 'pingTimeout', 'sid', 'upgrades'];

describe('an Engine.IO handshake', () => {
  it('answers a GET with exactly the five documented fields, and offers WebSocket', async () => {
    const { url } = await startConformance();
    const { handshake } = await openPolling(url);
    expect(Object.keys(handshake).sort()).toEqual(KEYS);
    expect(handshake).toEqual({
      sid: expect.stringMatching(/^[A-Za-z0-9_-]{20}$/),
      upgrades: ['websocket'],
      pingInterval: 300,
      pingTimeout: 200,
      maxPayload: 1_000_000,
    });
  });

  it('answers a WebSocket with the same fields, and offers nothing further', async () => {
    const { url } = await startConformance();
    const { handshake } = await openEngine(url);
    expect(Object.keys(handshake).sort()).toEqual(KEYS);
    expect(handshake).toMatchObject({ upgrades: [], pingInterval: 300, pingTimeout: 200, maxPayload: 1_000_000 });
  });

  it('lets any page read the answer when all origins may connect', async () => {
    const { url } = await startConformance();
    const answer = await http(engineUrl(url, { EIO: '4', transport: 'polling' }), {
      headers: { origin: 'https://example.org' },
    });
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  const wrong: { what: string; query: Record<string, string>; method?: string; body: object }[] = [
    {
      what: 'no protocol version',
      query: { transport: 'polling' },
      body: { code: 5, message: 'Unsupported protocol version' },
    },
    {
      what: 'protocol version 3',
      query: { EIO: '3', transport: 'polling' },
      body: { code: 5, message: 'Unsupported protocol version' },
    },
    {
      what: 'a version that is no number',
      query: { EIO: 'abc', transport: 'polling' },
      body: { code: 5, message: 'Unsupported protocol version' },
    },
    { what: 'no transport', query: { EIO: '4' }, body: { code: 0, message: 'Transport unknown' } },
    {
      what: 'an unknown transport',
      query: { EIO: '4', transport: 'carrier-pigeon' },
      body: { code: 0, message: 'Transport unknown' },
    },
    {
      what: 'WebTransport, which is off',
      query: { EIO: '4', transport: 'webtransport' },
      body: { code: 0, message: 'Transport unknown' },
    },
    {
      what: 'the name of an object method as transport',
      query: { EIO: '4', transport: 'constructor' },
      body: { code: 0, message: 'Transport unknown' },
    },
    {
      what: 'WebSocket without an upgrade',
      query: { EIO: '4', transport: 'websocket' },
      body: { code: 3, message: 'Bad request' },
    },
    {
      what: 'an unknown session',
      query: { EIO: '4', transport: 'polling', sid: 'nobody' },
      body: { code: 1, message: 'Session ID unknown' },
    },
    {
      what: 'a session named like an object method',
      query: { EIO: '4', transport: 'polling', sid: 'constructor' },
      body: { code: 1, message: 'Session ID unknown' },
    },
    {
      what: 'POST',
      method: 'POST',
      query: { EIO: '4', transport: 'polling' },
      body: { code: 2, message: 'Bad handshake method' },
    },
    {
      what: 'PUT',
      method: 'PUT',
      query: { EIO: '4', transport: 'polling' },
      body: { code: 2, message: 'Bad handshake method' },
    },
    {
      what: 'DELETE',
      method: 'DELETE',
      query: { EIO: '4', transport: 'polling' },
      body: { code: 2, message: 'Bad handshake method' },
    },
  ];
  it.each(wrong)('refuses $what with 400 and says why', async ({ query, method, body }) => {
    const { url } = await startConformance();
    const answer = await http(engineUrl(url, query), { method: method ?? 'GET' });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toEqual(body);
    expect(answer.headers['content-type']).toBe('application/json');
  });

  it.each([
    { what: 'protocol version 3', query: { EIO: '3', transport: 'websocket' } },
    { what: 'an unknown session', query: { EIO: '4', transport: 'websocket', sid: 'nobody' } },
    { what: 'an unknown transport', query: { EIO: '4', transport: 'carrier-pigeon' } },
  ])('closes a WebSocket with $what', async ({ query }) => {
    const { url } = await startConformance();
    // Some are refused before the upgrade, some after it; no open packet comes in either case.
    const packet = openWebSocket(engineUrl(url, query)).then((socket) => socket.next());
    await expect(packet).rejects.toThrow(/400|closed|hang up|frame/);
  });

  it('answers 404 with a reason on every other path', async () => {
    const { url } = await startConformance();
    for (const path of ['/', '/socket.ioo/', '/metrics', '//', '/%', '/api/v1/rooms']) {
      const answer = await http(`${url}${path}`);
      expect([path, answer.status]).toEqual([path, 404]);
      expect(JSON.parse(answer.body)).toMatchObject({ ok: false, code: 'not_found' });
    }
  });

  it('counts what it accepts and what it refuses', async () => {
    const { url, metric } = await startConformance();
    await openPolling(url);
    await http(engineUrl(url, { EIO: '4', transport: 'carrier-pigeon' }));
    expect(await metric('socketfleet_handshakes_total{outcome="accepted"}')).toBe(1);
    expect(await metric('socketfleet_handshakes_total{outcome="bad_request"}')).toBe(1);
  });
});
