import type { Socket } from 'socket.io';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createPacketLog } from '../../../src/fanout/packet-log.ts';
import { RecoveringAdapter } from '../../../src/fanout/recovering-adapter.ts';

interface Packet {
  readonly type: number;
  readonly data: unknown[];
}

const EVENT = 2;
const WINDOW_MS = 60_000;

afterEach(() => void vi.useRealTimers());

/** An adapter of a namespace that encodes with JSON, and the log behind it. */
function rig(log = createPacketLog({ mostBytes: 1_000_000 })) {
  const sockets = new Map<string, unknown>();
  const nsp = {
    name: '/',
    sockets,
    server: {
      encoder: { encode: (packet: Packet) => [JSON.stringify(packet.data)] },
      opts: { connectionStateRecovery: { maxDisconnectionDuration: WINDOW_MS } },
    },
  };
  const adapter = new RecoveringAdapter(nsp as never, { log, mostMissedBytes: 1_000 });
  const add = (id: string, ...rooms: string[]) => {
    sockets.set(id, { id, client: { writeToEngine: () => undefined } } as unknown as Socket);
    adapter.addAll(id, new Set([id, ...rooms]));
  };
  /** Sends, and tells the offset. */
  const send = (rooms: readonly string[], ...data: unknown[]) => {
    adapter.broadcast({ type: EVENT, data } as never, { rooms: new Set(rooms), except: new Set() });
    return String(data.at(-1));
  };
  /** What a stock socket does when its connection breaks. */
  const lose = (id: string, ...rooms: string[]) => {
    adapter.persistSession({ sid: id, pid: `pid of ${id}`, rooms: [id, ...rooms], data: { of: id } } as never);
    adapter.delAll(id);
    sockets.delete(id);
  };
  const restore = (id: string, offset: string) => adapter.restoreSession(`pid of ${id}`, offset);
  const missed = (id: string) => adapter.takeMissed(id)?.map(([text]) => JSON.parse(String(text))[0]);
  return { adapter, log, add, send, lose, restore, missed };
}

