import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { engineUrl, openPolling, openWebSocket, type PollingSession } from '../../support/raw.ts';
import { startConformance } from '../../support/start-conformance.ts';

/** A session that has joined `/`, and a WebSocket that asks for its place. */
async function openBoth(env: Record<string, string> = {}) {
  const server = await startConformance({ SOCKETFLEET_PING_INTERVAL_MS: '5000', ...env });
  const polling = await openPolling(server.url);
  await polling.post('40');
  const [, auth] = await polling.packets(2);
  expect(auth).toBe('42["auth",{}]');
  return { ...server, polling, openSecond: () => openWebSocket(upgradeUrl(server.url, polling)) };
}

function upgradeUrl(url: string, { sid }: PollingSession): string {
  return engineUrl(url, { EIO: '4', transport: 'websocket', sid });
}

describe('an upgrade to WebSocket', () => {
  it('moves the session: probe, answer, release of the waiting poll, upgrade', async () => {
    const { polling, openSecond, metric } = await openBoth();
    const waiting = polling.poll();
    const socket = await openSecond();
    socket.send('2probe');
    expect(await socket.next()).toBe('3probe');
    expect(await waiting).toEqual(['6']);
    socket.send('5');
    socket.send('42["message","over the new transport"]');
    expect(await socket.next()).toBe('42["message-back","over the new transport"]');
    await eventually(async () => (await metric('socketfleet_connections{transport="websocket"}')) === 1);
    expect(await metric('socketfleet_connections{transport="polling"}')).toBe(0);
  });

  it('delivers over the new transport what was said between probe and upgrade', async () => {
    const { polling, openSecond } = await openBoth();
    const socket = await openSecond();
    socket.send('2probe');
    await socket.next();
    await polling.post('42["message",1]');
    socket.send('5');
    expect(await socket.next()).toBe('42["message-back",1]');
  });

  it('refuses polls of a session that has moved', async () => {
    const { polling, openSecond } = await openBoth();
    const socket = await openSecond();
    socket.send('2probe');
    await socket.next();
    socket.send('5');
    socket.send('42["message"]');
    await socket.next();
    const late = await polling.request();
    expect(late.status).toBe(400);
    expect(JSON.parse(late.body)).toEqual({ code: 3, message: 'Bad request' });
    socket.send('42["message","still here"]');
    expect(await socket.next()).toBe('42["message-back","still here"]');
  });

  it('closes a second WebSocket while the first is being probed, and keeps the first', async () => {
    const { openSecond } = await openBoth();
    const first = await openSecond();
    first.send('2probe');
    expect(await first.next()).toBe('3probe');
    const second = await openSecond();
    await second.closed;
    first.send('5');
    first.send('42["message"]');
    expect(await first.next()).toBe('42["message-back"]');
  });

  it('closes a WebSocket for a session that has already moved, and keeps the session', async () => {
    const { openSecond } = await openBoth();
    const first = await openSecond();
    first.send('2probe');
    await first.next();
    first.send('5');
    first.send('42["message"]');
    await first.next();
    const second = await openSecond();
    await second.closed;
    first.send('42["message",2]');
    expect(await first.next()).toBe('42["message-back",2]');
  });

  it('stays on polling when the WebSocket goes away before the upgrade', async () => {
    const { polling, openSecond } = await openBoth();
    const socket = await openSecond();
    socket.send('2probe');
    await socket.next();
    socket.ws.close();
    await socket.closed;
    await polling.post('42["message","still polling"]');
    const packets = await polling.packets(1);
    expect(
      packets.filter((packet) => packet !== '6').concat(packets.includes('6') ? await polling.packets(1) : []),
    ).toEqual(['42["message-back","still polling"]']);
  });

  it.each(['4hello', '2', '2other', '6', 'nonsense'])(
    'closes a WebSocket that begins with %j, and keeps the session',
    async (first) => {
      const { polling, openSecond } = await openBoth();
      const socket = await openSecond();
      socket.send(first);
      await socket.closed;
      await polling.post('42["message"]');
      expect(await polling.packets(1)).toEqual(['42["message-back"]']);
    },
  );

  it('refuses a protocol version other than that of the session', async () => {
    const { url, polling } = await openBoth();
    const other = openWebSocket(engineUrl(url, { EIO: '3', transport: 'websocket', sid: polling.sid }));
    await expect(other).rejects.toThrow('400');
    await polling.post('42["message"]');
    expect(await polling.packets(1)).toEqual(['42["message-back"]']);
  });
});
