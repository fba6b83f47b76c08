import { describe, expect, it } from 'vitest';
import { createOutageLog } from '../../../src/fanout/outage-log.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { createRecordingLog } from '../../support/silent-log.ts';
import { replyError } from './fake-client.ts';

function rig() {
  const clock = createFakeClock();
  const log = createRecordingLog();
  const outages = createOutageLog({ clock, log });
  return { clock, log, outages, events: () => log.lines.map(({ event }) => event) };
}
const DOWN = 'Redis cannot be used';
const UP = 'Redis is there';

describe('an outage', () => {
  it('is said at once with its reason, setting and remedy, then every 30 s, and its end once', () => {
    const { clock, log, outages, events } = rig();
    outages.failed(new Error('connect ECONNREFUSED 10.0.0.1:6379'));
    for (let s = 0; s < 65; s++) {
      outages.failed(new Error('connect ECONNREFUSED 10.0.0.1:6379'));
      outages.down();
      clock.advance(1_000);
    }
    expect(events()).toEqual([DOWN, DOWN, DOWN]);
    expect(log.lines[0]).toMatchObject({
      level: 'warn',
      fields: { error: 'connect ECONNREFUSED 10.0.0.1:6379', setting: 'REDIS_URL', remedy: expect.any(String) },
    });
    expect(log.lines[1]?.fields.downMs).toBe(30_000);
    outages.up(3);
    expect(events().slice(3)).toEqual([UP]);
  });

  it('without a reason is said only when the first connections had time to be made', () => {
    const { clock, outages, events } = rig();
    outages.down();
    clock.advance(2_999);
    outages.down();
    expect(events()).toEqual([]);
    clock.advance(1);
    outages.down();
    expect(events()).toEqual([DOWN]);
  });

  it('that follows a while of rest is said at once; one of many in a row is not', () => {
    const { clock, outages, events } = rig();
    outages.up(1);
    clock.advance(5_000);
    for (let i = 0; i < 20; i++) {
      outages.down();
      clock.advance(300);
      outages.up(1);
      clock.advance(300);
    }
    expect(events()).toEqual([UP, DOWN, UP]);
    clock.advance(5_000);
    outages.down();
    expect(events()).toEqual([UP, DOWN, UP, DOWN]);
  });

  it('keeps its reason when what follows from it fails as well, and takes a new one when there is one', () => {
    const { clock, outages } = rig();
    outages.failed(new Error('WRONGPASS no'));
    outages.failed(new Error('Connection is closed.'));
    expect(outages.reason()).toBe('WRONGPASS no');
    outages.failed(new Error('connect ECONNREFUSED'));
    expect(outages.reason()).toBe('connect ECONNREFUSED');
    clock.advance(4_000);
    outages.failed(new Error('Command timed out'));
    expect(outages.reason()).toBe('Command timed out');
  });

  it('does not blame what failed long before it', () => {
    const { clock, outages } = rig();
    outages.up(1);
    outages.failed(replyError('OOM no'));
    clock.advance(10_000);
    outages.down();
    expect(outages.reason()).toBe(undefined);
    outages.failed(new Error('read ECONNRESET'));
    expect(outages.reason()).toBe('read ECONNRESET');
  });
});

describe('while Redis is there', () => {
  it('commands that it refuses are said, every 30 s; those that only failed are not', () => {
    const { clock, log, outages, events } = rig();
    outages.up(1);
    outages.failed(new Error('Command timed out'));
    expect(events()).toEqual([UP]);
    for (let s = 0; s < 40; s++) {
      outages.failed(replyError('NOPERM this user has no permissions'));
      clock.advance(1_000);
    }
    expect(events()).toEqual([UP, 'Redis refuses something', 'Redis refuses something']);
    expect(log.lines[1]?.fields).toMatchObject({ setting: 'SOCKETFLEET_REDIS_USERNAME', downMs: 0 });
  });
});
