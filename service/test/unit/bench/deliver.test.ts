import { expect, test } from 'vitest';
import type { SubjectCalls, SwarmCalls } from '../../../bench/lib/calls.ts';
import type { Caller, Calls, Handlers } from '../../../bench/lib/channel.ts';
import { DeliveryFault, deliver } from '../../../bench/lib/deliver.ts';
import { QUICK } from '../../../bench/lib/scales.ts';
import type { Rig } from '../../../bench/lib/suite.ts';
import type { Verdict } from '../../../bench/lib/tally.ts';

const WINDOW = { cpuUs: 100, wallMs: 5, delayP99Ms: 0, redisBytes: 0 };
const ORDER = { turns: 2, events: 3, burst: 3, bytes: 64, first: 0 };

function caller<T extends Calls<T>>(handlers: Partial<Handlers<T>>): Caller<T> & { notices: number } {
  const fake = {
    notices: 0,
    async call<K extends keyof T & string>(name: K, ask: T[K]['ask']) {
      const answer = handlers[name];
      if (answer === undefined) throw new Error(`unexpected call ${name}`);
      return answer(ask);
    },
    onNotice(listener: () => void) {
      listener();
      return () => undefined;
    },
    notify: () => void fake.notices++,
  };
  return fake;
}

function rig(verdict: Verdict) {
  const subject = caller<SubjectCalls>({ openWindow: () => null, closeWindow: () => WINDOW, emit: () => null });
  const swarm = caller<SwarmCalls>({
    expect: () => null,
    verdict: () => verdict,
    lost: () => 2,
  });
  const fake: Rig = { subject, swarm, url: '', scale: QUICK, say: () => undefined };
  return { fake, subject };
}

test('a complete delivery resolves with its cost', async () => {
  const { fake } = rig({ expected: 6, delivered: 6, faults: [] });
  expect(await deliver(fake, ORDER)).toEqual({ ...WINDOW, delivered: 6 });
});

test('the server hears of every turn that has arrived', async () => {
  const { fake, subject } = rig({ expected: 6, delivered: 6, faults: [] });
  await deliver(fake, ORDER);
  expect(subject.notices).toBe(1);
});

test('a missing message fails the benchmark and is named', async () => {
  const { fake } = rig({ expected: 6, delivered: 5, faults: ['client 0: 5 of 6 events arrived'] });
  const failed = deliver(fake, ORDER);
  await expect(failed).rejects.toThrow(DeliveryFault);
  await expect(failed).rejects.toThrow('5 of 6 messages were delivered, 2 clients were closed\n  client 0: 5 of 6');
});

test('a right count with the wrong messages fails as well', async () => {
  const { fake } = rig({ expected: 6, delivered: 6, faults: ['client 0: event 0 came where 1 was due'] });
  await expect(deliver(fake, ORDER)).rejects.toThrow('event 0 came where 1 was due');
});
