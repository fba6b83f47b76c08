import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { KEY, startOps } from './ops-rig.ts';

const MESSAGE = '{"room":"a","data":1}';
const HEAD = (length: string) =>
  `POST /api/v1/publish HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${KEY}\r\nContent-Type: application/json\r\n${length}\r\n\r\n`;

/** Opens a connection, sends a text, and collects what comes back. */
async function open(url: string, text: string): Promise<{ socket: Socket; answer(): string; isClosed(): boolean }> {
  const { hostname, port } = new URL(url);
  let answer = '';
  let isClosed = false;
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.on('data', (chunk) => {
    answer += chunk.toString();
  });
  socket.on('close', () => {
    isClosed = true;
  });
  // A server that cuts the connection while we write is what some tests wait for.
  socket.on('error', () => undefined);
  socket.write(text);
  return { socket, answer: () => answer, isClosed: () => isClosed };
}

describe('a body that is not what it should be', () => {
  it.each<[string, string]>([
    ['', 'body: is missing'],
    ['   ', 'body: is missing'],
    ['{', 'body: is not JSON'],
    ['{"room":"a","data":1}}', 'body: is not JSON'],
    ["{'room':'a'}", 'body: is not JSON'],
    ['undefined', 'body: is not JSON'],
    ['[]', 'body: must be an object'],
    ['null', 'body: must be an object'],
    ['"text"', 'body: must be an object'],
  ])('is refused: %j', async (body, message) => {
    const { post, published } = await startOps();
    const answer = await post('/api/v1/publish', body);
    expect(answer).toMatchObject({ status: 400, body: { ok: false, code: 'bad_request' } });
    expect(answer.body.message).toContain(message);
    expect(published).toEqual([]);
  });

  it.each([undefined, 'text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', 'multipart/form-data'])(
    'is refused with the type %s',
    async (type) => {
      const { call } = await startOps();
      const answer = await call('POST', '/api/v1/publish', {
        body: new TextEncoder().encode(MESSAGE),
        headers: type === undefined ? {} : { 'content-type': type },
      });
      expect(answer).toMatchObject({ status: 400, body: { code: 'bad_request' } });
      expect(answer.body.message).toContain('content-type: must be application/json');
    },
  );

  it('is refused when it is not UTF-8, or compressed', async () => {
    const { call } = await startOps();
    const json = { 'content-type': 'application/json' };
    const latin = await call('POST', '/api/v1/publish', {
      body: Buffer.from('{"room":"gr\xfcn","data":1}', 'latin1'),
      headers: json,
    });
    expect(latin.body.message).toContain('body: is not UTF-8');
    const zipped = await call('POST', '/api/v1/publish', {
      body: gzipSync(MESSAGE),
      headers: { ...json, 'content-encoding': 'gzip' },
    });
    expect(zipped.body.message).toContain('content-encoding: ');
    expect([latin.status, zipped.status]).toEqual([400, 400]);
  });

  it('is refused when its data is nested beyond reason, which overflows nobody', async () => {
    const { post, get } = await startOps({ apiMaxBodyBytes: 1_000_000 });
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const answer = await post('/api/v1/publish', `{"room":"a","data":${deep}}`);
    expect(answer).toMatchObject({ status: 400, body: { code: 'bad_request' } });
    expect((await get('/livez')).status).toBe(200);
  });

  it('cannot smuggle fields in through __proto__', async () => {
    const { post, published } = await startOps();
    const answer = await post('/api/v1/publish', '{"room":"a","data":1,"__proto__":{"event":"x"}}');
    expect(answer.body.message).toContain('__proto__: is not a field');
    await post('/api/v1/publish', '{"room":"a","data":{"__proto__":{"polluted":true}}}');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(published).toHaveLength(1);
  });
});

describe('a body that is too large', () => {
  it('is refused by its announced length, before it is read', async () => {
    const { url, published, counted } = await startOps();
    const { answer, isClosed } = await open(url, HEAD('Content-Length: 1000000000'));
    await eventually(() => answer().includes('\r\n\r\n') && isClosed(), 'an answer and the end');
    expect(answer()).toMatch(/^HTTP\/1.1 413 /);
    expect(answer()).toMatch(/^connection: close$/im);
    expect(answer()).toContain('"code":"too_large"');
    expect(answer()).toContain('body: more than 10000 bytes');
    expect(published).toEqual([]);
    expect(counted).toEqual(['/api/v1/publish 413']);
  });

  it('is refused while it streams in without a length, and the rest is not taken in', async () => {
    const { url, get } = await startOps();
    let sent = 0;
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
      const call = request(`${url}/api/v1/publish`, { method: 'POST', headers }, ({ statusCode }) => {
        resolve(statusCode);
        call.destroy();
      });
      call.on('error', reject);
      const more = () => {
        if (call.destroyed) return;
        sent += 4_000;
        call.write('x'.repeat(4_000), () => setImmediate(more));
      };
      more();
    });
    expect(status).toBe(413);
    expect(sent).toBeLessThan(20_000_000);
    expect((await get('/livez')).status).toBe(200);
  });

  it('is taken up to the last byte that is allowed', async () => {
    const { post } = await startOps({ apiMaxBodyBytes: 200 });
    const withLength = (length: number) => `{"room":"a","data":"${'x'.repeat(length - 22)}"}`;
    expect(withLength(200)).toHaveLength(200);
    expect((await post('/api/v1/publish', withLength(200))).status).toBe(200);
    expect((await post('/api/v1/publish', withLength(201))).status).toBe(413);
  });
});

describe('a client that takes its time', () => {
  it('is cut when its body does not arrive, and that is no fault', async () => {
    const { url, published, lines, get } = await startOps({ requestTimeoutMs: 500 });
    const { socket, isClosed } = await open(url, `${HEAD('Content-Length: 9000')}{"room":`);
    const drip = setInterval(() => socket.write(' '), 50);
    onTestFinished(() => clearInterval(drip));
    await eventually(isClosed, 'the cut', 5_000);
    expect(published).toEqual([]);
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
    expect((await get('/livez')).status).toBe(200);
  });

  it('is cut when its headers do not arrive', async () => {
    const { url } = await startOps({ requestTimeoutMs: 500 });
    const { socket, answer, isClosed } = await open(url, 'GET /livez HTTP/1.1\r\n');
    const drip = setInterval(() => socket.write('X-Drip: 1\r\n'), 50);
    onTestFinished(() => clearInterval(drip));
    await eventually(isClosed, 'the cut', 5_000);
    expect(answer()).toContain('408');
  });

  it('may leave in the middle of its body without a trace', async () => {
    const { url, published, counted, lines } = await startOps();
    const { socket } = await open(url, `${HEAD('Content-Length: 100')}{"room":`);
    await eventually(async () => (await fetch(`${url}/livez`)).ok);
    socket.destroy();
    await eventually(() => counted.includes('/api/v1/publish 400'), 'the count');
    expect(published).toEqual([]);
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('does not hold up the end of the port', async () => {
    const { url, ops } = await startOps();
    await open(url, `${HEAD('Content-Length: 100')}{"room":`);
    await open(url, 'GET /livez HTTP/1.1\r\nHost: x\r\n');
    await eventually(async () => (await fetch(`${url}/livez`)).ok);
    const start = performance.now();
    await ops.stop();
    expect(performance.now() - start).toBeLessThan(3_000);
  });
});
