import { describe, expect, it } from 'vitest';
import { createSubscriber } from '../../../src/fanout/subscriber.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { FakeClient, replyError, turn } from './fake-client.ts';

function rig({ isCluster = false } = {}) {
  const clock = createFakeClock();
  const clients: FakeClient[] = [];
  const told: string[] = [];
  const faults: unknown[] = [];
  const subscriber = createSubscriber({
    clock,
    createClient() {
      const client = new FakeClient({ isCluster });
      client.answer = () => 1;
      clients.push(client);
      return client.asClient();
    },
    onReady: () => void told.push('ready'),
    onDown: (error) => void told.push(error?.message ?? 'lost'),
    onFault: (error) => void faults.push(error),
  });
  const last = () => clients.at(-1) as FakeClient;
  const start = async () => {
    subscriber.start();
    last().ready();
    await turn();
  };
  return { clock, clients, told, faults, subscriber, last, start };
}
const bytes = (text: string) => Buffer.from(text);
/** As ioredis hands it over. */
const message = (client: FakeClient, channel: string, payload: string, event = 'smessageBuffer') =>
  client.emit(event, bytes(channel), bytes(payload));

describe('what is wanted', () => {
  it('before the connection is there is subscribed to when it is, before anybody is told', async () => {
    const { subscriber, told, last } = rig();
    void subscriber.ssubscribe('a');
    void subscriber.subscribe(['b', 'c']);
    void subscriber.psubscribe('d*');
    subscriber.start();
    last().answer = undefined;
    last().ready();
    await turn();
    expect(last().said().sort()).toEqual(['psubscribe d*', 'ssubscribe a', 'subscribe b c']);
    expect(told).toEqual([]);
    for (const one of last().sent) one.resolve(1);
    await turn();
    expect(told).toEqual(['ready']);
    expect(subscriber.isReady()).toBe(true);
  });

  it('in one turn travels in one command, and what is taken back in the same turn not at all', async () => {
    const { subscriber, last, start } = rig();
    await start();
    void subscriber.ssubscribe('a');
    void subscriber.ssubscribe('b');
    void subscriber.ssubscribe('c');
    void subscriber.sunsubscribe('b');
    void subscriber.ssubscribe('a');
    await turn();
    expect(last().said()).toEqual(['ssubscribe a c', 'sunsubscribe b']);
  });

  it('of 1200 channels is three commands, in a Cluster one each', async () => {
    const names = Array.from({ length: 1_200 }, (_, i) => `c${i}`);
    for (const [isCluster, commands] of [
      [false, 3],
      [true, 1_200],
    ] as const) {
      const { subscriber, last, start } = rig({ isCluster });
      await start();
      await subscriber.ssubscribe(names);
      expect(last().sent.length).toBe(commands);
    }
  });

  it('is subscribed to again after every connect, and what is not wanted any more is not', async () => {
    const { subscriber, clock, clients, told, last, start } = rig();
    await start();
    await subscriber.ssubscribe(['a', 'b']);
    last().end();
    expect(subscriber.isReady()).toBe(false);
    void subscriber.sunsubscribe('a');
    void subscriber.ssubscribe('c');
    await turn();
    clock.advance(100);
    last().ready();
    await turn();
    expect(clients.length).toBe(2);
    expect(last().said()).toEqual(['ssubscribe b c']);
    expect(told).toEqual(['ready', 'lost', 'ready']);
  });

  it('and refused is tried again while the connection stays, later and later', async () => {
    const { subscriber, clock, told, last, start } = rig();
    await start();
    last().answer = () => replyError('NOPERM no');
    await subscriber.ssubscribe('a');
    expect(told.at(-1)).toBe('NOPERM no');
    for (const ms of [1_000, 2_000, 4_000, 4_000]) {
      const before = last().sent.length;
      clock.advance(ms - 1);
      await turn();
      expect(last().sent.length).toBe(before);
      clock.advance(1);
      await turn();
      expect(last().sent.length).toBe(before + 1);
    }
    last().answer = () => 1;
    clock.advance(4_000);
    await turn();
    const settled = last().sent.length;
    clock.advance(60_000);
    await turn();
    expect(last().sent.length).toBe(settled);
  });

  it('takes nothing else with it when one of many channels is forbidden', async () => {
    const { subscriber, last, start } = rig();
    await start();
    const allowed = new Set<unknown>();
    last().answer = (_command, names) => {
      if (names.includes('bad')) return replyError('NOPERM no');
      for (const name of names) allowed.add(name);
      return 1;
    };
    const names = Array.from({ length: 100 }, (_, i) => (i === 41 ? 'bad' : `c${i}`));
    await subscriber.ssubscribe(names);
    expect(allowed.size).toBe(99);
  });

  it('is not cut into pieces when Redis knows no such command at all', async () => {
    const { subscriber, last, start } = rig();
    await start();
    last().answer = () => replyError("ERR unknown command 'ssubscribe'");
    await subscriber.ssubscribe(Array.from({ length: 100 }, (_, i) => `c${i}`));
    expect(last().sent.length).toBe(1);
  });
});

