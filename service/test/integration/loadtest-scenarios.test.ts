import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect as connectTo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { App } from '../../src/contracts.ts';
import { eventually } from '../support/eventually.ts';
import { NO_K6, runK6 } from '../support/run-k6.ts';
import { freePorts } from '../support/start-process.ts';
import { startServer } from '../support/start-server.ts';

const title = (text: string) => (NO_K6 === undefined ? text : `${text} (${NO_K6})`);
/** A crowd of two rooms that two VUs share; the machine of the tests is shared, too. */
const SMALL = {
  ROOMS: '2',
  MEMBERS: '6',
  PER_VU: '5',
  RAMP: '40',
  RATE: '5',
  DURATION: '3s',
  SETTLE: '3s',
  MAX_LAG_MS: '2000',
};

interface Result {
  readonly verdict: string;
  readonly checks: readonly { readonly metric: string; readonly ok: boolean; readonly actual: number }[];
  readonly values: Readonly<Record<string, number>>;
  readonly pods: readonly { readonly name: string; readonly connections: number }[];
  readonly params: Readonly<Record<string, unknown>>;
}

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly messages: readonly string[];
  readonly result: Result;
  readonly html: string;
  /** Metrics whose checks failed. */
  readonly failed: readonly string[];
}

async function run(scenario: string, url: string, params: Record<string, string>): Promise<Finished> {
  const folder = mkdtempSync(join(tmpdir(), 'socketfleet-loadtest-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const { code, stdout, messages, stderr } = await runK6(`scenarios/${scenario}.js`, {
    URL: url,
    OUT: folder,
    ...params,
  });
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  if (!stdout.includes('verdict:')) throw new Error(`no verdict (exit code ${code}):\n${stderr}\n${stdout}`);
  const result = JSON.parse(read('result.json')) as Result;
  const failed = result.checks.filter(({ ok }) => !ok).map(({ metric }) => metric);
  return { code, stdout, messages, result, html: read('report.html'), failed };
}

/** The gateway as far as a crowd needs it, with something wrong in how `n` reaches the `index`-th member. */
function faulty(deliver: (send: () => void, n: number, index: number) => void): App {
  return (io) => {
    io.on('connection', (socket) => {
      socket.on('whoami', (ack) => ack({ ok: true, id: socket.id, pod: 'faulty', recovered: socket.recovered }));
      socket.on('join', async (rooms, ack) => {
        await socket.join(rooms);
        ack({ ok: true, rooms });
      });
      socket.on('publish', (room, data, ack) => {
        const members = [...(io.sockets.adapter.rooms.get(room) ?? [])];
        for (const [index, id] of members.entries()) {
          deliver(() => io.sockets.sockets.get(id)?.emit('message', data, { room }), data.n, index);
        }
        ack?.({ ok: true });
      });
    });
  };
}

