/** Turns the claims of a token whose signature was accepted into an identity. */
import type { JWTPayload } from 'jose';
import type { Identity } from '../contracts.ts';
import { Refused } from '../refusals.ts';
import { matchesRoom } from './room-patterns.ts';

/** How far the clocks of issuer and server may differ, in seconds. */
export const TOLERANCE_SECONDS = 30;

const MAX_SUB_CHARACTERS = 256;
const MAX_PATTERNS = 256;
const MAX_PATTERN_CHARACTERS = 256;
// Lone surrogates would become the same replacement character on the wire: two users in one name.
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;

/** The identity of a token's claims; throws a `Refused` that names the claim with the wrong shape. */
export function identityOf(claims: JWTPayload, wallMs: number): Identity {
  const sub = subOf(claims);
  const rooms = roomsOf(claims.rooms);
  const exp = endOf(claims.exp, wallMs / 1000);
  return Object.freeze({
    sub,
    rooms,
    ...(exp === undefined ? {} : { exp }),
    allows: (room: string) => rooms.some((pattern) => matchesRoom(pattern, room)),
  });
}

function subOf({ sub }: JWTPayload): string {
  if (sub === undefined) throw new Refused('unauthorized', 'claim sub is missing');
  if (typeof sub !== 'string' || sub === '' || sub.length > MAX_SUB_CHARACTERS || UNPRINTABLE.test(sub)) {
    throw new Refused('unauthorized', `claim sub must be 1 to ${MAX_SUB_CHARACTERS} printable characters`);
  }
  return sub;
}

function roomsOf(claim: unknown): readonly string[] {
  if (claim === undefined) return [];
  const patterns: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  if (patterns.length > MAX_PATTERNS)
    throw new Refused('unauthorized', `claim rooms has more than ${MAX_PATTERNS} patterns`);
  return patterns.map((pattern) => {
    if (typeof pattern !== 'string') throw new Refused('unauthorized', 'claim rooms must be a list of strings');
    if (pattern.length > MAX_PATTERN_CHARACTERS) {
      throw new Refused('unauthorized', `claim rooms has a pattern of more than ${MAX_PATTERN_CHARACTERS} characters`);
    }
    return pattern;
  });
}

function endOf(exp: unknown, wallSeconds: number): number | undefined {
  if (exp === undefined) return undefined;
  // JSON's 1e999 is a number to everybody but a timer.
  if (typeof exp !== 'number' || !Number.isFinite(exp)) throw new Refused('unauthorized', 'claim exp must be a number');
  // Accepted by tolerance only: without the rest of it the session would end at once, come back and end again.
  return exp <= wallSeconds ? exp + TOLERANCE_SECONDS : exp;
}
