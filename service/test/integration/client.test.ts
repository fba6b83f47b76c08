import { PassThrough } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runClient } from '../../src/cli/client.ts';
import { ask, connect } from '../support/connect.ts';
import { eventually } from '../support/eventually.ts';
import { type FakeGatewayOptions, startFakeGateway } from '../support/fake-gateway.ts';
import { startServer } from '../support/start-server.ts';

async function gateway(options: FakeGatewayOptions = {}) {
  const fake = await startFakeGateway(options);
  onTestFinished(fake.stop);
  return fake;
}

/** Runs the client with an input under our control. */
function run(argv: string[], { isTty = true, env = {} as NodeJS.ProcessEnv } = {}) {
  const input = new PassThrough();
  const seen = { out: '', err: '' };
  let interrupt: () => void = () => undefined;
  const exit = runClient(argv, {
    out(text) {
      seen.out += text;
    },
    err(text) {
      seen.err += text;
    },
    input,
    isTty,
    env: { NO_COLOR: '1', ...env },
    onInterrupt: (call) => {
      interrupt = call;
    },
  });
  onTestFinished(async () => {
    input.end();
    await exit;
  });
  return {
    seen,
    exit,
    interrupt: () => interrupt(),
    type: (line: string) => void input.write(`${line}\n`),
    end: () => void input.end(),
    sees: (text: string | RegExp) =>
      eventually(() => (typeof text === 'string' ? seen.out.includes(text) : text.test(seen.out)), `${text}`, 10_000),
  };
}

const pipe = { isTty: false };

