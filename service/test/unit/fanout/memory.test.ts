import type { Socket } from 'socket.io';
import type { Adapter } from 'socket.io-adapter';
import { describe, expect, it, vi } from 'vitest';
import { createMemoryFanout } from '../../../src/fanout/memory.ts';

interface Packet {
  readonly type: number;
  readonly data: unknown[];
}

const EVENT = 2;

/** The adapter of a namespace that encodes with JSON, and what its sockets were sent. */
function rig(recovery: boolean) {
  const broadcasts: number[] = [];
  const fanout = createMemoryFanout(
    { recovery, mostMissedBytes: 1_000 },
    { broadcast: (recipients, seconds) => void broadcasts.push(seconds >= 0 ? recipients : Number.NaN) },
  );
  const sent: Record<string, string[]> = {};
  const sockets = new Map<string, unknown>();
  const nsp = {
    name: '/',
    sockets,
    server: {
      encoder: { encode: (packet: Packet) => [JSON.stringify(packet.data)] },
      opts: { connectionStateRecovery: { maxDisconnectionDuration: 60_000 } },
    },
  };
  const adapter = fanout.adapter(nsp as never) as Adapter;
  const add = (id: string, rooms: readonly string[]) => {
    const own: string[] = [];
    sent[id] = own;
    const client = { writeToEngine: (packets: string[]) => void own.push(...packets) };
    sockets.set(id, { id, client, notifyOutgoingListeners: undefined } as unknown as Socket);
    adapter.addAll(id, new Set(rooms));
  };
  const broadcast = (rooms: readonly string[], data: unknown[]) =>
    adapter.broadcast({ type: EVENT, data } as Packet, { rooms: new Set(rooms), except: new Set() });
  return { adapter, add, broadcast, broadcasts, fanout, sent };
}

describe('the fanout in memory', () => {
  it('needs nothing: no start, no checks, and stops twice', async () => {
    const { fanout } = rig(false);
    expect(fanout).toMatchObject({ kind: 'memory', checks: [] });
    await fanout.start();
    await fanout.stop();
    await fanout.stop();
  });

  it.each([false, true])('with recovery %s delivers to members and counts them', (recovery) => {
    const { add, broadcast, broadcasts, sent } = rig(recovery);
    add('s1', ['s1', 'a', 'b']);
    add('s2', ['s2', 'b']);
    broadcast(['a', 'b'], ['message', 1]);
    broadcast([], ['message', 2]);
    broadcast(['nobody'], ['message', 3]);
    expect(broadcasts).toEqual([2, 2, 0]);
    expect(sent.s1).toHaveLength(2);
    expect(sent.s2).toHaveLength(2);
  });

  it('counts for each server apart', () => {
    const [one, two] = [rig(false), rig(false)];
    one.add('s1', ['a']);
    one.broadcast(['a'], ['message']);
    expect([one.broadcasts, two.broadcasts]).toEqual([[1], []]);
  });

  it('measures what the sockets take', () => {
    const now = vi.spyOn(performance, 'now').mockReturnValueOnce(1000).mockReturnValueOnce(1250);
    const seconds: number[] = [];
    const fanout = createMemoryFanout(
      { recovery: false, mostMissedBytes: 1_000 },
      { broadcast: (_, took) => void seconds.push(took) },
    );
    const nsp = { sockets: new Map(), server: { encoder: { encode: () => [] } } };
    const adapter = fanout.adapter(nsp as never) as Adapter;
    adapter.broadcast({ type: EVENT, data: [] }, { rooms: new Set(), except: new Set() });
    now.mockRestore();
    expect(seconds).toEqual([0.25]);
  });
});