describe('recovery in memory', () => {
  it('gives who comes back its rooms, its data, and what was missed until it hears by itself', async () => {
    const { adapter, add, send, lose, restore, missed } = rig();
    add('s1', 'a');
    const offset = send(['a'], 'seen');
    lose('s1', 'a');
    send(['a'], 'missed');
    send(['b'], 'not for it');
    send(['s1'], 'for it alone');
    expect(await restore('s1', offset)).toMatchObject({ sid: 's1', rooms: ['s1', 'a'], data: { of: 's1' } });
    send(['a'], 'while its token is looked at');
    adapter.broadcast({ type: EVENT, data: ['not for it'] } as never, {
      rooms: new Set(['a']),
      except: new Set(['s1']),
    });
    expect(missed('s1')).toEqual(['missed', 'for it alone', 'while its token is looked at']);
    expect(missed('s1')).toEqual([]);
  });

  it('gives a session one further life, unless the socket that took it was refused', async () => {
    const { adapter, add, send, lose, restore, missed } = rig();
    add('s1', 'a');
    const offset = send(['a'], 'seen');
    lose('s1', 'a');
    send(['a'], 'missed');
    expect(await restore('s1', offset)).toMatchObject({ sid: 's1' });
    expect(await restore('s1', offset)).toBeNull();
    adapter.addAll('s1', new Set(['s1', 'a']));
    adapter.delAll('s1');
    expect(await restore('s1', offset)).toMatchObject({ sid: 's1' });
    expect(missed('s1')).toEqual(['missed']);
    expect(await restore('s1', offset)).toBeNull();
  });

  it('never gives out the id of a socket that is here', async () => {
    const { adapter, add, send, lose, restore } = rig();
    add('s1', 'a');
    const offset = send(['a'], 'seen');
    lose('s1', 'a');
    adapter.addAll('s1', new Set(['s1']));
    expect(await restore('s1', offset)).toBeNull();
  });

  it('starts afresh who has missed more bytes than a slow reader may leave', async () => {
    const { add, send, lose, restore } = rig();
    add('s1', 'a');
    add('s2', 'b');
    const offset = send(['a'], 'seen');
    lose('s1', 'a');
    lose('s2', 'b');
    for (let i = 0; i < 10; i++) send(['a'], 'x'.repeat(100));
    expect(await restore('s1', offset)).toBeNull();
    expect(await restore('s2', offset)).toMatchObject({ sid: 's2' });
  });

  it('starts afresh who comes back after the window, or with an offset that is not known', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
    const { add, send, lose, restore } = rig();
    for (const id of ['s1', 's2', 's3']) add(id, 'a');
    const offset = send(['a'], 'seen');
    for (const id of ['s1', 's2', 's3']) lose(id, 'a');
    expect(await restore('s1', 'zz')).toBeNull();
    vi.setSystemTime(1_000_000 + WINDOW_MS);
    expect(await restore('s2', offset)).not.toBeNull();
    vi.setSystemTime(1_000_001 + WINDOW_MS);
    expect(await restore('s3', offset)).toBeNull();
  });

  it('does not pretend to be complete when the log has run over while a token was looked at', async () => {
    const { adapter, add, send, lose, restore } = rig(createPacketLog({ mostBytes: 2_000 }));
    add('s1', 'a');
    const offset = send(['a'], 'seen');
    lose('s1', 'a');
    expect(await restore('s1', offset)).not.toBeNull();
    for (let i = 0; i < 10; i++) send(['a'], 'x'.repeat(100));
    expect(adapter.takeMissed('s1')).toBeUndefined();
  });

  it('keeps nothing that nobody could come back for', async () => {
    const { log, add, send, lose, restore, missed } = rig();
    const text = ['x'.repeat(1_000)];
    send(['nobody'], ...text);
    send([], ...text);
    expect(log.bytes()).toBe(0);
    add('s1', 'a');
    const offset = send(['a'], 'seen');
    lose('s1', 'a');
    const kept = log.bytes();
    send(['nobody'], ...text);
    expect(log.bytes()).toBe(kept);
    send([], 'for all');
    expect(log.bytes()).toBeGreaterThan(kept);
    await restore('s1', offset);
    expect(missed('s1')).toEqual(['for all']);
    const after = log.bytes();
    send(['a'], ...text);
    expect(log.bytes()).toBe(after);
  });

  it('keeps no volatile packets, and none that wait for an ack', () => {
    const { adapter, log, add } = rig();
    add('s1', 'a');
    const [rooms, except] = [new Set(['a']), new Set<string>()];
    adapter.broadcast({ type: EVENT, data: ['x'] } as never, { rooms, except, flags: { volatile: true } });
    adapter.broadcast({ type: EVENT, data: ['x'], id: 1 } as never, { rooms, except });
    expect(log.bytes()).toBe(0);
  });

  it('keeps nothing that cannot be encoded, and tells the publisher', async () => {
    const { adapter, add, send, lose, restore, missed } = rig();
    add('s1', 'a');
    const circular: unknown[] = [];
    circular.push(circular);
    const offset = send(['a'], 'before');
    expect(() => send(['a'], circular)).toThrow(TypeError);
    expect(() => send(['a'], 1n)).toThrow(TypeError);
    adapter.broadcast({ type: EVENT, data: ['volatile'] } as never, {
      rooms: new Set(['a']),
      except: new Set(),
      flags: { volatile: true },
    });
    send(['a'], 'after');
    lose('s1', 'a');
    await restore('s1', offset);
    expect(missed('s1')).toEqual(['after']);
  });

  it('shares one log between namespaces, and nothing that is in it', async () => {
    const log = createPacketLog({ mostBytes: 1_000_000 });
    const [one, two] = [rig(log), rig(log)];
    one.add('s1', 'a');
    two.add('s2', 'a');
    const offset = one.send(['a'], 'seen');
    one.lose('s1', 'a');
    two.send(['a'], 'of another namespace');
    one.send(['a'], 'missed');
    expect(await two.restore('s1', offset)).toBeNull();
    await one.restore('s1', offset);
    expect(one.missed('s1')).toEqual(['missed']);
  });
});