describe('settled', () => {
  it('resolves when Redis has confirmed, and is nothing when nothing is open', async () => {
    const { subscriber, last, start } = rig();
    await start();
    expect(subscriber.settled()).toBe(undefined);
    last().answer = undefined;
    void subscriber.ssubscribe('a');
    let isSettled = false;
    void subscriber.settled()?.then(() => {
      isSettled = true;
    });
    await turn();
    expect(isSettled).toBe(false);
    last().sent[0]?.resolve(1);
    await turn();
    expect([isSettled, subscriber.settled()]).toEqual([true, undefined]);
  });

  it('does not wait for a connection that hangs, nor for one that is not there', async () => {
    const { subscriber, clock, last, start } = rig();
    void subscriber.ssubscribe('early');
    await subscriber.settled();
    await start();
    last().answer = undefined;
    void subscriber.ssubscribe('a');
    const settled = subscriber.settled();
    await turn();
    clock.advance(2_000);
    await settled;
    expect(subscriber.settled()).toBe(undefined);
  });

  it('never rejects', async () => {
    const { subscriber, last, start } = rig();
    await start();
    last().answer = () => new Error('Connection is closed.');
    await subscriber.ssubscribe('a');
    await subscriber.settled();
  });
});

describe('messages', () => {
  it('reach the listener of their channel, and those of their event otherwise', async () => {
    const { subscriber, last, start } = rig();
    await start();
    const heard: string[] = [];
    subscriber.listen('own', true, (payload) => void heard.push(`own ${payload}`));
    subscriber.on('smessageBuffer', (channel, payload) => void heard.push(`${channel} ${payload}`));
    message(last(), 'own', '1');
    message(last(), 'other', '2');
    expect(heard).toEqual(['own 1', 'other 2']);
    expect(subscriber.heard()).toBe(2);
  });

  it('of a Cluster, which come with an argument too many, and of patterns, which come with one before', async () => {
    const { subscriber, last, start } = rig();
    await start();
    const heard: string[] = [];
    subscriber.listen('own', true, (payload) => void heard.push(String(payload)));
    subscriber.on('pmessageBuffer', (...args) => void heard.push(args.join(' ')));
    last().emit('smessageBuffer', bytes('own'), bytes('1'), undefined);
    last().emit('pmessageBuffer', 'a*', bytes('abc'), bytes('2'));
    last().emit('pmessageBuffer', 'o*', bytes('own'), bytes('3'));
    expect(heard).toEqual(['1', 'a* abc 2', '3']);
  });

  it('do not reach who has cancelled, and a channel nobody listens to is left', async () => {
    const { subscriber, last, start } = rig();
    await start();
    const heard: string[] = [];
    const cancels = ['one', 'two'].map((name) => subscriber.listen('c', false, () => void heard.push(name)));
    await turn();
    cancels[0]?.();
    cancels[0]?.();
    message(last(), 'c', 'x', 'messageBuffer');
    await turn();
    expect(last().said()).toEqual(['subscribe c']);
    cancels[1]?.();
    await turn();
    message(last(), 'c', 'x', 'messageBuffer');
    expect([heard, last().said()]).toEqual([['two'], ['subscribe c', 'unsubscribe c']]);
  });

  it('survive listeners that throw or reject', async () => {
    const { subscriber, faults, last, start } = rig();
    await start();
    const heard: string[] = [];
    subscriber.on('smessageBuffer', () => {
      throw new Error('sync');
    });
    subscriber.on('smessageBuffer', async () => {
      throw new Error('async');
    });
    subscriber.on('smessageBuffer', () => void heard.push('well'));
    message(last(), 'c', 'x');
    await turn();
    expect([heard, faults.map((fault) => (fault as Error).message)]).toEqual([['well'], ['sync', 'async']]);
  });

  it('of a connection that was given up are not heard: the new one hears them as well', async () => {
    const { subscriber, clients, last, start } = rig();
    await start();
    const heard: string[] = [];
    subscriber.listen('c', true, (payload) => void heard.push(String(payload)));
    subscriber.rebuild();
    last().ready();
    await turn();
    message(clients[0] as FakeClient, 'c', 'old');
    message(last(), 'c', 'new');
    expect([heard, clients[0]?.isDisconnected]).toEqual([['new'], true]);
  });
});

describe('an end', () => {
  it('leaves no timer and takes no further connection', async () => {
    const { subscriber, clock, clients, last, start } = rig();
    await start();
    last().answer = () => replyError('NOPERM no');
    await subscriber.ssubscribe('a');
    subscriber.stop();
    subscriber.stop();
    await subscriber.ssubscribe('b');
    clock.advance(60_000);
    expect([clients.length, clock.pending()]).toEqual([1, 0]);
  });
});