/** Passes each connection to the next of some ports, as a balancer without affinity does. */
async function roundRobin(urls: readonly string[]): Promise<string> {
  let turn = 0;
  const server = createTcpServer((socket) => {
    const target = connectTo(Number(new URL(urls[turn++ % urls.length] ?? '').port), '127.0.0.1');
    socket.pipe(target).pipe(socket);
    for (const [one, other] of [
      [socket, target],
      [target, socket],
    ] as const) {
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Passes each request to the next server. */
async function roundRobinOfRequests(urls: readonly string[]): Promise<string> {
  let turn = 0;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = 'GET' } = request;
    const answer = await fetch(`${urls[turn++ % urls.length]}${request.url}`, {
      method,
      ...(method === 'POST' ? { body: Buffer.concat(chunks) } : {}),
    }).catch(() => undefined);
    response.writeHead(answer?.status ?? 502).end(await answer?.text());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe.skipIf(NO_K6 !== undefined)(title('a load test of a server that does what it should'), () => {
  it.each(['upgrade', 'websocket', 'polling'])(
    'fan-out over %s passes with every pair delivered',
    async (TRANSPORT) => {
      const { url } = await startServer({ SOCKETFLEET_POD: 'pod-one' });
      const { code, stdout, result, html } = await run('fan-out', url, { ...SMALL, TRANSPORT });
      expect([code, result.verdict, result.pods]).toEqual([0, 'passed', [{ name: 'pod-one', connections: 12 }]]);
      const { sio_sent = 0, sio_expected, sio_delivered, sio_arrived, sio_lost, sio_duplicated } = result.values;
      expect(sio_sent).toBeGreaterThan(20);
      expect([sio_expected, sio_delivered, sio_arrived, sio_lost, sio_duplicated]).toEqual([
        sio_sent * 6,
        sio_sent * 6,
        sio_sent * 6,
        0,
        0,
      ]);
      expect(stdout).toContain('verdict: PASSED');
      // Self-contained: nothing is fetched.
      expect(html).toContain('<svg');
      expect(html).not.toMatch(/<script|<link|src=|@import/);
    },
  );

  it.each([
    ['connect-ramp', { SOCKETS: '20', HOLD: '1s', PER_VU: '8' }],
    ['chatty', { PAIRS: '6', RATE: '3', DURATION: '2s', SETTLE: '3s', PER_VU: '5' }],
    ['polling-affinity', { SOCKETS: '10', ASKS: '3', DURATION: '2s', PER_VU: '5' }],
    ['room-churn', { SOCKETS: '10', ROOMS: '3', HOPS: '1', RATE: '5', DURATION: '5s', SETTLE: '2s', PER_VU: '5' }],
    ['reconnect-storm', { ...SMALL, DURATION: '4s', SETTLE: '10s' }],
    ['slow-readers', { ...SMALL, SIZE: '4000', SLOW: '3' }],
  ])('%s passes', async (scenario, params) => {
    const { url } = await startServer({ SOCKETFLEET_RECOVERY: 'on' });
    const { code, result, failed } = await run(scenario, url, { MAX_LAG_MS: '2000', ...params });
    expect([code, result.verdict, failed]).toEqual([0, 'passed', []]);
  });

  it('soak passes, and shows the memory of the server', async () => {
    const { url, internalUrl } = await startServer();
    const METRICS_URL = `${internalUrl}/metrics`;
    const params = { ...SMALL, DURATION: '7s', STAY_S: '0.5', GROWTH: '10000', METRICS_URL };
    const { code, result, html } = await run('soak', url, params);
    expect([code, result.verdict]).toEqual([0, 'passed']);
    expect(result.values.sio_memory).toMatchObject({ min: expect.any(Number) });
    expect(html).toContain('Memory of the server');
  });
});

describe.skipIf(NO_K6 !== undefined)(title('a load test of a server that does not'), () => {
  it('counts exactly what never came', async () => {
    const app = faulty((send, n, index) => {
      if (!(n === 3 && index === 2) && !(n === 5 && index < 2)) send();
    });
    const { url } = await startServer({}, app);
    const { code, result, failed, html } = await run('fan-out', url, SMALL);
    // Three pairs in each of two rooms.
    const { sio_lost, sio_lost_connected, sio_expected = 0, sio_delivered } = result.values;
    expect([sio_lost, sio_lost_connected, sio_delivered]).toEqual([6, 6, sio_expected - 6]);
    expect([code, result.verdict, failed]).toEqual([99, 'failed', ['sio_lost']]);
    expect(html).toContain('expected, never delivered: <b>6</b>');
  });

  it('counts the last message of a room, too, when only that is missing', async () => {
    const sent = new Map<string, number>();
    const app = faulty((send, n) => {
      sent.set('last', Math.max(n ?? 0, sent.get('last') ?? 0));
      if (n !== 9) send();
    });
    const { url } = await startServer({}, app);
    const { code, result } = await run('fan-out', url, { ...SMALL, RATE: '5', DURATION: '2s' });
    expect([code, result.values.sio_lost]).toEqual([99, 12]);
  });

  it('counts what came twice, and what came late', async () => {
    let held: (() => void) | undefined;
    const app = faulty((send, n, index) => {
      if (n === 4 && index === 1) held = send;
      else send();
      if (n === 6 && index === 0) send();
      if (n === 5 && index === 1) held?.();
    });
    const { url } = await startServer({}, app);
    const { code, result, failed } = await run('fan-out', url, { ...SMALL, ROOMS: '1' });
    expect([result.values.sio_duplicated, result.values.sio_out_of_order, result.values.sio_lost]).toEqual([1, 1, 0]);
    expect([code, failed]).toEqual([99, ['sio_duplicated', 'sio_out_of_order']]);
  });

  it('counts nothing that it did not send, and says so', async () => {
    const app = faulty((send) => send());
    const { url } = await startServer({}, (io, services) => {
      app(io, services);
      io.on('connection', (socket) => void setTimeout(() => socket.emit('message', { n: 1 }, { room: 'other' }), 500));
    });
    const { code, result, failed } = await run('fan-out', url, SMALL);
    expect([result.values.sio_alien, result.values.sio_delivered]).toEqual([12, result.values.sio_expected]);
    expect([code, failed]).toEqual([99, ['sio_alien']]);
  });

  it('says which messages the server refused, and expects nobody to get them', async () => {
    const { url } = await startServer({ SOCKETFLEET_MESSAGES_PER_SECOND: '0' }, (io) => {
      faulty((send) => send())(io, undefined as never);
      io.on('connection', (socket) => {
        const publish = socket.listeners('publish')[0] as (...args: unknown[]) => void;
        socket.removeAllListeners('publish');
        socket.on('publish', (room, data, ack) => {
          // Last words have no number.
          if (data.n % 2 !== 1) publish(room, data, ack);
          else ack({ ok: false, code: 'rate_limited', message: 'too many messages; slow down', retry: true });
        });
      });
    });
    const { result, messages } = await run('fan-out', url, SMALL);
    const { sio_sent = 0, sio_publish_refused = 0, sio_expected, sio_lost } = result.values;
    expect(sio_publish_refused).toBeGreaterThan(10);
    expect([sio_expected, sio_lost]).toEqual([(sio_sent - sio_publish_refused) * 6, 0]);
    expect(messages).toContain('loadtest: the server refused a publish: rate_limited: too many messages; slow down');
  });

  it('polling-affinity fails through a balancer without affinity', async () => {
    const servers = await Promise.all(['a', 'b'].map((pod) => startServer({ SOCKETFLEET_POD: pod })));
    const url = await roundRobinOfRequests(servers.map((server) => server.url));
    const { code, messages } = await runK6('scenarios/polling-affinity.js', { URL: url, SOCKETS: '6', DURATION: '1s' });
    // The probe sees it, before any load.
    expect(code).toBe(108);
    expect(messages[0]).toContain('requests of one session do not reach the same pod');
  });

  it('shows how the connections are spread over pods', async () => {
    const servers = await Promise.all(['pod-a', 'pod-b'].map((pod) => startServer({ SOCKETFLEET_POD: pod })));
    const url = await roundRobin(servers.map((server) => server.url));
    const params = { TRANSPORT: 'websocket', SOCKETS: '20', HOLD: '1s', MAX_LAG_MS: '2000' };
    const { code, result, stdout } = await run('connect-ramp', url, params);
    expect([code, result.pods.map(({ name }) => name)]).toEqual([0, ['pod-a', 'pod-b']]);
    expect(result.pods.map(({ connections }) => connections)).toEqual([10, 10]);
    expect(stdout).toContain('pod-a 10, pod-b 10');
  });
});

describe.skipIf(NO_K6 !== undefined)(
  title('a load test during which the server is replaced'),
  { timeout: 60_000 },
  () => {
    const PARAMS = { ...SMALL, DURATION: '6s', SETTLE: '6s', TRANSPORT: 'websocket' };

    /** Runs rollout while the server on one port is replaced by another, whose pod has another name. */
    async function replaced(params: Record<string, string>): Promise<Finished> {
      const [port = 0] = await freePorts(1);
      const env = { PORT: String(port), SOCKETFLEET_DRAIN_DEADLINE_MS: '100' };
      const first = await startServer({ ...env, SOCKETFLEET_POD: 'fleet-6f9c5d7b8-x7k2p' });
      const going = run('rollout', first.url, { ...PARAMS, ...params });
      await eventually(
        async () => /socketfleet_answers_total\{event="publish",code="ok"\} [1-9]\d/.test(await first.metrics()),
        'the first ten messages',
        15_000,
      );
      await first.server.stop();
      await startServer({ ...env, SOCKETFLEET_POD: 'fleet-7d44bc99f-q9x8z' });
      return going;
    }

    it('passes when everybody comes back and lost only what was sent meanwhile', async () => {
      const { code, result, failed } = await replaced({ EXPECT: 'reconnected' });
      expect([code, failed]).toEqual([0, []]);
      expect(result.values.sio_outages).toBe(12);
      expect(result.pods).toMatchObject([
        { name: 'fleet-6f9c5d7b8-x7k2p', connections: 12 },
        { name: '…c99f-q9x8z', connections: 12 },
      ]);
    });

    it('fails when clients were to be recovered', async () => {
      const { code, failed } = await replaced({ EXPECT: 'recovered' });
      expect(code).toBe(99);
      expect(failed).toContain('sio_recovered');
    });

    it('fails when nothing was replaced: it has tested nothing', async () => {
      const { url } = await startServer();
      const { code, failed } = await run('rollout', url, { ...PARAMS, DURATION: '2s', EXPECT: 'reconnected' });
      expect([code, failed]).toEqual([99, ['sio_outages']]);
    });
  },
);

describe.skipIf(NO_K6 !== undefined)(title('a load test whose generator is too slow'), () => {
  it('is invalid, whatever the server did', async () => {
    const { url } = await startServer();
    const { code, result, html, stdout } = await run('fan-out', url, { ...SMALL, MAX_LAG_MS: '1' });
    expect([code, result.verdict]).toEqual([99, 'invalid']);
    expect(stdout).toContain('verdict: INVALID');
    expect(html).toContain('These numbers say nothing about the server');
  });

  it('never shows the token in its reports', async () => {
    const { url } = await startServer();
    const params = { ...SMALL, DURATION: '1s', TOKEN: 'very-secret-token' };
    const { stdout, result, html } = await run('fan-out', url, params);
    expect(result.params.TOKEN).toBe('(hidden)');
    expect(stdout + html + JSON.stringify(result)).not.toContain('very-secret-token');
  });
});
