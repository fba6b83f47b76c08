import { describe, expect, it } from 'vitest';
import { KEY, startOps } from './ops-rig.ts';

const publish = (url: string) =>
  fetch(`${url}/api/v1/publish`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ room: 'lobby', data: 1 }),
  });

describe('the HTTP API over the life of a process', () => {
  it.each(['starting', 'stopped'])('takes nothing that it cannot deliver: %s', async (phase) => {
    const { url, published } = await startOps({}, { phase });
    const response = await publish(url);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ ok: false, code: 'unavailable', retry: true });
    expect(published).toEqual([]);
  });

  it('publishes while it drains, but sends kept connections elsewhere', async () => {
    const { url, published } = await startOps({}, { phase: 'draining' });
    const response = await publish(url);
    expect(response.status).toBe(200);
    expect(response.headers.get('connection')).toBe('close');
    expect(published).toHaveLength(1);
  });

  it('keeps connections while it is ready', async () => {
    const { url } = await startOps();
    expect((await publish(url)).headers.get('connection')).toBe('keep-alive');
  });
});
