import { request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Check } from '../../src/contracts.ts';
import { startOps } from './ops-rig.ts';

const good: Check = { name: 'keys', gates: 'ready', check: async () => ({ keys: 2 }) };
const noted: Check = { name: 'lag', gates: 'nothing', check: () => Promise.reject(new Error('slow')) };

/** A check that a test can break. */
function breakable(name: string) {
  let problem: string | undefined;
  const check: Check = {
    name,
    gates: 'ready',
    check: async () => {
      if (problem !== undefined) throw new Error(problem);
      return { roundTripMs: 1 };
    },
  };
  const breakWith = (reason: string | undefined) => {
    problem = reason;
  };
  return { check, breakWith };
}

function sendRaw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

describe('/livez', () => {
  it('says ok in every phase and never asks a check', async () => {
    let asked = 0;
    const check: Check = { name: 'redis', gates: 'ready', check: () => Promise.reject(new Error(`asked ${++asked}`)) };
    const { get, world } = await startOps({}, { checks: [check], isReady: false });
    for (const phase of ['starting', 'ready', 'draining', 'stopped']) {
      world.phase = phase;
      expect(await get('/livez')).toMatchObject({
        status: 200,
        body: { status: 'ok', phase, pod: 'pod-1', version: '1.2.3' },
      });
    }
    expect(asked).toBe(0);
  });
});

describe('/readyz', () => {
  it('says ok and shows only what fails', async () => {
    const { get } = await startOps({}, { checks: [good, noted] });
    expect(await get('/readyz')).toMatchObject({ status: 200 });
    expect((await get('/readyz')).body).toEqual({
      status: 'ok',
      phase: 'ready',
      pod: 'pod-1',
      version: '1.2.3',
      checks: { lag: { ok: false, gates: 'nothing', reason: 'slow' } },
    });
  });

  it.each(['?verbose', '?verbose=1', '?verbose=true', '?x=1&verbose'])('shows all checks with %s', async (query) => {
    const { get } = await startOps({}, { checks: [good, noted] });
    expect((await get(`/readyz${query}`)).body.checks).toEqual({
      keys: { ok: true, gates: 'ready', keys: 2 },
      lag: { ok: false, gates: 'nothing', reason: 'slow' },
    });
  });

  it.each(['?verbose=false', '?verbose=0', '?', '?quiet'])('stays short with %s', async (query) => {
    const { get } = await startOps({}, { checks: [good] });
    expect((await get(`/readyz${query}`)).body.checks).toEqual({});
  });

  it('says 503 as soon as the phase takes readiness away', async () => {
    const { get, world } = await startOps();
    expect((await get('/readyz')).status).toBe(200);
    world.isReady = false;
    world.phase = 'draining';
    expect(await get('/readyz')).toMatchObject({ status: 503, body: { status: 'error', phase: 'draining' } });
    expect((await get('/livez')).status).toBe(200);
  });

  it('says 503 with the reason while a check that gates readiness fails, and recovers', {
    timeout: 15_000,
  }, async () => {
    const { check, breakWith } = breakable('redis');
    const { get } = await startOps({}, { checks: [check, good] });
    breakWith('no canary');
    expect(await get('/readyz')).toMatchObject({
      status: 503,
      body: { status: 'error', checks: { redis: { ok: false, gates: 'ready', reason: 'no canary' } } },
    });
    breakWith(undefined);
    await expect.poll(async () => (await get('/readyz')).status, { timeout: 5_000 }).toBe(200);
  });

  it('leaks no detail of one answer into another', { timeout: 15_000 }, async () => {
    const { check, breakWith } = breakable('redis');
    const { get } = await startOps({}, { checks: [check, good] });
    breakWith('the old reason');
    await get('/readyz?verbose');
    await get('/readyz');
    breakWith(undefined);
    await expect.poll(async () => (await get('/readyz')).status, { timeout: 5_000 }).toBe(200);
    const [live, short, verbose] = await Promise.all([get('/livez'), get('/readyz'), get('/readyz?verbose')]);
    expect(Object.keys(live.body)).toEqual(['status', 'phase', 'pod', 'version']);
    expect(short.body.checks).toEqual({});
    expect(verbose.body.checks).toEqual({
      redis: { ok: true, gates: 'ready', roundTripMs: 1 },
      keys: { ok: true, gates: 'ready', keys: 2 },
    });
    expect(JSON.stringify([live, short, verbose])).not.toContain('the old reason');
  });

  it('answers within its time although a check hangs, and many callers cost one question', async () => {
    let asked = 0;
    const hanging: Check = {
      name: 'redis',
      gates: 'ready',
      check() {
        asked += 1;
        return new Promise<object>(() => undefined);
      },
    };
    const { get } = await startOps({}, { checks: [hanging] });
    const start = performance.now();
    const answers = await Promise.all(Array.from({ length: 20 }, () => get('/readyz')));
    expect(performance.now() - start).toBeLessThan(3_000);
    expect(answers.every(({ status }) => status === 503)).toBe(true);
    expect(answers[0]?.body.checks).toMatchObject({ redis: { reason: 'no answer within 2000 ms' } });
    expect(asked).toBe(1);
  });

  it('is never cached by anyone on the way', async () => {
    const { get } = await startOps();
    for (const path of ['/livez', '/readyz', '/metrics', '/nothing', '/api/v1/rooms']) {
      expect((await get(path)).headers.get('cache-control')).toBe('no-store');
    }
  });
});

