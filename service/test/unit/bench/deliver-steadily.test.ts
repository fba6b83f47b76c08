import { expect, test } from 'vitest';
import type { SubjectCalls, SwarmCalls } from '../../../bench/lib/calls.ts';
import type { Caller, Calls, Handlers } from '../../../bench/lib/channel.ts';
import { DeliveryFault } from '../../../bench/lib/deliver.ts';
import { deliverSteadily } from '../../../bench/lib/deliver-steadily.ts';
import { QUICK } from '../../../bench/lib/scales.ts';
import type { Rig } from '../../../bench/lib/suite.ts';
import type { Verdict } from '../../../bench/lib/tally.ts';

const WINDOW = { cpuUs: 100, wallMs: 5, delayP99Ms: 0, redisBytes: 7 };
const ORDER = { events: 10, perSecond: 1_000, bytes: 64, first: 0 };

function caller<T extends Calls<T>>(handlers: Partial<Handlers<T>>, calls: string[]): Caller<T> {
  return {
    async call(name, ask) {
      calls.push(name);
      const answer = handlers[name];
      if (answer === undefined) throw new Error(`unexpected call ${name}`);
      return answer(ask);
    },
    onNotice(listener) {
      listener();
      return () => undefined;
    },
    notify: () => undefined,
  };
}

function rig(verdict: Verdict) {
  const calls: string[] = [];
  const subject = caller<SubjectCalls>(
    { openWindow: () => null, closeWindow: () => WINDOW, emitSteadily: () => ({ wallMs: 20 }) },
    calls,
  );
  const swarm = caller<SwarmCalls>(
    { expectTimed: () => null, verdict: () => verdict, latencies: () => [[1], [2]], lost: () => 0 },
    calls,
  );
  const fake: Rig = { subject, swarm, url: '', scale: QUICK, say: () => undefined };
  return { fake, calls };
}

test('a complete delivery tells the pace that was kept, what it cost the watched, and how long messages took', async () => {
  const { fake } = rig({ expected: 20, delivered: 20, faults: [] });
  const delivery = await deliverSteadily({ publisher: fake, watched: [fake] }, ORDER);
  expect(delivery).toEqual({ perSecond: 500, windows: [WINDOW], latencies: [[1], [2]] });
});

test('the window is open while messages are emitted, and clients count before the first one', async () => {
  const { fake, calls } = rig({ expected: 20, delivered: 20, faults: [] });
  await deliverSteadily({ publisher: fake, watched: [fake] }, ORDER);
  expect(calls.slice(0, 4)).toEqual(['expectTimed', 'openWindow', 'emitSteadily', 'closeWindow']);
});

test('a missing message fails the benchmark', async () => {
  const { fake } = rig({ expected: 20, delivered: 19, faults: ['client 1: 9 of 10 events arrived'] });
  await expect(deliverSteadily({ publisher: fake, watched: [] }, ORDER)).rejects.toThrow(DeliveryFault);
});
