import { describe, expect, it } from 'vitest';
import { createLog, type LogOptions } from '../../../src/ops/log.ts';
import { Refused } from '../../../src/refusals.ts';

function capture(options: Partial<LogOptions> = {}) {
  const written: string[] = [];
  const log = createLog(
    { level: 'debug', format: 'json', pod: 'pod-1', ...options },
    { write: (line) => void written.push(line) },
  );
  const last = () => JSON.parse(written.at(-1) ?? '{}') as Record<string, unknown>;
  return { log, written, last };
}

describe('the log', () => {
  it('writes one JSON line with level, time, pod and event', () => {
    const { log, written, last } = capture();
    log.info({ clients: 3 }, 'summary');
    expect(written).toHaveLength(1);
    expect(written[0]?.endsWith('\n')).toBe(true);
    expect(last()).toMatchObject({ level: 'info', pod: 'pod-1', clients: 3, msg: 'summary' });
    expect(Date.parse(String(last().time))).not.toBeNaN();
    expect(last()).not.toHaveProperty('worker');
  });

  it('names the worker where there is one', () => {
    const { log, last } = capture({ worker: '2' });
    log.warn({}, 'slow');
    expect(last()).toMatchObject({ pod: 'pod-1', worker: '2' });
  });

  it('writes nothing below its level, and nothing at all when silent', () => {
    const { log, written } = capture({ level: 'warn' });
    log.info({}, 'quiet');
    expect(written).toEqual([]);
    const silent = capture({ level: 'silent' });
    silent.log.fatal({ err: new Error('loud') }, 'loud');
    expect(silent.written).toEqual([]);
  });

  it.each([
    [{ token: 'S3CRET' }],
    [{ auth: { token: 'S3CRET' } }],
    [{ handshake: { auth: { token: 'S3CRET' } } }],
    [{ request: { handshake: { auth: 'S3CRET' } } }],
    [{ headers: { authorization: 'S3CRET', cookie: 'S3CRET', 'set-cookie': ['S3CRET'] } }],
    [{ req: { headers: { authorization: 'S3CRET', cookie: 'S3CRET' }, url: '/socket.io/?sid=S3CRET' } }],
    [{ sid: 'S3CRET' }],
    [{ list: [{ sid: 'S3CRET' }] }],
    [{ query: { sid: 'S3CRET' } }],
    [{ url: '/socket.io/?EIO=4&token=S3CRET' }],
    [{ url: 'redis://user:S3CRET@redis:6379' }],
    [{ url: { href: 'S3CRET' } }],
    [{ password: 'S3CRET', secret: 'S3CRET', apiKey: 'S3CRET' }],
  ])('hides secrets in %j', (fields) => {
    const { log, written } = capture();
    log.info(fields, 'event');
    log.child(fields).info({}, 'of a child');
    expect(written.join('')).not.toContain('S3CRET');
    expect(written.join('')).toContain('[hidden]');
  });

  it('shows addresses, without their secrets', () => {
    const { log, last } = capture();
    log.info({ url: 'http://127.0.0.1:3000' }, 'listening');
    expect(last().url).toBe('http://127.0.0.1:3000');
  });

  it('does not change the object that was logged', () => {
    const { log } = capture();
    const fields = { token: 'kept', headers: { cookie: 'kept' } };
    log.info(fields, 'event');
    expect(fields).toEqual({ token: 'kept', headers: { cookie: 'kept' } });
  });

  it('shows an error with its type, code, stack and the chain of causes', () => {
    const { log, last } = capture();
    const root = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    log.error({ err: new TypeError('no keys', { cause: new Error('fetch failed', { cause: root }) }) }, 'fault');
    expect(last().err).toMatchObject({
      type: 'TypeError',
      message: 'no keys',
      stack: expect.stringContaining('log.test.ts'),
      cause: { message: 'fetch failed', cause: { message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' } },
    });
  });

  it('shows all errors of an aggregate, and survives causes in a circle', () => {
    const { log, last } = capture();
    log.error({ err: new AggregateError([new Error('v6'), new Error('v4')], 'both failed') }, 'fault');
    expect(last().err).toMatchObject({ message: 'both failed', errors: [{ message: 'v6' }, { message: 'v4' }] });
    const circle = new Error('circle');
    circle.cause = circle;
    log.error({ err: circle }, 'fault');
    expect(last().err).toMatchObject({ message: 'circle', cause: { message: 'circle' } });
  });

  it('leaves out what libraries hang on their errors, and scrubs the text', () => {
    const { log, written } = capture();
    const error = Object.assign(
      new Error('GET https://idp/keys?token=S3CRET with Bearer S3CRET at redis://:S3CRET@h'),
      {
        command: { name: 'auth', args: ['S3CRET'] },
        config: { headers: { authorization: 'S3CRET' } },
      },
    );
    log.error({ err: error }, 'fault');
    log.error({ err: new Error('token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl is bad') }, 'fault');
    log.error({ err: new Refused('unauthorized', 'Bearer S3CRET') }, 'fault');
    expect(written.join('')).not.toContain('S3CRET');
    expect(written.join('')).not.toContain('eyJzdWIiOiJtZSJ9');
    expect(written.join('')).toContain('https://idp/keys?[hidden]');
  });

  it('writes a readable line at once when it is pretty', () => {
    const { log, written } = capture({ format: 'pretty' });
    log.info({ clients: 3, token: 'S3CRET' }, 'summary');
    expect(written).toHaveLength(1);
    expect(written[0]).toMatch(/INFO.*summary.*clients/);
    expect(written[0]).not.toContain('S3CRET');
  });
});
