/** What was broadcast lately, encoded. Bounded in bytes over all namespaces; the oldest goes first. Pure: the caller brings the time. */
import type { EncodedPacket } from '../contracts.ts';

export interface LoggedPacket {
  /** The adapter that broadcast it. */
  readonly owner: object;
  readonly rooms: ReadonlySet<string>;
  readonly except: ReadonlySet<string>;
  readonly encoded: EncodedPacket;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface PacketLog {
  /** The offset of the packet that is added next. */
  nextOffset(): string;
  add(packet: LoggedPacket): void;
  /** Everything after the packet with this offset; undefined when that is not all here. */
  after(offset: string): readonly LoggedPacket[] | undefined;
  forgetBefore(at: number): void;
  bytes(): number;
}

// The entry itself, its sets and their strings, roughly.
const ENTRY_BYTES = 400;
const ROOM_BYTES = 50;
// The gap before the first entry is closed when it is this long and half of everything.
const LONGEST_GAP = 1_024;

export function createPacketLog({ mostBytes }: { readonly mostBytes: number }): PacketLog {
  const entries: (LoggedPacket | undefined)[] = [];
  // Entry `i` has the number `base + i`; those before `head` are gone.
  let base = 0;
  let head = 0;
  let bytes = 0;

  function dropOldest(): void {
    const oldest = entries[head];
    if (oldest !== undefined) bytes -= costOf(oldest);
    entries[head++] = undefined;
    if (head < LONGEST_GAP || head * 2 < entries.length) return;
    entries.splice(0, head);
    base += head;
    head = 0;
  }

  return {
    nextOffset: () => (base + entries.length).toString(36),
    add(packet) {
      entries.push(packet);
      bytes += costOf(packet);
      while (bytes > mostBytes) dropOldest();
    },
    after(offset) {
      const index = numberOf(offset) - base;
      // Also with the packet itself gone nothing is missing, if it was the last one to go.
      if (!(index >= head - 1 && index < entries.length)) return undefined;
      return entries.slice(index + 1) as LoggedPacket[];
    },
    forgetBefore(at) {
      while (head < entries.length && (entries[head]?.at ?? 0) < at) dropOldest();
    },
    bytes: () => bytes,
  };
}

/** Bytes that a packet takes on its way to one client. */
export function bytesOf(encoded: EncodedPacket): number {
  return encoded.reduce((sum, part) => sum + part.length, 0);
}

/** Text may take two bytes per character. */
function costOf({ encoded, rooms, except }: LoggedPacket): number {
  const parts = encoded.reduce((sum, part) => sum + (typeof part === 'string' ? part.length * 2 : part.length), 0);
  return ENTRY_BYTES + ROOM_BYTES * (rooms.size + except.size) + parts;
}

function numberOf(offset: string): number {
  return /^[0-9a-z]{1,10}$/.test(offset) ? Number.parseInt(offset, 36) : Number.NaN;
}
