/** The time of the emit, carried in the text of an event behind its number. */
import { TEXT_AT } from './tally.ts';

const DIGITS = 16;

/** Microseconds of the system's monotonic clock, which all processes of a machine share. */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** What goes into the text of an event; 16 bytes. */
export function stampNow(): string {
  return String(nowUs()).padStart(DIGITS, '0');
}

/** The time in the frame of an event, in microseconds. */
export function stampOf(frame: Uint8Array): number {
  let us = 0;
  for (let at = TEXT_AT; at < TEXT_AT + DIGITS; at++) us = us * 10 + (frame[at] ?? 0) - 48;
  return us;
}
