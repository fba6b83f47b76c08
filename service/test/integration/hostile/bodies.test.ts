import { describe, expect, it } from 'vitest';
import { http } from '../../support/raw.ts';
import { API_KEY } from '../../support/start-server.ts';
import { startTown } from './town.ts';

const AUTHORIZED = { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' };

describe('bodies of the HTTP API', () => {
  it.each([
    ['no JSON', '{"room":', 'bad_request', 'JSON'],
    ['nothing', '', 'bad_request', 'missing'],
    ['a list', '[]', 'bad_request', 'body'],
    ['null', 'null', 'bad_request', 'body'],
    ['no room', '{"data":1}', 'bad_request', 'room'],
    ['no data', '{"room":"town"}', 'bad_request', 'data'],
    ['a room that is a number', '{"room":7,"data":1}', 'bad_request', 'room'],
    ['a room with a control character', '{"room":"a\\u0000b","data":1}', 'bad_room', 'room'],
    ['a field that does not exist', '{"room":"town","data":1,"admin":true}', 'bad_request', 'admin'],
    ['__proto__', '{"room":"town","data":1,"__proto__":{"x":1}}', 'bad_request', '__proto__'],
    ['the event disconnect', '{"room":"town","data":1,"event":"disconnect"}', 'bad_event', 'event'],
    ['deep nesting', `{"room":"town","data":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, 'bad_request', 'data'],
    ['text that is no UTF-8', Buffer.from([0x7b, 0xc3, 0x28, 0x7d]), 'bad_request', 'UTF-8'],
  ])('are refused when they are or have %s, naming the field', async (_what, body, code, named) => {
    const town = await startTown();
    const answer = await http(`${town.internalUrl}/api/v1/publish`, { method: 'POST', headers: AUTHORIZED, body });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toEqual({ ok: false, code, message: expect.stringContaining(named), retry: false });
    expect(await town.metric('socketfleet_api_requests_total{route="/api/v1/publish",status="400"}')).toBe(1);
    await town.expectPeace();
  });

  it('are not even read without the key, or when they are too large', async () => {
    const town = await startTown({ SOCKETFLEET_API_MAX_BODY_BYTES: '1000' });
    const body = JSON.stringify({ room: 'town', data: 'x'.repeat(2_000) });
    const large = await http(`${town.internalUrl}/api/v1/publish`, { method: 'POST', headers: AUTHORIZED, body });
    expect(large.status).toBe(413);
    const headers = { ...AUTHORIZED, authorization: 'Bearer wrong' };
    const stranger = await http(`${town.internalUrl}/api/v1/publish`, { method: 'POST', headers, body });
    expect(stranger.status).toBe(401);
    await town.expectPeace();
  });
});
