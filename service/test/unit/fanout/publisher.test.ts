import { describe, expect, it } from 'vitest';
import { createGuardedPublisher } from '../../../src/fanout/publisher.ts';
import { FakeClient, replyError, turn } from './fake-client.ts';

function rig(client = new FakeClient()) {
  const told = { lost: 0, problems: [] as string[] };
  const state: { client: FakeClient | undefined } = { client };
  client.status = 'ready';
  const publisher = createGuardedPublisher({
    client: () => state.client?.asClient(),
    onLost: () => void told.lost++,
    onProblem: (error) => void told.problems.push(error.message),
  });
  return { publisher, told, state, client };
}

const closed = () => new Error('Connection is closed.');
const timedOut = () => new Error('Command timed out');

describe('publishing', () => {
  it('sends at once, and resolves with the number of those who heard', async () => {
    const { publisher, client, told } = rig();
    client.answer = () => 2;
    const answer = publisher.publish('c', 'x');
    expect(client.said()).toEqual(['publish c x']);
    expect(await answer).toBe(2);
    expect(await publisher.spublish('s', Buffer.from('y'))).toBe(2);
    expect(client.said()).toEqual(['publish c x', 'spublish s y']);
    expect(told).toEqual({ lost: 0, problems: [] });
  });

  it('never rejects and never queues: what Redis cannot take now is counted and dropped', async () => {
    const { publisher, client, state, told } = rig();
    client.status = 'connecting';
    expect(await publisher.publish('c', 'x')).toBe(0);
    state.client = undefined;
    expect(await publisher.publish('c', 'x')).toBe(0);
    expect(client.sent).toEqual([]);
    expect(told.lost).toBe(2);
  });

  it('goes on after errors that Redis answered: the path is well', async () => {
    const { publisher, client, told } = rig();
    for (const text of ['READONLY no', 'OOM no', 'LOADING no', 'NOPERM no', 'MISCONF no']) {
      client.answer = () => replyError(text);
      expect(await publisher.publish('c', 'x')).toBe(0);
      expect(told.problems.at(-1)).toBe(text);
    }
    expect([client.sent.length, told.lost]).toEqual([5, 5]);
  });

  it.each([
    ['a time-out', timedOut],
    ['a broken connection', closed],
  ])('sends nothing but probes over a connection after %s, until one is answered', async (_name, problem) => {
    const { publisher, client, told } = rig();
    client.answer = problem;
    await publisher.publish('c', '1');
    client.answer = () => 1;
    await publisher.publish('c', '2');
    await expect(publisher.call('GET', 'k')).rejects.toThrow('Redis does not answer');
    expect(client.said()).toEqual(['publish c 1']);
    await publisher.probe('publish', 'canary', '1');
    expect(await publisher.publish('c', '3')).toBe(1);
    expect(client.said()).toEqual(['publish c 1', 'publish canary 1', 'publish c 3']);
    expect(told.lost).toBe(2);
  });

  it('trusts a new connection whatever became of the one before', async () => {
    const { publisher, client, state } = rig();
    const pending = publisher.publish('c', '1');
    const fresh = new FakeClient();
    fresh.status = 'ready';
    fresh.answer = () => 1;
    state.client = fresh;
    client.sent[0]?.reject(closed());
    await pending;
    expect(await publisher.publish('c', '2')).toBe(1);
  });

  it('trusts the other nodes of a Cluster when one does not answer', async () => {
    const { publisher, client } = rig(new FakeClient({ isCluster: true }));
    client.answer = timedOut;
    await publisher.spublish('a', '1');
    client.answer = () => 1;
    expect(await publisher.spublish('b', '2')).toBe(1);
  });

  it('has at most 20,000 messages on the way', async () => {
    const { publisher, client, told } = rig();
    const all = Array.from({ length: 20_010 }, () => publisher.publish('c', 'x'));
    await turn();
    expect([client.sent.length, told.lost]).toEqual([20_000, 10]);
    client.sent[0]?.resolve(1);
    await turn();
    await Promise.race([publisher.publish('c', 'x'), turn()]);
    expect(client.sent.length).toBe(20_001);
    for (const one of client.sent) one.resolve(1);
    expect((await Promise.all(all)).filter((heard) => heard === 1).length).toBe(20_000);
  });

  it('has at most 64 MiB on the way, however few messages they are', async () => {
    const { publisher, client, told } = rig();
    const payload = Buffer.alloc(16 * 1024 * 1024);
    for (let i = 0; i < 6; i++) void publisher.spublish('c', payload);
    await turn();
    expect([client.sent.length, told.lost]).toEqual([4, 2]);
    client.sent[0]?.resolve(1);
    await turn();
    void publisher.spublish('c', payload);
    expect(client.sent.length).toBe(5);
  });

  it('hands the adapters what they look at', async () => {
    const { publisher, client, state } = rig();
    expect(publisher.isCluster).toBe(false);
    expect(publisher.nodes()).toEqual([]);
    expect(publisher.on('error', () => undefined).off('error', () => undefined)).toBe(publisher);
    client.answer = () => ['c', 3];
    expect(
      await new Promise((done) => void publisher.send_command('PUBSUB', ['NUMSUB', 'c'], (_e, r) => done(r))),
    ).toEqual(['c', 3]);
    state.client = undefined;
    expect(
      await new Promise((done) => void publisher.send_command('PUBSUB', [], (error) => done(error?.message))),
    ).toBe('Redis is away');
    expect(publisher.isCluster).toBe(false);
  });
});

describe('commands', () => {
  it('reject with what Redis says, for their callers to handle', async () => {
    const { publisher, client, told } = rig();
    client.answer = () => replyError('WRONGTYPE no');
    await expect(publisher.call('GET', 'k')).rejects.toThrow('WRONGTYPE no');
    expect(told).toEqual({ lost: 0, problems: ['WRONGTYPE no'] });
  });

  it('do not report a script that Redis does not know yet', async () => {
    const { publisher, client, told } = rig();
    client.answer = () => replyError('NOSCRIPT No matching script.');
    await expect(publisher.call('EVALSHA', 'x', 0)).rejects.toThrow('NOSCRIPT');
    expect(told.problems).toEqual([]);
  });
});
