import { describe, expect, it } from 'vitest';
import { connect } from '../support/connect.ts';
import { connectCrowd } from '../support/crowd.ts';
import { eventually } from '../support/eventually.ts';
import { freePorts, spawnProgram, startProcess } from '../support/start-process.ts';

const QUICK = {
  SOCKETFLEET_ENDPOINT_WAIT_MS: '300',
  SOCKETFLEET_DRAIN_WINDOW_MS: '3000',
  SOCKETFLEET_DRAIN_DEADLINE_MS: '2000',
};

describe('SIGTERM', () => {
  it('lets 200 clients go at transport level, spread over the window, and exits 0', { timeout: 60_000 }, async () => {
    const { url, child, exit } = await startProcess({ ...QUICK, SOCKETFLEET_HANDSHAKES_PER_SECOND: '0' });
    const crowd = await connectCrowd(url, 200);
    const before = crowd.departures.length;
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    await eventually(() => crowd.departures.length - before >= 200, 'all departures');
    const departures = crowd.departures.slice(before);
    // Stock clients come back by themselves after a transport close only.
    expect(new Set(departures.map(({ reason }) => reason))).toEqual(new Set(['transport close']));
    expect(crowd.clients.every((socket) => socket.active)).toBe(true);
    const start = Math.min(...departures.map(({ at }) => at));
    const perHalfSecond = Array.from(
      { length: 6 },
      (_, i) => departures.filter(({ at }) => at - start >= i * 500 && at - start < (i + 1) * 500).length,
    );
    expect(Math.max(...perHalfSecond)).toBeLessThan(200 / 2);
    expect(Math.max(...departures.map(({ at }) => at)) - start).toBeGreaterThan(1_500);
  });

  it('brings the clients of a stopping server back to another one, by themselves', { timeout: 60_000 }, async () => {
    const first = await startProcess({ ...QUICK, SOCKETFLEET_DRAIN_WINDOW_MS: '500' });
    const crowd = await connectCrowd(first.url, 30);
    first.child.kill('SIGTERM');
    expect(await first.exit).toBe(0);
    const { port } = new URL(first.url);
    await startProcess({ PORT: port });
    await eventually(() => crowd.connected() === 30, 'everybody back', 15_000);
  });

  it('keeps serving during the endpoint wait, then refuses new sessions in a way that is retried', async () => {
    const { url, internalUrl, child, exit } = await startProcess({ ...QUICK, SOCKETFLEET_ENDPOINT_WAIT_MS: '1500' });
    const stays = await connect(url);
    child.kill('SIGTERM');
    await eventually(async () => (await fetch(`${internalUrl}/readyz`)).status === 503, 'not ready');
    expect((await fetch(`${internalUrl}/livez`)).status).toBe(200);
    await connect(url);
    const refused = await eventually(async () => {
      const response = await fetch(`${url}/socket.io/?EIO=4&transport=polling`);
      return response.status === 503 ? response : undefined;
    }, 'a refusal');
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({ ok: false, code: 'draining', retry: true });
    expect(stays.active).toBe(true);
    expect(await exit).toBe(0);
  });

  it('stays ready while draining when told so', async () => {
    const { internalUrl, child, url } = await startProcess({
      ...QUICK,
      SOCKETFLEET_READY_WHILE_DRAINING: 'on',
      SOCKETFLEET_ENDPOINT_WAIT_MS: '60000',
    });
    await connect(url);
    child.kill('SIGTERM');
    await eventually(
      async () => ((await (await fetch(`${internalUrl}/readyz`)).json()) as { phase: string }).phase === 'draining',
      'draining',
    );
    expect((await fetch(`${internalUrl}/readyz`)).status).toBe(200);
  });

  it('is ignored the second time', async () => {
    const { url, child, exit } = await startProcess({ ...QUICK, SOCKETFLEET_DRAIN_WINDOW_MS: '800' });
    await connect(url);
    const start = performance.now();
    child.kill('SIGTERM');
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGTERM'), 500);
    expect(await exit).toBe(0);
    expect(performance.now() - start).toBeGreaterThan(300);
  });
});

describe('SIGINT', () => {
  it('skips the waits the first time', async () => {
    const { url, child, exit } = await startProcess({
      SOCKETFLEET_ENDPOINT_WAIT_MS: '60000',
      SOCKETFLEET_DRAIN_WINDOW_MS: '60000',
    });
    await connect(url);
    child.kill('SIGINT');
    expect(await exit).toBe(0);
  });

  it('exits at once the second time', async () => {
    const { url, child, exit, output } = await startProcess({
      SOCKETFLEET_DRAIN_DEADLINE_MS: '60000',
      LOG_LEVEL: 'info',
    });
    const socket = await connect(url, { transports: ['websocket'] });
    // A client that never answers the close frame keeps the drain waiting.
    (socket.io.engine.transport as unknown as { ws: { _socket: { pause(): void } } }).ws._socket.pause();
    child.kill('SIGINT');
    await eventually(() => output().includes('drain started'), 'the drain');
    child.kill('SIGINT');
    expect(await exit).toBe(130);
  });
});

