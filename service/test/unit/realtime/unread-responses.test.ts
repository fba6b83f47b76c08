import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import { describe, expect, it } from 'vitest';
import { watchResponses } from '../../../src/realtime/unread-responses.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

function rig() {
  const clock = createFakeClock();
  const http = new EventEmitter();
  const responses = watchResponses(http as unknown as Server, { responseTimeoutMs: 1_000 }, clock);
  const cut: string[] = [];
  const request = (name: string, sid?: string) => {
    const res = Object.assign(new EventEmitter(), {
      writableEnded: false,
      writableFinished: false,
      writableLength: 0,
      end(bytes: number) {
        res.writableEnded = true;
        res.writableLength = bytes;
      },
    });
    http.emit('request', { _query: { sid }, socket: { destroy: () => void cut.push(name) } }, res);
    return res;
  };
  return { clock, responses, cut, request };
}

describe('responses that were written', () => {
  it('count by session until they are taken', () => {
    const { responses, request } = rig();
    const [one, two, three, waiting] = [request('1', 'a'), request('2', 'a'), request('3'), request('4', 'b')];
    one.end(10);
    two.end(20);
    three.end(30);
    expect(Object.fromEntries(responses.sweep())).toEqual({ a: 30, '': 30 });
    one.emit('close');
    two.writableFinished = true;
    waiting.end(5);
    expect(Object.fromEntries(responses.sweep())).toEqual({ '': 30, b: 5 });
  });

  it('are cut when their time is over, counted from their end and not from their request', () => {
    const { clock, responses, cut, request } = rig();
    const [late, waiting] = [request('late'), request('waiting')];
    clock.advance(5_000);
    late.end(1);
    responses.sweep();
    clock.advance(999);
    responses.sweep();
    expect(cut).toEqual([]);
    clock.advance(1);
    waiting.end(1);
    expect(responses.sweep().get('')).toBe(1);
    expect(cut).toEqual(['late']);
  });

  it('are cut with their session', () => {
    const { responses, cut, request } = rig();
    for (const [name, sid] of [
      ['1', 'a'],
      ['2', 'b'],
      ['3', 'a'],
    ])
      request(name ?? '', sid).end(1);
    request('still waiting', 'a');
    responses.cut('a');
    expect(cut).toEqual(['1', '3']);
  });
});
