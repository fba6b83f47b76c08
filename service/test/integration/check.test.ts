import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { runAll, runCheck } from '../../src/cli/check.ts';
import type { CheckContext } from '../../src/cli/check-context.ts';
import type { CheckName } from '../../src/cli/check-options.ts';
import { borrowRedis } from '../support/redis/borrow-redis.ts';
import { API_KEY, type StartedServer, startServer } from '../support/start-server.ts';

const SECRET = 'a-shared-secret-of-more-than-32-bytes';

function addressOf({ url, internalUrl }: { url: string; internalUrl: string }) {
  return { publicUrl: url, internalUrl };
}

function contextOf(servers: readonly StartedServer[], more: Partial<CheckContext> = {}): CheckContext {
  const [first] = servers;
  return {
    url: first?.url ?? '',
    api: first?.internalUrl ?? '',
    apiKey: API_KEY,
    token: undefined,
    patienceMs: 2_000,
    findServers: async () => servers.map(addressOf),
    ...more,
  };
}

async function check(names: readonly CheckName[], context: CheckContext) {
  const lines: string[] = [];
  const code = await runAll(names, context, { out: (text) => void lines.push(text) });
  return { code, lines };
}

/** Something that listens and is no server of ours. */
async function startStranger(answer: RequestListener): Promise<string> {
  const stranger = createServer(answer);
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void stranger.close());
  return `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
}

test('one server without Redis passes every check, with a token that the command mints itself', async () => {
  const server = await startServer({ SOCKETFLEET_AUTH: 'jwt', SOCKETFLEET_JWT_SECRET: SECRET });
  const lines: string[] = [];
  const code = await runCheck(
    [
      'all',
      `--url=${server.url}`,
      `--api=${server.internalUrl}`,
      '--servers=127.0.0.1',
      `--port=${new URL(server.url).port}`,
      `--internal-port=${new URL(server.internalUrl).port}`,
    ],
    {
      out: (text) => void lines.push(text),
      err: (text) => void lines.push(text),
      env: { SOCKETFLEET_JWT_SECRET: SECRET, SOCKETFLEET_API_KEY: API_KEY },
    },
  );
  expect(lines.slice(0, -1).map((line) => line.replace(/:.*/, ''))).toEqual([
    'ok      affinity',
    'ok      broadcast',
    'ok      redis',
    'ok      readiness',
    'ok      publish',
  ]);
  expect(lines.at(-1)).toBe('5 passed, 0 failed');
  expect(code).toBe(0);
});

test('two servers that share a Redis pass, and the message really goes from one to the other', async () => {
  const { url, prefix } = await borrowRedis();
  const settings = { REDIS_URL: url, SOCKETFLEET_REDIS_PREFIX: prefix };
  const servers = [
    await startServer({ ...settings, SOCKETFLEET_POD: 'pod-a' }),
    await startServer({ ...settings, SOCKETFLEET_POD: 'pod-b' }),
  ];
  const { code, lines } = await check(['broadcast', 'redis', 'readiness'], contextOf(servers));
  expect(lines).toEqual([
    expect.stringMatching(/^ok {6}broadcast: a message went from pod-[ab] to pod-[ab]$/),
    expect.stringMatching(/^ok {6}redis: 2 of 2 servers reach it, there and back in [\d.]+ ms at most$/),
    'ok      readiness: 2 of 2 servers say that they are ready, and take clients',
    '3 passed, 0 failed',
  ]);
  expect(code).toBe(0);
});

test('two servers that cannot hear each other fail, with a reason', async () => {
  const servers = [await startServer({ SOCKETFLEET_POD: 'pod-a' }), await startServer({ SOCKETFLEET_POD: 'pod-b' })];
  const { code, lines } = await check(['broadcast', 'redis'], contextOf(servers, { patienceMs: 300 }));
  expect(lines).toEqual([
    'FAILED  broadcast: no message came within 0.3 s',
    'FAILED  redis: pod-a has no Redis, but there are 2 servers',
    '0 passed, 2 failed',
  ]);
  expect(code).toBe(1);
});

test('affinity fails when polling and upgrade reach different servers', async () => {
  const [one, other] = [await startServer(), await startServer()];
  let turn = 0;
  const url = await startStranger((request, response) => {
    const target = turn++ % 2 === 0 ? one.url : other.url;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => void chunks.push(chunk));
    request.on('end', async () => {
      const body = chunks.length === 0 ? {} : { body: Buffer.concat(chunks) };
      const answer = await fetch(`${target}${request.url}`, { method: request.method ?? 'GET', ...body });
      response.writeHead(answer.status);
      response.end(await answer.text());
    });
  });
  const { code, lines } = await check(['affinity'], contextOf([one], { url, patienceMs: 500 }));
  expect(lines[0]).toMatch(/^FAILED {2}affinity: session 1 of 20 through .*(400|upgrade|polling|within)/);
  expect(code).toBe(1);
});

test('a client without the token that it needs is told so', async () => {
  const server = await startServer({ SOCKETFLEET_AUTH: 'jwt', SOCKETFLEET_JWT_SECRET: SECRET });
  const { lines } = await check(['affinity'], contextOf([server]));
  expect(lines[0]).toMatch(/^FAILED {2}affinity: session 1 of 20 .*unauthorized/);
});

test('readiness fails when a probe and its report, or the metric, contradict each other', async () => {
  const lie = (readyz: number, report: object, ready: number): RequestListener => {
    return (request, response) => {
      const path = request.url?.split('?')[0];
      response.writeHead(path === '/readyz' ? readyz : 200);
      response.end(path === '/metrics' ? `socketfleet_ready ${ready}\n` : JSON.stringify(report));
    };
  };
  const failing = { redis: { ok: false, gates: 'ready', reason: 'cut off from Redis' } };
  for (const [answer, problem] of [
    [lie(200, { pod: 'liar', status: 'error' }, 1), 'liar: /readyz is 200, but its report says error'],
    [lie(200, { pod: 'liar', status: 'ok', checks: failing }, 1), 'liar: ready although redis fails'],
    [lie(503, { pod: 'liar', status: 'error' }, 1), 'liar: /readyz is 503, but the metric says 1'],
    [lie(503, { pod: 'shy', status: 'error' }, 0), 'none of 1 servers is ready'],
  ] as const) {
    const internalUrl = await startStranger(answer);
    const findServers = async () => [{ publicUrl: internalUrl, internalUrl }];
    const { lines } = await check(['readiness'], contextOf([], { findServers, patienceMs: 100 }));
    expect(lines[0]).toBe(`FAILED  readiness: ${problem}`);
  }
});

test('a server that is cut off from Redis fails the check of Redis by name', async () => {
  const report = {
    pod: 'pod-c',
    status: 'error',
    checks: { redis: { ok: false, gates: 'ready', reason: 'cut off from Redis' } },
  };
  const internalUrl = await startStranger((_, response) => void response.end(JSON.stringify(report)));
  const findServers = async () => [{ publicUrl: internalUrl, internalUrl }];
  const { lines } = await check(['redis'], contextOf([], { findServers, patienceMs: 100 }));
  expect(lines[0]).toBe('FAILED  redis: pod-c: cut off from Redis');
});

test('publish fails on a key that the servers do not take, and on an API that is off', async () => {
  const server = await startServer();
  const wrong = await check(['publish'], contextOf([server], { apiKey: 'another-key-0123456789' }));
  expect(wrong.lines[0]).toBe(`FAILED  publish: ${server.internalUrl} answers 401 to a publish`);
  const silent = await startServer({ SOCKETFLEET_API_KEY: '' });
  const off = await check(['publish'], contextOf([silent]));
  expect(off.lines[0]).toBe('FAILED  publish: a wrong key is answered 404 instead of 401');
});

test('publish passes without a key only when the API is off', async () => {
  const silent = await startServer({ SOCKETFLEET_API_KEY: '' });
  const off = await check(['publish'], contextOf([silent], { apiKey: undefined }));
  expect(off.lines[0]).toBe('ok      publish: the HTTP API is off');
  const open = await startServer();
  const on = await check(['publish'], contextOf([open], { apiKey: undefined }));
  expect(on.lines[0]).toMatch(/^FAILED {2}publish: there is no key, but .* answers 401 instead of 404$/);
});

test('a server that does not answer is named once patience has ended', async () => {
  const findServers = async () => [{ publicUrl: 'http://127.0.0.1:9', internalUrl: 'http://127.0.0.1:9' }];
  const { lines } = await check(['redis'], contextOf([], { findServers, patienceMs: 100 }));
  expect(lines[0]).toMatch(/^FAILED {2}redis: http:\/\/127\.0\.0\.1:9\/\S+ does not answer/);
});
