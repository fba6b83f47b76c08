/**
 * Counts what each client received, so that a benchmark with a missing, doubled or reordered message fails.
 * An event is `42["m","00000017xxxx..."]`: its number stands at a fixed place and is read without parsing the JSON.
 */

/** The event that the server under test emits. */
export const EVENT = 'm';

const PREFIX = `42["${EVENT}","`;
const DIGITS = 8;

/** What all clients received since the tally began. */
export interface Verdict {
  readonly expected: number;
  readonly delivered: number;
  /** What went wrong, one line each, the first few only; empty when everything arrived once and in order. */
  readonly faults: readonly string[];
}

/** Where the text behind the number begins in a frame. */
export const TEXT_AT = PREFIX.length + DIGITS;

/** The text of event `seq`, `bytes` long (at least 8 and `text`). */
export function payload(seq: number, bytes: number, text = ''): string {
  return `${String(seq).padStart(DIGITS, '0')}${text}`.padEnd(bytes, 'x');
}

/** Counts the events of a fixed number of clients, numbered from 0 by their place. */
export interface Tally {
  /** Takes one frame; true when it was an event. */
  take(client: number, frame: Uint8Array): boolean;
  /** Events that arrived since the tally began. */
  readonly delivered: number;
  /** Compares with what should have arrived: `perClient` events, numbered from `first`. */
  verdict(perClient: number): Verdict;
}

/** The events to come: the number of the first one, and the bytes that each carries. */
export interface Expected {
  readonly first: number;
  readonly bytes: number;
}

/** A tally of `clients` clients. */
export function createTally(clients: number, { first, bytes }: Expected): Tally {
  const shortest = PREFIX.length + bytes + '"]'.length;
  const counts = new Uint32Array(clients);
  const wrong = new Map<number, string>();
  let delivered = 0;
  return {
    take(client, frame) {
      if (!isEvent(frame)) return false;
      const due = first + (counts[client] ?? 0);
      const seq = sequenceOf(frame);
      if (seq !== due && !wrong.has(client)) wrong.set(client, `event ${seq} came where ${due} was due`);
      if (frame.length < shortest) wrong.set(client, `event ${seq} was cut short`);
      counts[client] = (counts[client] ?? 0) + 1;
      delivered++;
      return true;
    },
    get delivered() {
      return delivered;
    },
    verdict(perClient) {
      // A lost message stops everybody at its turn: who has the least is the one that missed it.
      const uneven = [...counts.entries()].filter(([, count]) => count !== perClient).sort(([, a], [, b]) => a - b);
      const faults = [
        ...[...wrong].map(([client, text]) => `client ${client}: ${text}`),
        ...uneven.map(([client, count]) => `client ${client}: ${count} of ${perClient} events arrived`),
      ];
      return { expected: clients * perClient, delivered, faults: faults.slice(0, 10) };
    },
  };
}

function isEvent(frame: Uint8Array): boolean {
  if (frame.length < PREFIX.length + DIGITS) return false;
  for (let at = 0; at < PREFIX.length; at++) if (frame[at] !== PREFIX.charCodeAt(at)) return false;
  return true;
}

function sequenceOf(frame: Uint8Array): number {
  let seq = 0;
  for (let at = PREFIX.length; at < PREFIX.length + DIGITS; at++) seq = seq * 10 + (frame[at] ?? 0) - 48;
  return seq;
}
