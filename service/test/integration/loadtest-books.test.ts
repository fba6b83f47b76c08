import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Decoder, Encoder, type Packet } from 'socket.io-parser';
import { describe, expect, it } from 'vitest';

/** What the pure parts of `loadtest/lib` export, as far as it is tested here. k6 runs them untyped. */
interface RoomAccount {
  notOwed(n: number): void;
  sent(n: number, at: number): void;
  arrived(member: number, n: number, at: number): 'first' | 'duplicate';
  outage(member: number, from: number, to: number): void;
  close(total: number, ranges: readonly (readonly [number, number])[]): void;
  isComplete(): boolean;
  settle(): Record<string, number>;
  notOwedRanges(): [number, number][];
}
interface Message {
  readonly n: number;
  readonly sentAt: number;
  readonly ackedAt?: number;
}
interface Stay {
  readonly asked: number;
  readonly from: number;
  readonly to: number;
  readonly gone: number;
}
type Settled = {
  expected: number;
  delivered: number;
  lost: number;
  leaked: number;
  duplicated: number;
  outOfOrder: number;
};

async function load<T>(file: string): Promise<T> {
  return (await import(pathToFileURL(join(import.meta.dirname, '../../../loadtest/lib', file)).href)) as T;
}

const { createRoomAccount } = await load<{ createRoomAccount(options: { members: number }): RoomAccount }>(
  'room-account.js',
);
const { settleStays } = await load<{
  settleStays(messages: readonly Message[], stays: readonly Stay[], arrivals: readonly number[]): Settled;
}>('churn-account.js');
const { podSlot, tailToNumber, numberToTail } = await load<{
  podSlot(name: string, known: readonly string[]): string;
  tailToNumber(name: string): number;
  numberToTail(value: number): string;
}>('pods.js');
const { createBackoff } = await load<{
  createBackoff(options?: { random?: () => number }): { duration(): number; reset(): void };
}>('sio/backoff.js');
const { encodePacket, createDecoder } = await load<{
  encodePacket(packet: Partial<Packet>): (string | ArrayBuffer)[];
  createDecoder(onPacket: (packet: Packet) => void): { add(frame: string | ArrayBuffer): void };
}>('sio/packets.js');
const { growthPerHour, residentBytes } = await load<{
  growthPerHour(samples: readonly (readonly [number, number])[]): number | undefined;
  residentBytes(text: string | null): number;
}>('memory-shape.js');
const { kept, sliceMs, peakThresholds } = await load<{
  kept(names: readonly string[], totalMs: number): Record<string, unknown>;
  sliceMs(totalMs: number): number;
  peakThresholds(plan: object): Record<string, string[]>;
}>('metric-table.js');
const { percent } = await load<{ percent(part: number, whole: number): string }>('report/words.js');

describe('the books of a room', () => {
  const all = (account: RoomAccount, member: number, numbers: readonly number[]) =>
    numbers.map((n) => account.arrived(member, n, n * 100));

  it('are complete when everybody has everything', () => {
    const account = createRoomAccount({ members: 2 });
    all(account, 0, [0, 1, 2]);
    all(account, 1, [0, 1]);
    account.close(3, []);
    expect(account.isComplete()).toBe(false);
    account.arrived(1, 2, 200);
    expect(account.isComplete()).toBe(true);
    expect(account.settle()).toEqual({
      expected: 6,
      delivered: 6,
      duplicated: 0,
      outOfOrder: 0,
      lost: 0,
      lostConnected: 0,
    });
  });

  it('tell a gap, a message that came late, one that came twice and a missing end apart', () => {
    const account = createRoomAccount({ members: 1 });
    expect(all(account, 0, [0, 2, 1, 2, 1, 5])).toEqual(['first', 'first', 'first', 'duplicate', 'duplicate', 'first']);
    account.close(7, []);
    expect(account.settle()).toMatchObject({ expected: 7, delivered: 4, duplicated: 2, outOfOrder: 1, lost: 3 });
  });

  it('owe nobody what was refused or never acknowledged, whether it came or not', () => {
    const account = createRoomAccount({ members: 1 });
    account.notOwed(1);
    account.notOwed(3);
    account.notOwed(4);
    expect(account.notOwedRanges()).toEqual([
      [1, 1],
      [3, 4],
    ]);
    all(account, 0, [0, 1, 2]);
    account.close(5, account.notOwedRanges());
    expect(account.isComplete()).toBe(true);
    expect(account.settle()).toMatchObject({ expected: 2, delivered: 2, lost: 0 });
  });

  it('say which losses no outage explains', () => {
    const account = createRoomAccount({ members: 1 });
    for (let n = 0; n < 6; n++) account.sent(n, n * 100);
    all(account, 0, [0, 5]);
    account.outage(0, 150, 350);
    account.close(6, []);
    expect(account.settle()).toMatchObject({ lost: 4, lostConnected: 2 });
  });

  it('cannot be settled without the total', () => {
    expect(() => createRoomAccount({ members: 1 }).settle()).toThrow('not known');
  });
});