describe('/metrics', () => {
  it('answers with the text and its type', async () => {
    const { get } = await startOps();
    const answer = await get('/metrics');
    expect(answer).toMatchObject({ status: 200, body: { text: 'socketfleet_up 1\n' } });
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  it('has asked the checks first, so that the ready gauge says what /readyz says', async () => {
    const { check, breakWith } = breakable('redis');
    const { get, gauges, world } = await startOps({}, { checks: [check] });
    expect(gauges.ready?.()).toBe(true);
    breakWith('away');
    await get('/metrics');
    expect(gauges.ready?.()).toBe(false);
    world.isReady = false;
    expect(gauges.ready?.()).toBe(false);
  });

  it('answers 500 without a word about the fault, which is logged once', async () => {
    const { get, lines } = await startOps({}, { metricsText: () => Promise.reject(new Error('collector broke')) });
    const answer = await get('/metrics');
    expect(answer).toMatchObject({ status: 500, body: { code: 'internal' } });
    expect(JSON.stringify(answer.body)).not.toContain('collector');
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });
});

describe('the internal port', () => {
  it('answers HEAD like GET without a body', async () => {
    const { call } = await startOps({}, { isReady: false });
    expect(await call('HEAD', '/livez')).toMatchObject({ status: 200, body: { text: '' } });
    expect(await call('HEAD', '/readyz')).toMatchObject({ status: 503, body: { text: '' } });
  });

  it('refuses other methods on a path that exists and names the right ones', async () => {
    const { call } = await startOps();
    for (const path of ['/livez', '/readyz', '/metrics']) {
      for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
        const answer = await call(method, path);
        expect(answer).toMatchObject({ status: 405, body: { ok: false, code: 'wrong_method', retry: false } });
        expect(answer.headers.get('allow')).toBe('GET, HEAD');
      }
    }
  });

  it.each(['/', '/livez/', '/LIVEZ', '/healthz', '/socket.io/?EIO=4&transport=polling', '/..%2f', '/%zz'])(
    'does not know %s',
    async (path) => {
      const { get } = await startOps();
      expect(await get(path)).toMatchObject({ status: 404, body: { ok: false, code: 'not_found' } });
    },
  );

  it('serves probes that send no Host, and survives broken requests', async () => {
    const { url, get } = await startOps();
    expect(await sendRaw(url, 'GET /livez HTTP/1.0\r\n\r\n')).toContain('200 OK');
    for (const text of [
      'GET /livez HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n',
      'GET http://[ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      'GET \\ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      'nonsense\r\n\r\n',
    ]) {
      expect(await sendRaw(url, text)).toContain('400 Bad Request');
    }
    expect((await get('/livez')).status).toBe(200);
  });

  it('answers an upgrade like any request: nothing here speaks WebSocket', async () => {
    const { url } = await startOps();
    const status = await new Promise((resolve, reject) => {
      const headers = { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
      const call = request(`${url}/socket.io/?EIO=4&transport=websocket`, { headers }, ({ statusCode }) => {
        call.destroy();
        resolve(statusCode);
      });
      call.on('error', reject).end();
    });
    expect(status).toBe(404);
  });

  it('rejects to start on a port that is taken', async () => {
    const { url } = await startOps();
    await expect(startOps({ port: Number(new URL(url).port) })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('has a URL only while it listens, in brackets where it must be', async () => {
    const { ops, url } = await startOps({ host: '::1' });
    expect(url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    await ops.stop();
    await ops.stop();
    expect(ops.url()).toBeUndefined();
    await expect(fetch(url)).rejects.toThrow();
  });
});