describe('a person at the terminal client', () => {
  test('joins, sees who is there, speaks and hears', async () => {
    const { url } = await gateway();
    const ada = run(['--url', url, '--name', 'ada']);
    await ada.sees(/connected to .* as ada/);
    await ada.sees(/joined lobby: 1 here \(ada\)/);
    const bob = run(['--url', url, '--name', 'bob', '--transport', 'websocket']);
    await ada.sees(/\[lobby\] \+ bob joined \(2 here\)/);
    bob.type('hello ada');
    await ada.sees(/\d\d:\d\d:\d\d \[lobby\] bob: hello ada/);
    bob.end();
    await ada.sees(/\[lobby\] - bob left \(1 here\)/);
    expect(await bob.exit).toBe(0);
  });

  test('moves between rooms, and each line goes to the current one', async () => {
    const fake = await gateway();
    const me = run(['--url', fake.url, '--room', 'tea', '--room', 'cake', '--name', 'me']);
    await me.sees('joined cake');
    me.type('one');
    me.type('/room cake');
    me.type('two');
    me.type('/join tart');
    await me.sees('joined tart');
    me.type('three');
    await me.sees('me: three');
    me.type('/leave');
    await me.sees('left tart');
    me.type('four');
    await me.sees('[tea] me: four');
    me.type('/room nowhere');
    await me.sees('you are not in nowhere');
    expect(fake.published.map(({ room }) => room)).toEqual(['tea', 'cake', 'tart', 'tea']);
  });

  test('asks about rooms, itself and the time of a round trip', async () => {
    const { url } = await gateway();
    const me = run(['--url', url, '--name', 'me']);
    await me.sees('joined lobby');
    me.type('/who');
    await me.sees(/lobby: 1 here \(me\)/);
    me.type('/me');
    await me.sees(/id \S+, pod fake-pod, worker 0, recovered false, transport \w+, rooms lobby/);
    me.type('/ping');
    await me.sees(/round trip [\d.]+ m?s \(\w+\)/);
    me.type('/help');
    await me.sees('/leave [room]');
    me.type('/quit');
    expect(await me.exit).toBe(0);
  });

  test('a refused room or message is one line with code and message', async () => {
    const fake = await gateway({ forbidden: ['vault'] });
    const me = run(['--url', fake.url, '--room', 'lobby', '--room', 'vault']);
    await me.sees(/! cannot join vault: forbidden: the token does not allow this room: vault/);
    fake.refusePublishes(1, 'too_large');
    me.type('big');
    await me.sees(/! not sent: too_large: the body or message is too large/);
  });

  test.each(['polling', 'websocket'])(
    'is recovered after a cut of its %s connection and has missed nothing',
    async (transport) => {
      const fake = await gateway({ recovery: true });
      const me = run(['--url', fake.url, '--transport', transport, '--name', 'me']);
      await me.sees('joined lobby');
      fake.dropAll();
      await me.sees(/disconnected: transport (close|error).*, coming back/);
      fake.io.to('r:lobby').emit('message', 'while you were away', { room: 'lobby', id: '1', ts: Date.now() });
      await me.sees(/connected again after \d.*s, session recovered/);
      await me.sees('while you were away');
      expect(me.seen.out.indexOf('session recovered')).toBeLessThan(me.seen.out.indexOf('while you were away'));
      expect(me.seen.out.match(/joined lobby/g)).toHaveLength(1);
    },
  );

  test('joins its rooms again when the session was not recovered, and sends what was typed meanwhile', async () => {
    const fake = await gateway();
    const me = run(['--url', fake.url, '--room', 'tea', '--room', 'cake', '--name', 'me']);
    await me.sees('joined cake');
    fake.dropAll();
    await me.sees(/disconnected: .*coming back/);
    me.type('typed while away');
    await me.sees('not connected; this goes out when the connection is back');
    await me.sees(/connected again after .*, new session/);
    await me.sees('[tea] me: typed while away');
    expect(me.seen.out.match(/joined (tea|cake)/g)).toHaveLength(4);
    expect(fake.published).toHaveLength(1);
  });

  test('finds a server again that was away for a while', async () => {
    const first = await startFakeGateway();
    const me = run(['--url', first.url, '--name', 'me']);
    await me.sees('joined lobby');
    await first.stop();
    await me.sees(/cannot connect to .*; trying again/);
    await gateway({ port: Number(new URL(first.url).port) });
    await me.sees('connected again after');
    expect(me.seen.out.match(/trying again/g)).toHaveLength(1);
  });

  test('is told when the server ends the session for good', async () => {
    const fake = await gateway();
    const me = run(['--url', fake.url]);
    await me.sees('joined lobby');
    fake.io.disconnectSockets();
    expect(await me.exit).toBe(1);
    expect(me.seen.err).toMatch(/^the server has ended this session.*\n$/);
  });

  test('leaves on Ctrl-C, and the others see it at once', async () => {
    const { url } = await gateway();
    const other = await connect(url);
    await ask(other, 'join', 'lobby', { presence: { name: 'other' } });
    const me = run(['--url', url]);
    await me.sees('joined lobby');
    me.interrupt();
    expect(await me.exit).toBe(0);
    await eventually(async () => (await ask(other, 'presence', 'lobby')).count === 1);
  });
});

describe('a pipe into the terminal client', () => {
  test('every line is sent in order, and the exit code is 0', async () => {
    const fake = await gateway();
    const me = run(['--url', fake.url, '--name', 'cron'], pipe);
    const lines = Array.from({ length: 50 }, (_, i) => `line ${i}`);
    for (const line of lines) me.type(line);
    me.end();
    expect(await me.exit).toBe(0);
    expect(fake.published.map(({ data }) => data)).toEqual(lines.map((text) => ({ text, name: 'cron' })));
    expect(me.seen.err).toBe('');
  });

  test('a refusal that may pass is tried again', async () => {
    const fake = await gateway();
    fake.refusePublishes(1, 'rate_limited');
    const me = run(['--url', fake.url], pipe);
    me.type('patience');
    me.end();
    expect(await me.exit).toBe(0);
    expect(fake.published).toHaveLength(1);
  });

  test('a refused line is told and makes the exit code 1, the others are sent', async () => {
    const fake = await gateway();
    fake.refusePublishes(1, 'forbidden');
    const me = run(['--url', fake.url], pipe);
    me.type('one');
    me.type('two');
    me.end();
    expect(await me.exit).toBe(1);
    expect(me.seen.out).toContain('not sent: forbidden');
    expect(fake.published).toHaveLength(1);
  });

  test('a cut in the middle loses and doubles nothing', async () => {
    const fake = await gateway({ recovery: true });
    const me = run(['--url', fake.url], pipe);
    me.type('one');
    await eventually(() => fake.published.length === 1);
    fake.dropAll();
    me.type('two');
    me.end();
    expect(await me.exit).toBe(0);
    expect(fake.published.map(({ data }) => (data as { text: string }).text)).toEqual(['one', 'two']);
  });

  test('without a line it still joins and leaves', async () => {
    const { url } = await gateway();
    const me = run(['--url', url], pipe);
    me.end();
    expect(await me.exit).toBe(0);
  });
});