describe('the books of a member that comes and goes', () => {
  const stay: Stay = { asked: 900, from: 1_000, to: 5_000, gone: 5_050 };

  it.each([
    ['was in all the time', { n: 0, sentAt: 2_000, ackedAt: 2_010 }, 1],
    ['had joined just before', { n: 0, sentAt: 1_000, ackedAt: 1_010 }, 1],
    ['was still joining', { n: 0, sentAt: 950, ackedAt: 1_100 }, 0],
    ['left while it was on its way', { n: 0, sentAt: 4_900, ackedAt: 4_990 }, 0],
    ['had left', { n: 0, sentAt: 6_000, ackedAt: 6_010 }, 0],
    ['got no ack', { n: 0, sentAt: 2_000 }, 0],
  ])('owe a message to one that %s, or not', (_what, message, expected) => {
    expect(settleStays([message], [stay], [])).toMatchObject({ expected, delivered: 0, lost: expected });
    expect(settleStays([message], [stay], [0])).toMatchObject({ expected, delivered: expected, lost: 0 });
  });

  it('call it a leak when a message comes to one that had left, or had not asked to join', () => {
    const messages = [
      { n: 0, sentAt: 100, ackedAt: 110 },
      { n: 1, sentAt: 950, ackedAt: 960 },
      { n: 2, sentAt: 6_000, ackedAt: 6_010 },
    ];
    expect(settleStays(messages, [stay], [0, 1, 2])).toMatchObject({ leaked: 2 });
  });
});

describe('names of pods as numbers', () => {
  it.each(['fleet-6f9c5d7b8-x7k2p', 'a', 'zzzzzzzzzz', '0123456789', 'x-'])('come back: %s', (name) => {
    expect(Number.isSafeInteger(tailToNumber(name))).toBe(true);
    expect(numberToTail(tailToNumber(name))).toBe(name.slice(-10).replace(/^-+/, ''));
  });

  it('have the number that setup gave them, or a slot', () => {
    expect(podSlot('b', ['a', 'b'])).toBe('k1');
    expect(podSlot('c', ['a', 'b'])).toMatch(/^n\d+$/);
  });
});

describe('the back-off of the k6 client', () => {
  it('is the one of socket.io-client: within its bounds, and in lock-step at the end', () => {
    const durations = (random: () => number) => {
      const backoff = createBackoff({ random });
      return Array.from({ length: 6 }, () => backoff.duration());
    };
    // The deviation of the fifth attempt is at most half of 16 s.
    expect(durations(() => 0.99)).toEqual([1495, 2990, 5000, 5000, 5000, 5000]);
    expect(durations(() => 0.85)).toEqual([575, 1150, 2300, 4600, 5000, 5000]);
    expect(durations(() => 0)).toEqual([1000, 2000, 4000, 5000, 5000, 5000]);
  });
});

