import { describe, expect, it } from 'vitest';
import { bytesOf, createPacketLog } from '../../../src/fanout/packet-log.ts';

const OWNER = {};
const packet = (text: string, at = 0, rooms: readonly string[] = ['a']) => ({
  owner: OWNER,
  rooms: new Set(rooms),
  except: new Set<string>(),
  encoded: [text],
  at,
});

/** A log to which texts are added; `add` gives the offset of each. */
function rig(mostBytes = 1_000_000) {
  const log = createPacketLog({ mostBytes });
  const add = (text: string, at = 0) => {
    const offset = log.nextOffset();
    log.add(packet(text, at));
    return offset;
  };
  const since = (offset: string) => log.after(offset)?.map(({ encoded }) => encoded[0]);
  return { log, add, since };
}

describe('the log of packets', () => {
  it('tells what came after an offset, in order', () => {
    const { add, since } = rig();
    const offsets = ['one', 'two', 'three'].map((text) => add(text));
    expect(offsets.map(since)).toEqual([['two', 'three'], ['three'], []]);
    expect(new Set(offsets).size).toBe(3);
  });

  it.each(['', 'zzz', '-1', '__proto__', '0x1', '1.5', '9'.repeat(30), '3'])('knows nothing after %j', (offset) => {
    const { add, since } = rig();
    for (const text of ['one', 'two', 'three']) add(text);
    expect(since(offset)).toBeUndefined();
  });

  it('keeps at most so many bytes: the oldest go, and who misses one of them is told that it is not all here', () => {
    const { log, add, since } = rig(20_000);
    const offsets = Array.from({ length: 100 }, (_, n) => add(`${n} ${'x'.repeat(100)}`));
    expect(log.bytes()).toBeLessThanOrEqual(20_000);
    const complete = offsets.map(since).filter((rest) => rest !== undefined);
    expect(complete.length).toBeGreaterThan(20);
    expect(complete.length).toBeLessThan(100);
    // The longest is all that is kept: its own packet was the last to go.
    expect(complete[0]?.length).toBe(complete.length - 1);
    expect(complete.at(-1)).toEqual([]);
  });

  it('counts text, buffers and rooms', () => {
    const { log, add } = rig();
    add('');
    const empty = log.bytes();
    log.add({ ...packet(''), encoded: ['x'.repeat(1_000), Buffer.alloc(500)] });
    expect(log.bytes()).toBe(2 * empty + 2_500);
    log.add(
      packet(
        '',
        0,
        Array.from({ length: 101 }, (_, n) => `room ${n}`),
      ),
    );
    expect(log.bytes()).toBeGreaterThan(3 * empty + 2_500 + 1_000);
    expect(bytesOf(['12345', Buffer.alloc(10)])).toBe(15);
  });

  it('forgets what is too old, and takes no room for it', () => {
    const { log, add, since } = rig();
    const offsets = Array.from({ length: 5_000 }, (_, n) => add(`${n}`, n));
    log.forgetBefore(4_990);
    expect(since(offsets[4_988] ?? '')).toBeUndefined();
    expect(since(offsets[4_989] ?? '')).toHaveLength(10);
    expect(since(offsets[4_997] ?? '')).toEqual(['4998', '4999']);
    log.forgetBefore(10_000);
    expect(log.bytes()).toBe(0);
    expect(since(offsets[4_999] ?? '')).toEqual([]);
    expect(since(add('next'))).toEqual([]);
    expect(since(offsets[4_999] ?? '')).toEqual(['next']);
  });

  it('has room for one packet that is larger than all it may keep only until it is asked', () => {
    const { log, add, since } = rig(1_000);
    const before = add('small');
    add('x'.repeat(10_000));
    expect(log.bytes()).toBe(0);
    expect(since(before)).toBeUndefined();
  });
});