describe('the terminal client that is not let in', () => {
  test('nobody listening is one line and exit code 1', async () => {
    const fake = await startFakeGateway();
    await fake.stop();
    const me = run(['--url', fake.url]);
    expect(await me.exit).toBe(1);
    expect(me.seen.err).toBe(`cannot connect to ${fake.url}: nobody listens there. npm start runs a server\n`);
  });

  test('a missing token is one line with the remedy, and the right one from the environment works', async () => {
    const { url } = await gateway({ token: 'secret' });
    const stranger = run(['--url', url]);
    expect(await stranger.exit).toBe(1);
    expect(stranger.seen.err).toMatch(/^refused: unauthorized: .*--token.*npm run token.*\n$/);
    const ada = run(['--url', url], { env: { TOKEN: 'secret' } });
    await ada.sees('joined lobby');
    ada.type('hello');
    await ada.sees('[lobby] ada: hello');
    expect(ada.seen.out).not.toContain('guest-');
  });

  test('a wrong option is one line and exit code 2', async () => {
    const me = run(['--shout']);
    expect(await me.exit).toBe(2);
    expect(me.seen.err).toBe("Unknown option '--shout'; --help lists the options\n");
  });

  test('--help needs no server', async () => {
    const me = run(['--help']);
    expect(await me.exit).toBe(0);
    expect(me.seen.out).toContain('npm run client -- [options]');
  });
});

describe('the terminal client and the service itself', () => {
  test('join, speak, see each other, leave', async () => {
    const { url } = await startServer({ SOCKETFLEET_POD: 'pod-7' });
    const ada = run(['--url', url, '--name', 'ada']);
    await ada.sees('joined lobby: 1 here (ada)');
    const bob = run(['--url', url, '--name', 'bob']);
    await ada.sees('[lobby] + bob joined (2 here)');
    bob.type('hello ada');
    await ada.sees('[lobby] bob: hello ada');
    ada.type('/me');
    await ada.sees('pod pod-7');
    bob.type(`/join ${'x'.repeat(129)}`);
    await bob.sees(/! cannot join x+: bad_room: room names are 1 to 128 printable characters/);
    bob.type('/quit');
    await ada.sees('[lobby] - bob left (1 here)');
  });

  test('a server that drains says so', async () => {
    const { url, server } = await startServer({ SOCKETFLEET_RECOVERY: 'on' });
    const me = run(['--url', url, '--transport', 'websocket']);
    await me.sees('joined lobby');
    await server.drain();
    await me.sees('disconnected: transport close (1012: this server is stopping; come back, another one will answer)');
  });

  test('two hundred lines through a pipe arrive although the server limits messages per second', async () => {
    const { url } = await startServer({ SOCKETFLEET_MESSAGES_PER_SECOND: '50' });
    const reader = run(['--url', url, '--name', 'reader']);
    await reader.sees('joined lobby');
    const cron = run(['--url', url, '--name', 'cron'], pipe);
    for (let i = 0; i < 200; i++) cron.type(`line ${i}.`);
    cron.end();
    expect(await cron.exit).toBe(0);
    await reader.sees('cron: line 199.');
    const heard = [...reader.seen.out.matchAll(/cron: line (\d+)\./g)].map(([, i]) => Number(i));
    expect(heard).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });
});
