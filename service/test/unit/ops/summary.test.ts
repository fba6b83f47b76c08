import { describe, expect, it } from 'vitest';
import type { Metrics } from '../../../src/contracts.ts';
import { createSummary } from '../../../src/ops/summary.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { createRecordingLog } from '../../support/silent-log.ts';

function rig() {
  const clock = createFakeClock();
  const log = createRecordingLog();
  const calls: string[] = [];
  const inner = new Proxy(
    {},
    {
      get:
        (_target, verb) =>
        (...args: unknown[]) =>
          void calls.push([verb, ...args].join(' ')),
      ownKeys: () => [],
    },
  ) as Metrics;
  const summary = createSummary(inner, { clock, log });
  return { ...summary, clock, log, calls };
}

describe('the summary of the last 10 s', () => {
  it('is one line at info with what came and went, and starts anew', async () => {
    const { metrics, clock, log, start, calls } = rig();
    await start();
    metrics.connectionOpened('websocket');
    metrics.connectionOpened('polling');
    metrics.received(7);
    metrics.connectionClosed('polling', 'transport close');
    clock.advance(10_000);
    expect(log.lines).toEqual([
      { level: 'info', event: 'last 10 s', fields: { connections: 1, opened: 2, closed: 1, received: 1, faults: 0 } },
    ]);
    expect(calls).toContain('connectionOpened websocket');
    metrics.connectionClosed('websocket', 'transport close');
    clock.advance(10_000);
    expect(log.lines[1]?.fields).toEqual({ connections: 0, opened: 0, closed: 1, received: 0, faults: 0 });
  });

  it('is a warning that counts who was turned away, by code', async () => {
    const { metrics, clock, log, start } = rig();
    await start();
    metrics.handshake('accepted');
    metrics.handshake('brake');
    metrics.handshake('brake');
    metrics.refused('rate_limited');
    clock.advance(10_000);
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { refused: { brake: 2, rate_limited: 1 } } }]);
  });

  it('is nothing while nobody comes or goes, and nothing after the end', async () => {
    const { metrics, clock, log, start, stop } = rig();
    await start();
    metrics.received(1);
    clock.advance(30_000);
    metrics.connectionOpened('websocket');
    await stop();
    clock.advance(30_000);
    expect(log.lines).toEqual([]);
    expect(clock.pending()).toBe(0);
  });
});