describe('the process', () => {
  it('names every wrong setting and exits 2 before it listens', async () => {
    const { exit, output } = spawnProgram([], { PORT: 'abc', SOCKETFLEET_AUTH: 'maybe', SOCKETFLEET_RECOVRY: 'on' });
    expect(await exit).toBe(2);
    expect(output()).toMatch(
      /PORT=abc[\s\S]*SOCKETFLEET_AUTH=maybe[\s\S]*SOCKETFLEET_RECOVRY.*did you mean SOCKETFLEET_RECOVERY/,
    );
  });

  it('takes keys that cannot be read for a wrong setting, without a stack', async () => {
    const env = {
      SOCKETFLEET_AUTH: 'jwt',
      SOCKETFLEET_JWT_PUBLIC_KEY: '-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----',
    };
    const [port = 0, internal = 0] = await freePorts(2);
    const program = spawnProgram([], { ...env, PORT: String(port), SOCKETFLEET_INTERNAL_PORT: String(internal) });
    expect(await program.exit).toBe(2);
    expect(program.output()).toContain('SOCKETFLEET_JWT_PUBLIC_KEY: value 1 of 1 is not a public key');
    expect(program.output()).not.toContain('    at ');
  });

  it('names HOST when it is no address of this machine', async () => {
    const [port = 0, internal = 0] = await freePorts(2);
    const program = spawnProgram([], {
      PORT: String(port),
      SOCKETFLEET_INTERNAL_PORT: String(internal),
      HOST: '192.0.2.1',
    });
    expect(await program.exit).toBe(1);
    expect(program.output()).toContain('HOST=192.0.2.1');
  });

  it('says which port is in use and exits 1', async () => {
    const { url } = await startProcess();
    const { port } = new URL(url);
    const [internal] = await freePorts(1);
    const second = spawnProgram([], { PORT: port, HOST: '127.0.0.1', SOCKETFLEET_INTERNAL_PORT: String(internal) });
    expect(await second.exit).toBe(1);
    expect(second.output()).toContain(`port ${port} is in use`);
  });

  it('names a missing app module, one without a default export and one that throws', async () => {
    const folder = await (await import('node:fs/promises')).mkdtemp(
      `${(await import('node:os')).tmpdir()}/socketfleet-app-`,
    );
    const { writeFile } = await import('node:fs/promises');
    await writeFile(`${folder}/none.mjs`, 'export const x = 1;');
    await writeFile(`${folder}/throws.mjs`, 'throw new Error("no such table");');
    for (const [file, text] of [
      ['missing.mjs', 'there is no file'],
      ['none.mjs', 'no default export'],
      ['throws.mjs', 'failed while loading: no such table'],
    ] as const) {
      const [port = 0, internal = 0] = await freePorts(2);
      const program = spawnProgram([], {
        PORT: String(port),
        SOCKETFLEET_INTERNAL_PORT: String(internal),
        SOCKETFLEET_APP: `${folder}/${file}`,
      });
      expect(await program.exit).toBe(1);
      expect(program.output()).toContain(text);
    }
  });

  it('runs an app module from outside the repository, in plain JavaScript', async () => {
    const { mkdtemp, writeFile } = await import('node:fs/promises');
    const folder = await mkdtemp(`${(await import('node:os')).tmpdir()}/socketfleet-app-`);
    await writeFile(
      `${folder}/my-app.js`,
      'export default (io, services) => { io.on("connection", (socket) => socket.on("add", (a, b, ack) => ack(a + b, services.pod))); };',
    );
    await writeFile(`${folder}/package.json`, '{"type":"module"}');
    const { url } = await startProcess({ SOCKETFLEET_APP: `${folder}/my-app.js`, SOCKETFLEET_POD: 'here' });
    const socket = await connect(url);
    expect(await new Promise((resolve) => socket.emit('add', 2, 3, (...answer: unknown[]) => resolve(answer)))).toEqual(
      [5, 'here'],
    );
  });

  it('logs an uncaught error, lets its clients go and exits 1', async () => {
    const { mkdtemp, writeFile } = await import('node:fs/promises');
    const folder = await mkdtemp(`${(await import('node:os')).tmpdir()}/socketfleet-app-`);
    await writeFile(
      `${folder}/app.mjs`,
      'export default (io) => { io.on("connection", (socket) => socket.on("boom", () => setTimeout(() => { throw new Error("bang"); }))); };',
    );
    const { url, exit, output } = await startProcess({ SOCKETFLEET_APP: `${folder}/app.mjs` });
    const socket = await connect(url);
    socket.emit('boom');
    expect(await exit).toBe(1);
    expect(output()).toContain('bang');
  });

  it('prints its settings with secrets hidden', async () => {
    const { exit, output } = spawnProgram(['--print-config'], { SOCKETFLEET_API_KEY: 'a-very-secret-api-key' });
    expect(await exit).toBe(0);
    expect(output()).toContain('SOCKETFLEET_API_KEY=(1 hidden)');
    expect(output()).not.toContain('a-very-secret-api-key');
  });
});
