import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createKeptClient } from '../../../src/fanout/kept-client.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { FakeClient } from './fake-client.ts';

beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(1);
});
afterEach(() => {
  vi.restoreAllMocks();
});

function rig() {
  const clock = createFakeClock();
  const clients: FakeClient[] = [];
  const told: string[] = [];
  const state: { fault: Error | undefined } = { fault: undefined };
  const kept = createKeptClient({
    clock,
    create() {
      if (state.fault) throw state.fault;
      const client = new FakeClient();
      clients.push(client);
      return client.asClient();
    },
    attach: () => void told.push('attach'),
    onReady: () => void told.push('ready'),
    onLost: () => void told.push('lost'),
    onProblem: (error) => void told.push(error.message),
  });
  const last = () => clients.at(-1) as FakeClient;
  return { clock, clients, told, state, kept, last };
}

describe('a kept client', () => {
  it('is made when it is started, and told once it is ready', () => {
    const { kept, clients, told, last } = rig();
    expect(clients.length).toBe(0);
    kept.start();
    expect(kept.current()).toBe(last().asClient());
    last().ready();
    expect(told).toEqual(['attach', 'ready']);
  });

  it('is replaced when it ends, after longer and longer waits, up to a second', () => {
    const { kept, clock, clients, told, last } = rig();
    kept.start();
    for (const ms of [100, 200, 400, 800, 1_000, 1_000]) {
      last().fail('ECONNREFUSED');
      last().end();
      expect(kept.current()).toBe(undefined);
      const before = clients.length;
      clock.advance(ms - 1);
      expect(clients.length).toBe(before);
      clock.advance(1);
      expect(clients.length).toBe(before + 1);
    }
    expect(told.slice(0, 3)).toEqual(['attach', 'ECONNREFUSED', 'lost']);
  });

  it('is replaced quickly again once it was ready', () => {
    const { kept, clock, clients, last } = rig();
    kept.start();
    for (let i = 0; i < 5; i++) {
      last().end();
      clock.advance(1_000);
    }
    last().ready();
    last().end();
    clock.advance(100);
    expect(clients.length).toBe(7);
  });

  it('is tried again when it could not even be made, as with a file that is not there yet', () => {
    const { kept, clock, told, state, clients } = rig();
    state.fault = new Error('ENOENT');
    kept.start();
    clock.advance(100);
    expect(told).toEqual(['ENOENT', 'lost', 'ENOENT', 'lost']);
    state.fault = undefined;
    clock.advance(200);
    expect(clients.length).toBe(1);
  });

  it('gives way to a new one when that is wanted, and is not listened to any more', () => {
    const { kept, clients, told, last } = rig();
    kept.start();
    last().ready();
    const [old] = clients;
    kept.renew();
    expect([old?.isDisconnected, kept.current() === last().asClient(), clients.length]).toEqual([true, true, 2]);
    old?.fail('late');
    old?.ready();
    expect(told).toEqual(['attach', 'ready', 'attach']);
  });

  it('survives a renewal that fails in the middle of somebody’s timer', () => {
    const { kept, clock, state, clients } = rig();
    kept.start();
    state.fault = new Error('ENOENT');
    kept.renew();
    state.fault = undefined;
    clock.advance(100);
    expect(clients.length).toBe(2);
  });

  it('says the reason behind what a cluster or sentinel client only sums up', () => {
    const { kept, told, last } = rig();
    kept.start();
    const summary = Object.assign(new Error('Failed to refresh slots cache.'), {
      lastNodeError: new Error('WRONGPASS'),
    });
    last().emit('error', summary);
    last().emit('sentinelError', new Error('failed to connect to sentinel a because NOAUTH'));
    last().fail('All sentinels are unreachable and retry is disabled.');
    expect(told.slice(1)).toEqual(['WRONGPASS', 'failed to connect to sentinel a because NOAUTH']);
  });

  it('ends for good, without a timer, and does not begin again', () => {
    const { kept, clock, clients, last } = rig();
    kept.start();
    last().end();
    kept.stop();
    kept.stop();
    kept.renew();
    clock.advance(10_000);
    expect([clients.length, clock.pending(), kept.current()]).toEqual([1, 0, undefined]);
  });
});
