/** The page at `/` with which one tries a server in a browser. Everything it needs comes from here. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Answers a request that is for the page, and says whether it was. */
export type DemoPage = (req: IncomingMessage, res: ServerResponse) => boolean;

interface Asset {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#2b6a5f"/><g fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round"><path d="M7 12c3-3 6-3 9 0s6 3 9 0"/><path d="M7 20c3-3 6-3 9 0s6 3 9 0"/></g></svg>`;

/** Reads the page's files; throws when they are not where the build puts them. */
export function createDemoPage(): DemoPage {
  // Browsers hash what the HTML parser hands them, and that knows only one kind of line end.
  const html = readFileSync(new URL('./demo/index.html', import.meta.url), 'utf8').replaceAll('\r\n', '\n');
  // Only the larger build is named in the package's exports; the other one lies beside it.
  const larger = createRequire(import.meta.url).resolve('socket.io-client/dist/socket.io.js');
  const client = join(dirname(larger), 'socket.io.min.js');
  const assets = new Map<string, Asset>([
    ['/', asset(html, 'text/html; charset=utf-8', { 'content-security-policy': policyFor(html) })],
    ['/demo/socket.io.js', asset(readFileSync(client), 'text/javascript; charset=utf-8')],
    ['/favicon.ico', asset(ICON, 'image/svg+xml')],
  ]);
  return (req, res) => {
    const found = assets.get((req.url ?? '').split('?', 1)[0] ?? '');
    if (found === undefined) return false;
    answer(req, res, found);
    return true;
  };
}

function answer(req: IncomingMessage, res: ServerResponse, { body, headers }: Asset): void {
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    res.writeHead(405, { allow: 'GET, HEAD' }).end();
  } else if (req.headers['if-none-match'] === headers.etag) {
    res.writeHead(304, headers).end();
  } else {
    res.writeHead(200, { ...headers, 'content-length': body.byteLength }).end(req.method === 'HEAD' ? undefined : body);
  }
}

function asset(content: string | Buffer, type: string, more: Record<string, string> = {}): Asset {
  const body = Buffer.from(content);
  return {
    body,
    headers: {
      'content-type': type,
      'cache-control': 'no-cache',
      etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      ...more,
    },
  };
}

/** Only the page's own script and style run, and it talks to nobody but Socket.IO servers. */
function policyFor(html: string): string {
  return [
    "default-src 'none'",
    `script-src 'self' ${hashes(html, 'script')}`,
    `style-src ${hashes(html, 'style')}`,
    "connect-src 'self' ws: wss:",
    "img-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function hashes(html: string, tag: 'script' | 'style'): string {
  const inline = html.matchAll(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`, 'g'));
  return [...inline].map(([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`).join(' ');
}
