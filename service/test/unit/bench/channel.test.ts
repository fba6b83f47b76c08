import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { expect, test, vi } from 'vitest';
import { createCaller } from '../../../bench/lib/channel.ts';

interface Sums {
  add: { ask: readonly number[]; answer: number };
}

function pair() {
  const sent: { id?: number; name?: string; notice?: string }[] = [];
  const child = Object.assign(new EventEmitter(), { send: (message: object) => sent.push(message) });
  return { child, sent, caller: createCaller<Sums>(child as unknown as ChildProcess, 'the child') };
}

test('answers reach the call they belong to, in whatever order they come', async () => {
  const { child, sent, caller } = pair();
  const both = Promise.all([caller.call('add', [1, 2]), caller.call('add', [3, 4])]);
  child.emit('message', { id: sent[1]?.id, answer: 7 });
  child.emit('message', { id: sent[0]?.id, answer: 3 });
  expect(await both).toEqual([3, 7]);
});

test('an error of the other side says whose it is', async () => {
  const { child, sent, caller } = pair();
  const failed = caller.call('add', []);
  child.emit('message', { id: sent[0]?.id, error: 'nothing to add' });
  await expect(failed).rejects.toThrow('the child: nothing to add');
});

test('a child that ends rejects what waits for it and what is asked later', async () => {
  const { child, caller } = pair();
  const waiting = caller.call('add', [1]);
  child.emit('exit', 7, null);
  await expect(waiting).rejects.toThrow('the child ended early (exit code 7)');
  await expect(caller.call('add', [1])).rejects.toThrow('the child ended early (exit code 7)');
});

test('a call that is not answered in time is rejected', async () => {
  vi.useFakeTimers();
  try {
    const { caller } = pair();
    const late = expect(caller.call('add', [1], 500)).rejects.toThrow('did not answer add within 500 ms');
    vi.advanceTimersByTime(500);
    await late;
  } finally {
    vi.useRealTimers();
  }
});

test('notices reach listeners until they stop listening', () => {
  const { child, caller } = pair();
  let heard = 0;
  const stop = caller.onNotice(() => void heard++);
  child.emit('message', { notice: 'turn' });
  stop();
  child.emit('message', { notice: 'turn' });
  expect(heard).toBe(1);
});
