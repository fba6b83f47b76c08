import { createHash } from 'node:crypto';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createDemoPage } from '../../../src/realtime/demo-page.ts';

const page = createDemoPage();

/** Asks the page without a network. `undefined` when the request is none of its business. */
function ask(url: string, { method = 'GET', headers = {} as Record<string, string> } = {}) {
  const req = Object.assign(new IncomingMessage(new Socket()), { url, method, headers });
  const res = new ServerResponse(req);
  let body = '';
  res.end = ((chunk?: Buffer) => {
    body = chunk?.toString() ?? '';
    return res;
  }) as typeof res.end;
  let sent: Record<string, unknown> = {};
  res.writeHead = ((status: number, fields: Record<string, unknown>) => {
    res.statusCode = status;
    sent = fields;
    return res;
  }) as typeof res.writeHead;
  return page(req, res) ? { status: res.statusCode, headers: sent, body } : undefined;
}

describe('the demo page', () => {
  test.each([
    ['/', 'text/html; charset=utf-8'],
    ['/?room=tea&name=ada', 'text/html; charset=utf-8'],
    ['/demo/socket.io.js', 'text/javascript; charset=utf-8'],
    ['/favicon.ico', 'image/svg+xml'],
  ])('answers %s with %s', (url, type) => {
    const answer = ask(url);
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'content-type': type, 'x-content-type-options': 'nosniff' },
    });
    expect(answer?.headers['content-length']).toBe(Buffer.byteLength(answer?.body ?? ''));
  });

  test.each(['/socket.io/', '/demo', '/demo/../main.js', '/index.html', '//', ''])('leaves %j to others', (url) => {
    expect(ask(url)).toBeUndefined();
  });

  test('its policy allows its own script and style by hash, and no other inline code', () => {
    const answer = ask('/');
    const policy = String(answer?.headers['content-security-policy']);
    for (const tag of ['script', 'style']) {
      const text = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(answer?.body ?? '')?.[1] ?? '';
      const hash = createHash('sha256').update(text).digest('base64');
      expect(policy).toMatch(new RegExp(`${tag}-src [^;]*'sha256-${hash.replaceAll(/[+/]/g, '\\$&')}'`));
    }
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
  });

  test('it brings everything along: no address of another host, no inline handler or style attribute', () => {
    const html = ask('/')?.body ?? '';
    expect(html.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect(html).not.toMatch(/\son\w+="|\sstyle="/);
  });

  test('HEAD has no body, an unchanged page is not sent again, other methods are refused', () => {
    const etag = String(ask('/')?.headers.etag);
    expect(ask('/', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
    expect(ask('/', { headers: { 'if-none-match': etag } })).toMatchObject({ status: 304, body: '' });
    expect(ask('/', { method: 'POST' })).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  });
});
