import { describe, expect, it, vi } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { openEngine, openPolling, RECORD } from '../../support/raw.ts';
import { openJoined, openSession, TRANSPORTS } from '../../support/raw-session.ts';
import { startConformance } from '../../support/start-conformance.ts';

const CALM = { SOCKETFLEET_PING_INTERVAL_MS: '5000' };

describe('polling', () => {
  it('takes several packets in one body and answers in their order', async () => {
    const { url } = await startConformance(CALM);
    const polling = await openPolling(url);
    await polling.post('40');
    await polling.packets(2);
    const answer = await polling.post(['42["message",1]', '42["message",2]'].join(RECORD));
    expect(answer).toMatchObject({ status: 200, body: 'ok' });
    expect(await polling.packets(2)).toEqual(['42["message-back",1]', '42["message-back",2]']);
  });

  it('sends what has gathered in one body, separated by the record separator', async () => {
    const { url } = await startConformance(CALM);
    const polling = await openPolling(url);
    await polling.post('40');
    await polling.packets(2);
    await polling.post('42["message",1]');
    await polling.post('42["message",2]');
    const { body } = await polling.request();
    expect(body).toBe('42["message-back",1]\x1e42["message-back",2]');
  });

  it('keeps a poll waiting until there is something to say', async () => {
    const { url } = await startConformance(CALM);
    const polling = await openPolling(url);
    await polling.post('40');
    await polling.packets(2);
    let isAnswered = false;
    const waiting = polling.poll().then((packets) => {
      isAnswered = true;
      return packets;
    });
    expect(isAnswered).toBe(false);
    await polling.post('42["message"]');
    expect(await waiting).toEqual(['42["message-back"]']);
  });

  it('carries binary as base64 in both directions', async () => {
    const { url } = await startConformance(CALM);
    const polling = await openPolling(url);
    await polling.post('40');
    await polling.packets(2);
    await polling.post(`451-["message",{"_placeholder":true,"num":0}]${RECORD}bAQIDBA==`);
    expect(await polling.packets(2)).toEqual(['451-["message-back",{"_placeholder":true,"num":0}]', 'bAQIDBA==']);
  });

  it('closes a session with two polls at once, and answers the second with 400', async () => {
    const { url } = await startConformance(CALM);
    const polling = await openPolling(url);
    const first = polling.request();
    // Both are on their way at once; which one the server reads first is its own affair.
    const second = polling.request();
    const statuses = await Promise.all([first, second].map(async (answer) => (await answer).status));
    expect(statuses.sort()).toEqual([200, 400]);
    expect((await polling.request()).body).toContain('Session ID unknown');
  });

  it('closes a session at the close packet, releases the waiting poll and forgets it', async () => {
    const { url, metric } = await startConformance(CALM);
    const polling = await openPolling(url);
    const waiting = polling.poll();
    await polling.post('1');
    expect(await waiting).toEqual(['6']);
    expect(await polling.request()).toMatchObject({ status: 400, body: '{"code":1,"message":"Session ID unknown"}' });
    expect(await metric('socketfleet_closes_total{transport="polling",reason="transport close"}')).toBe(1);
  });

  it.each(['', 'abc', 'x', '8', '40\x1eabc', '\x1e'])(
    'closes a session that sends %j, and only that one',
    async (body) => {
      const { url } = await startConformance(CALM);
      const [bystander, session] = [await openJoined(url, 'polling'), await openSession(url, 'polling')];
      await bystander.receive();
      await session.send(body);
      await session.ended();
      await bystander.send('42["message"]');
      expect(await bystander.receive()).toBe('42["message-back"]');
    },
  );

  it('refuses a body that claims to be raw binary', async () => {
    const { url } = await startConformance(CALM);
    const polling = await openPolling(url);
    const headers = { 'content-type': 'application/octet-stream' };
    const answer = await polling.request({ method: 'POST', headers, body: Buffer.from([1, 2, 3]) });
    expect(answer.status).toBe(400);
    expect((await polling.request()).body).toContain('Session ID unknown');
  });
});

describe('WebSocket', () => {
  it('carries one packet per frame, binary as it is', async () => {
    const { url } = await startConformance(CALM);
    const session = await openJoined(url, 'websocket');
    await session.receive();
    await session.send('451-["message",{"_placeholder":true,"num":0}]', Buffer.from([1, 2, 3, 4]));
    expect(await session.receive()).toBe('451-["message-back",{"_placeholder":true,"num":0}]');
    expect(await session.receive()).toEqual(Buffer.from([1, 2, 3, 4]));
  });

  it('closes at the close packet', async () => {
    const { url, metric } = await startConformance(CALM);
    const session = await openEngine(url);
    session.send('1');
    session.ws.close();
    await session.closed;
    await eventually(
      async () => (await metric('socketfleet_closes_total{transport="websocket",reason="transport close"}')) === 1,
    );
  });

  it.each(['', 'abc', 'x', '8'])('closes a session that sends %j, and only that one', async (frame) => {
    const { url } = await startConformance(CALM);
    const [bystander, session] = [await openJoined(url, 'websocket'), await openSession(url, 'websocket')];
    await bystander.receive();
    await session.send(frame);
    await session.ended();
    await bystander.send('42["message"]');
    expect(await bystander.receive()).toBe('42["message-back"]');
  });
});

describe('the bare Engine.IO echo of the conformance profile', () => {
  it.each(TRANSPORTS)('sends each message back as it came over %s', async (transport) => {
    vi.stubEnv('CONFORMANCE_ENGINE', 'on');
    const { url } = await startConformance();
    vi.unstubAllEnvs();
    const session = await openSession(`${url}/engine.io/`, transport);
    expect(session.handshake).toMatchObject({ pingInterval: 300, pingTimeout: 200, maxPayload: 1_000_000 });
    await session.send('4hello', Buffer.from([1, 2, 3]));
    expect(await session.receive()).toBe('4hello');
    expect(await session.receive()).toEqual(Buffer.from([1, 2, 3]));
  });
});
