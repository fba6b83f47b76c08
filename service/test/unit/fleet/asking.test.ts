import { describe, expect, it } from 'vitest';
import type { Directory } from '../../../src/contracts.ts';
import { createAsking } from '../../../src/fleet/asking.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { createRecordingLog } from '../../support/silent-log.ts';
import { createFakeBus, createFakeLeases } from './fakes.ts';

const DEADLINE_MS = 1_000;

function localWith(sockets: number): Directory {
  return {
    rooms: async () => ({ value: [{ room: 'lobby', sockets }], partial: false }),
    room: async (room) => ({ value: { room, sockets }, partial: false }),
    socket: async () => ({ value: undefined, partial: false }),
    disconnectSocket: async () => ({ value: sockets, partial: false }),
    disconnectUser: async () => {
      throw new Error('broken');
    },
  };
}

/** A server that asks, on a bus with servers that answer. */
function rig(...others: string[]) {
  const bus = createFakeBus();
  const clock = createFakeClock();
  const log = createRecordingLog();
  const leases = createFakeLeases('AA', others);
  const server = (tag: string, sockets: number) => {
    const own = tag === 'AA' ? leases : createFakeLeases(tag, []);
    return createAsking({ deadlineMs: DEADLINE_MS }, { local: localWith(sockets), leases: own, bus, clock, log });
  };
  const asking = server('AA', 0);
  asking.start();
  others.forEach((tag, index) => {
    server(tag, index + 1).start();
  });
  const settle = async () => {
    for (let i = 0; i < 50; i++) await Promise.resolve();
  };
  return { bus, clock, log, leases, asking, settle };
}

describe('asking other servers', () => {
  it('ends with the last answer, and leaves nothing behind', async () => {
    const { asking, clock } = rig('BB', 'CC');
    const answers = await asking.ask('room', 'lobby', { tags: ['BB', 'CC'] });
    expect(answers).toEqual({
      values: [
        { room: 'lobby', sockets: 1 },
        { room: 'lobby', sockets: 2 },
      ],
      isWhole: true,
    });
    expect(clock.pending()).toBe(0);
    expect(await asking.ask('room', 'lobby', { tags: [] })).toEqual({ values: [], isWhole: true });
  });

  it('ends at the deadline with what there is, when a server is silent or cannot answer', async () => {
    const { asking, clock, settle, log } = rig('BB');
    const silent = asking.ask('room', 'lobby', { tags: ['BB', 'CC'] });
    const broken = asking.ask('disconnectUser', 'ann', { tags: ['BB'] });
    await settle();
    clock.advance(DEADLINE_MS);
    expect(await silent).toEqual({ values: [{ room: 'lobby', sockets: 1 }], isWhole: false });
    expect(await broken).toEqual({ values: [], isWhole: false });
    expect(log.lines.map(({ level }) => level)).toEqual(['error']);
  });

  it('ends early when one answer is enough', async () => {
    const { asking, clock } = rig('BB');
    const answers = await asking.ask('disconnectSocket', 'x', { tags: ['BB', 'CC'], isEnough: (told) => told > 0 });
    expect(answers).toEqual({ values: [1], isWhole: false });
    expect(clock.pending()).toBe(0);
  });

  it('takes one answer of each that was asked, in the right shape, and no other', async () => {
    const { asking, bus, clock, settle } = rig();
    const asked = asking.ask('room', 'lobby', { tags: ['BB', 'CC'] });
    const { id } = JSON.parse(bus.sent[0]?.[1] ?? '') as { id: string };
    const say = (from: string, value: unknown, isWhole: unknown = true) =>
      bus.publish('srv:AA', JSON.stringify({ id, from, value, isWhole }));
    say('DD', { room: 'lobby', sockets: 1_000 });
    say('BB', { room: 'lobby', sockets: 1 }, 'yes');
    say('BB', { room: 'lobby', sockets: 2 });
    say('BB', { room: 'lobby', sockets: 3 });
    say('CC', { room: 'lobby', sockets: -1 });
    await settle();
    clock.advance(DEADLINE_MS);
    expect(await asked).toEqual({ values: [{ room: 'lobby', sockets: 2 }], isWhole: false });
    say('CC', { room: 'lobby', sockets: 1 });
    await settle();
  });

  it('has a limit of questions at a time, beyond which the answer is what is here', async () => {
    const { asking, bus, clock } = rig();
    const asked = Array.from({ length: 1_001 }, () => asking.ask('room', 'lobby', { tags: ['BB'] }));
    expect(bus.sent).toHaveLength(1_000);
    expect(await asked[1_000]).toEqual({ values: [], isWhole: false });
    clock.advance(DEADLINE_MS);
    await Promise.all(asked);
  });

  it('answers under its new tag when it has lost the old one', async () => {
    const { asking, bus, leases } = rig('BB');
    leases.lose('QQ');
    expect(bus.topics()).toEqual(['srv:BB', 'srv:QQ']);
    expect((await asking.ask('room', 'lobby', { tags: ['BB'] })).isWhole).toBe(true);
    asking.stop();
    leases.lose('RR');
    expect(bus.topics()).toEqual(['srv:BB']);
  });

  it('ends open questions when it stops', async () => {
    const { asking, clock } = rig();
    const asked = asking.ask('room', 'lobby', { tags: ['BB'] });
    asking.stop();
    expect(await asked).toEqual({ values: [], isWhole: false });
    expect(clock.pending()).toBe(0);
  });
});
