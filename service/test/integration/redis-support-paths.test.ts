/** The fixtures that other tests trust: paths to Redis that break, and a Redis that answers what it is told. */
import { connect } from 'node:net';
import { Redis, type RedisOptions } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { REDIS_ERRORS, startFakeRedis } from '../support/redis/start-fake-redis.ts';
import { startProxy } from '../support/redis/start-proxy.ts';
import { startRedis } from '../support/redis/start-redis.ts';

const FAST: RedisOptions = {
  retryStrategy: null,
  maxRetriesPerRequest: 0,
  enableReadyCheck: false,
  disconnectTimeout: 50,
};

/** A stock client that does not come back; it ends with its test. */
function clientOf(url: string, options: RedisOptions = {}): { client: Redis; closed: Promise<void> } {
  const client = new Redis(url, { ...FAST, ...options });
  client.on('error', () => undefined);
  onTestFinished(() => client.disconnect());
  return { client, closed: new Promise((resolve) => client.once('close', () => resolve())) };
}

/** What happens to a connection on its own: an error code, or `open`. */
function knock(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.once('connect', () => resolve('open'));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
  });
}

describe('startProxy', () => {
  it('passes on what clients and Redis say, and counts it', async () => {
    const redis = await startRedis();
    const proxy = await startProxy(redis.port);
    const { client } = clientOf(proxy.url);
    const value = 'x'.repeat(2_000_000);
    expect(await client.set('key', value)).toBe('OK');
    expect(await client.get('key')).toBe(value);
    expect(proxy.stats()).toMatchObject({ accepted: 1, open: 1 });
    expect(proxy.stats().sent).toBeGreaterThan(value.length);
    expect(proxy.stats().received).toBeGreaterThan(value.length);
    client.disconnect();
    await eventually(() => proxy.stats().open === 0, 'the end of the connection');
    expect(await redis.clients()).toEqual([]);
  });

  it('resets connections and refuses new ones while it is cut, and takes them again when healed', async () => {
    const redis = await startRedis();
    const proxy = await startProxy(redis.port);
    const { client, closed } = clientOf(proxy.url);
    await client.ping();
    proxy.cut();
    await closed;
    expect(await knock(proxy.port)).toBe('ECONNREFUSED');
    await eventually(async () => (await redis.clients()).length === 0, 'the end on the other side');
    await proxy.heal();
    expect(await clientOf(proxy.url).client.ping()).toBe('PONG');
  });

  it('resets connections and takes new ones at once', async () => {
    const redis = await startRedis();
    const proxy = await startProxy(redis.port);
    const { client, closed } = clientOf(proxy.url);
    await client.ping();
    proxy.reset();
    await closed;
    expect(await clientOf(proxy.url).client.ping()).toBe('PONG');
  });

  it('keeps connections open but silent while it hangs, and delivers late what hung', async () => {
    const redis = await startRedis();
    const proxy = await startProxy(redis.port);
    const { client } = clientOf(proxy.url);
    await client.ping();
    const messages: string[] = [];
    const { client: subscriber } = clientOf(proxy.url);
    subscriber.on('message', (_channel, message) => messages.push(message));
    await subscriber.subscribe('channel');
    proxy.hang();
    const answers: string[] = [];
    const answer = client.set('key', 'value').then((text) => answers.push(text));
    expect(await redis.cli('PUBLISH', 'channel', 'late')).toBe(1);
    expect(await knock(proxy.port)).toBe('open');
    // A connection beside the proxy has been served; over the proxy nothing has come.
    expect(await redis.cli('GET', 'key')).toBeNull();
    expect({ answers, messages, status: client.status }).toEqual({ answers: [], messages: [], status: 'ready' });
    await proxy.heal();
    await answer;
    await eventually(() => messages.length === 1, 'the late message');
    expect({ answers, messages }).toEqual({ answers: ['OK'], messages: ['late'] });
  });

  it('does not tell Redis that a client has gone while it hangs', async () => {
    const redis = await startRedis();
    const proxy = await startProxy(redis.port);
    const { client } = clientOf(proxy.url);
    await client.ping();
    proxy.hang();
    client.disconnect();
    await eventually(() => client.status === 'end', 'the end of the client');
    expect(await redis.clients()).toHaveLength(1);
    await proxy.heal();
    await eventually(async () => (await redis.clients()).length === 0, 'the end on the other side');
  });

  it('delays both directions and keeps the order when the delay changes', async () => {
    const redis = await startRedis();
    const proxy = await startProxy(redis.port);
    const { client } = clientOf(proxy.url);
    await client.ping();
    proxy.delay(50);
    const begin = performance.now();
    await client.ping();
    // Timers may be a little early.
    expect(performance.now() - begin).toBeGreaterThan(90);
    const order: number[] = [];
    const first = client.echo('1').then(() => order.push(1));
    await eventually(() => proxy.stats().sent > 0, 'the first command');
    proxy.delay(0);
    await Promise.all([first, client.echo('2').then(() => order.push(2))]);
    expect(order).toEqual([1, 2]);
  });
});

