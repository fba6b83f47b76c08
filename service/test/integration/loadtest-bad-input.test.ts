import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server as SocketServer } from 'socket.io';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeCertificates } from '../support/redis/make-certificates.ts';
import { NO_K6, runK6 } from '../support/run-k6.ts';
import { startServer } from '../support/start-server.ts';

const FAN_OUT = 'scenarios/fan-out.js';
const title = (text: string) => (NO_K6 === undefined ? text : `${text} (${NO_K6})`);

async function listen(server: Server, scheme = 'http'): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const answering = (listener: RequestListener) => listen(createServer(listener));

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'socketfleet-loadtest-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe.skipIf(NO_K6 !== undefined)(title('a load test with parameters that cannot be'), () => {
  it.each([
    ['no target', {}, 'URL is missing (-e URL=...): The address under test. There is no default.'],
    [
      'a target that is no address',
      { URL: 'localhost:3000' },
      'URL=localhost:3000 is not an address like http://host:port',
    ],
    ['a target with a path', { URL: 'http://localhost/chat' }, 'URL=http://localhost/chat is not an address'],
    [
      'a number out of range',
      { URL: 'http://127.0.0.1:1', ROOMS: '0' },
      'ROOMS=0 is not a whole number from 1 to 100000',
    ],
    [
      'a number that is none',
      { URL: 'http://127.0.0.1:1', RATE: 'fast' },
      'RATE=fast is not a number from 0.001 to 1000',
    ],
    ['a time without a unit', { URL: 'http://127.0.0.1:1', DURATION: '30' }, 'DURATION=30 is not a time such as 30s'],
    ['an unknown transport', { URL: 'http://127.0.0.1:1', TRANSPORT: 'sse' }, 'TRANSPORT=sse is not one of upgrade'],
    ['a name that is not known', { URL: 'http://127.0.0.1:1', ROOM: '3' }, 'unknown: ROOM (there are URL, SIO_PATH'],
    [
      'a file that is not there',
      { URL: 'http://127.0.0.1:1', TOKEN_FILE: '/nowhere/token' },
      'TOKEN_FILE=/nowhere/token cannot be read',
    ],
  ])('ends before any load, with one line and exit code 107: %s', async (_what, params, line) => {
    const { code, messages, stdout } = await runK6(FAN_OUT, params);
    expect(messages[0]).toContain(`loadtest: ${line}`);
    expect(messages[0]?.trim().split('\n')).toHaveLength(1);
    expect([code, messages.length, stdout]).toEqual([107, 1, '']);
  });

  it('names everything that is wrong at once', async () => {
    const { messages } = await runK6(FAN_OUT, { ROOMS: 'x', SIZE: '-1' });
    expect(messages[0]).toMatch(/URL is missing.*; ROOMS=x is not .*; SIZE=-1 is not /);
  });

  it('asks for the second address where a scenario needs one', async () => {
    const { code, messages } = await runK6('scenarios/soak.js', { URL: 'http://127.0.0.1:1' });
    expect([code, messages[0]]).toEqual([107, expect.stringContaining('METRICS_URL is missing')]);
  });
});

describe.skipIf(NO_K6 !== undefined)(title('a load test whose target cannot be tested'), () => {
  const refusal = async (url: string, params: Record<string, string> = {}, script = FAN_OUT) => {
    const { code, messages, stdout } = await runK6(script, { URL: url, ...params });
    // k6 itself reports each request that got no answer as a warning.
    const [line, ...more] = messages.filter((text) => text !== 'Request Failed');
    expect([code, stdout, more]).toEqual([108, '', []]);
    return line;
  };

  it('says that nobody listens', async () => {
    expect(await refusal('http://127.0.0.1:1')).toMatch(
      /loadtest: http:\/\/127\.0\.0\.1:1 cannot be reached: .*refused/,
    );
    expect(await refusal('http://127.0.0.1:1', { TRANSPORT: 'websocket' })).toContain('cannot be reached');
  });

  it('does not trust a certificate that nobody has signed, unless it is told to', async () => {
    const certificates = await makeCertificates(temporaryFolder());
    const http = createSecureServer({
      key: readFileSync(certificates.serverKeyFile),
      cert: readFileSync(certificates.serverCertFile),
    });
    const io = new SocketServer(http);
    io.on('connection', (socket) => void socket.on('whoami', (ack) => ack({ ok: true, pod: 'tls' })));
    const url = await listen(http, 'https');
    expect(await refusal(url)).toMatch(/certificate that is not trusted here: .*\(-e INSECURE=1 takes it\)/);
    const { code } = await runK6('scenarios/connect-ramp.js', { URL: url, INSECURE: '1', SOCKETS: '2', HOLD: '1s' });
    expect(code).toBe(0);
  });

  it('never follows a redirection to another address', async () => {
    let strangers = 0;
    const other = await answering((_request, response) => {
      strangers++;
      response.end();
    });
    const url = await answering((_request, response) =>
      response.writeHead(302, { location: `${other}/socket.io/` }).end(),
    );
    expect(await refusal(url)).toContain('answers with a redirection (HTTP 302), which a load test does not follow');
    expect(strangers).toBe(0);
  });

  it('says that there is no Socket.IO, or none at this path', async () => {
    const url = await answering((_request, response) => response.writeHead(404).end('no'));
    expect(await refusal(url)).toContain(`there is no Socket.IO at ${url}/socket.io (HTTP 404)`);
    const page = await answering((_request, response) => response.end('<html>'));
    expect(await refusal(page)).toContain(`what answers at ${page}/socket.io is not Socket.IO`);
    expect(await refusal(page, { TRANSPORT: 'websocket' })).toContain('refuses the WebSocket');
    const { url: gateway } = await startServer();
    expect(await refusal(gateway, { SIO_PATH: '/elsewhere' })).toContain('(HTTP 404)');
  });

  it('says that the token is missing or wrong, and never shows it', async () => {
    const { url } = await startServer({
      SOCKETFLEET_AUTH: 'jwt',
      SOCKETFLEET_JWT_SECRET: '0123456789abcdef0123456789abcdef',
    });
    expect(await refusal(url)).toMatch(/refuses the client: .*\(-e TOKEN=\.\.\. or -e TOKEN_FILE=\.\.\.\)/);
    const file = join(temporaryFolder(), 'token');
    writeFileSync(file, 'not-a-token\n');
    const line = await refusal(url, { TOKEN_FILE: file });
    expect(line).toContain('refuses the client');
    expect(line).not.toContain('not-a-token');
  });

  it('says that another application answers', async () => {
    const http = createServer();
    new SocketServer(http);
    const url = await listen(http);
    expect(await refusal(url)).toContain('does not answer whoami: the gateway is what is tested');
  });

  it('says that there is no way to upgrade', async () => {
    const http = createServer();
    new SocketServer(http, { transports: ['polling'] });
    const url = await listen(http);
    expect(await refusal(url)).toContain('does not upgrade to WebSocket; -e TRANSPORT=polling tests what it does');
  });

  it('says that METRICS_URL shows no memory', async () => {
    const { url, internalUrl } = await startServer();
    const params = { METRICS_URL: `${internalUrl}/readyz` };
    expect(await refusal(url, params, 'scenarios/soak.js')).toContain('does not show process_resident_memory_bytes');
  });
});