describe('packets of the k6 client', () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const packets = [
    { type: 0, nsp: '/', data: { token: 'x' } },
    { type: 0, nsp: '/chat' },
    { type: 1, nsp: '/chat' },
    { type: 2, nsp: '/', data: ['event', { deep: [1, 'ä', null] }] },
    { type: 2, nsp: '/chat', id: 12, data: ['event', 1] },
    { type: 3, nsp: '/', id: 0, data: [] },
    { type: 2, nsp: '/', id: 3, data: ['file', { parts: [bytes, 'text', bytes] }] },
    { type: 3, nsp: '/chat', id: 7, data: [bytes] },
  ];

  it.each(packets)('are the ones of socket.io-parser: $type $nsp', (packet) => {
    const [head, ...attachments] = encodePacket(packet as Partial<Packet>);
    const [expected, ...buffers] = new Encoder().encode(structuredClone(packet) as Packet);
    expect(head).toBe(expected);
    expect(attachments.map((each) => Buffer.from(each as ArrayBuffer))).toEqual(
      buffers.map((each) => Buffer.from(each as never)),
    );

    const seen: unknown[] = [];
    const decoder = createDecoder((decoded) => seen.push(decoded));
    for (const frame of encodePacket(packet as Partial<Packet>)) decoder.add(frame);
    const theirs: Packet[] = [];
    const reference = new Decoder();
    reference.on('decoded', (decoded) => theirs.push(decoded));
    reference.add(String(head));
    for (const each of attachments) reference.add(Buffer.from(each as ArrayBuffer));
    expect(plain(seen[0])).toEqual(plain({ ...theirs[0], type: packet.type }));
  });

  it.each(['9', '5[]', '51-x', '51-', '599-["a"]', '2{'])('are refused when they are none: %s', (text) => {
    const decoder = createDecoder(() => undefined);
    expect(() => {
      decoder.add(text);
      decoder.add('2["next"]');
    }).toThrow();
  });

  function plain(packet: unknown): unknown {
    const { type, nsp, id, data } = packet as Packet;
    return { type, nsp, id, data: JSON.parse(JSON.stringify(data ?? null, binaryAsText)) };
  }

  function binaryAsText(_key: string, value: unknown): unknown {
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return [...new Uint8Array(value as ArrayBuffer)];
    const { type, data } = (value ?? {}) as { type?: string; data?: number[] };
    return type === 'Buffer' ? data : value;
  }
});

describe('memory', () => {
  it('grows by the slope of its second half', () => {
    const flat = Array.from({ length: 40 }, (_, i) => [i * 60_000, i < 20 ? 50 + i * 5 : 150] as const);
    expect(growthPerHour(flat)).toBeCloseTo(0, 6);
    const growing = Array.from({ length: 61 }, (_, i) => [i * 60_000, 100 + i] as const);
    expect(growthPerHour(growing)).toBeCloseTo((60 / 145.5) * 100, 0);
    expect(growthPerHour([[0, 1]])).toBeUndefined();
  });

  it('is summed over workers, under any prefix', () => {
    const text =
      '# HELP x\nsocketfleet_process_resident_memory_bytes{worker="0"} 1.5e+06\nsocketfleet_process_resident_memory_bytes{worker="1"} 500000\n';
    expect(residentBytes(text)).toBe(2_000_000);
    expect([residentBytes('process_resident_memory_bytes 7'), residentBytes(null)]).toEqual([7, 0]);
  });
});

describe('the slices of a run', () => {
  it('hold the whole run and are never shorter than a second', () => {
    expect([sliceMs(5_000), sliceMs(90_000), sliceMs(91_000), sliceMs(7_200_000)]).toEqual([1000, 1000, 2000, 80_000]);
    expect(Object.keys(kept(['sio_sent'], 3_600_000)).filter((key) => key.startsWith('sio_sent'))).toHaveLength(90);
  });

  it('bound the handshakes only once the crowd has gathered', () => {
    expect(peakThresholds({ peak: { fromMs: 2_500, perSecond: 7 }, totalMs: 5_000 })).toEqual({
      'sio_handshakes{t:3}': ['count<=7'],
      'sio_handshakes{t:4}': ['count<=7'],
      'sio_handshakes{t:5}': ['count<=7'],
    });
  });
});

describe('percentages', () => {
  it('are 100 only for everything and 0 only for nothing', () => {
    const given = [percent(10, 10), percent(999_999, 1_000_000), percent(1, 1_000_000), percent(0, 5), percent(0, 0)];
    expect(given).toEqual(['100 %', '> 99.99 %', '< 0.01 %', '0 %', '-']);
  });
});

describe('the README of the load tests', () => {
  const folder = join(import.meta.dirname, '../../../loadtest');
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');

  it.each(readdirSync(join(folder, 'scenarios')))('has the question of %s', (file) => {
    const [, question] = /question:\s+'([^']+)'/.exec(readFileSync(join(folder, 'scenarios', file), 'utf8')) ?? [];
    expect(readme).toContain(`| \`${file.replace('.js', '')}\` | ${question} |`);
  });

  it('has every parameter that all scenarios take, with its default', async () => {
    const { COMMON } = await load<{ COMMON: Record<string, { whenUnset?: string }> }>('params.js');
    const table = readme.slice(readme.indexOf('All scenarios take'), readme.indexOf('`rollout` breaks'));
    for (const [name, { whenUnset }] of Object.entries(COMMON)) {
      const row = table.split('\n').find((line) => line.includes(`\`${name}\``));
      expect(row, name).toContain(whenUnset === undefined ? '| - |' : `\`${whenUnset}\``);
    }
  });
});