describe('startFakeRedis', () => {
  it('is a Redis to a stock client, which becomes ready and hears what is published', async () => {
    const fake = await startFakeRedis();
    const { client } = clientOf(fake.url, { enableReadyCheck: true });
    const { client: subscriber } = clientOf(fake.url, { enableReadyCheck: true });
    const heard: unknown[] = [];
    subscriber.on('messageBuffer', (channel, message) => heard.push([String(channel), message]));
    subscriber.on('smessage', (channel, message) => heard.push([channel, message]));
    await subscriber.subscribe('plain');
    await subscriber.ssubscribe('sharded');
    const bytes = Buffer.from([0, 255, 13, 10]);
    expect(await client.publish('plain', bytes)).toBe(1);
    expect(await client.spublish('sharded', 'text')).toBe(1);
    expect(await client.publish('sharded', 'to nobody')).toBe(0);
    await eventually(() => heard.length === 2, 'both messages');
    expect(heard).toEqual([
      ['plain', bytes],
      ['sharded', 'text'],
    ]);
    await subscriber.unsubscribe('plain');
    expect(await client.publish('plain', 'x')).toBe(0);
    await expect(client.set('key', 'value')).rejects.toThrow("ERR unknown command 'set'");
  });

  it.each(Object.entries(REDIS_ERRORS))(
    'answers %s to the command chosen, and as before when told to',
    async (_, error) => {
      const fake = await startFakeRedis({ set: error });
      const { client } = clientOf(fake.url);
      await expect(client.set('key', 'value')).rejects.toThrow(error.message.trim());
      expect(await client.ping()).toBe('PONG');
      fake.answer('set', 'OK');
      expect(await client.set('key', 'value')).toBe('OK');
      expect(fake.commands.filter(([name]) => name === 'set')).toEqual([
        ['set', 'key', 'value'],
        ['set', 'key', 'value'],
      ]);
    },
  );

  it('can refuse everything, say nothing, hang up and think', async () => {
    const fake = await startFakeRedis({ '*': REDIS_ERRORS.loading });
    const { client, closed } = clientOf(fake.url);
    await expect(client.ping()).rejects.toThrow('LOADING');
    fake.answer('*', undefined);
    fake.answer('incrby', (args) => Number(args[1]) + 1);
    expect(await client.incrby('key', 41)).toBe(42);
    fake.answer('get', 'silence');
    const answers: string[] = [];
    const note =
      (name: string) =>
      ({ message }: Error) =>
        void answers.push(`${name}: ${message}`);
    const both = [client.get('key').catch(note('get')), client.ping().catch(note('ping'))];
    const { client: other, closed: otherClosed } = clientOf(fake.url);
    expect(await other.ping()).toBe('PONG');
    expect(answers).toEqual([]);
    fake.answer('ping', 'close');
    await expect(other.ping()).rejects.toThrow('closed');
    await otherClosed;
    fake.disconnectAll();
    await closed;
    await Promise.all(both);
    expect(answers).toEqual(['get: Connection is closed.', 'ping: Connection is closed.']);
  });
});
