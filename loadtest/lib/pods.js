/**
 * Names of pods through metrics. A VU can tell the summary only numbers, and tags that were declared before the run: pods that
 * `setup` has seen have a number, others (a rollout makes them) a hashed slot and the tail of their name written as a number.
 */
import { KNOWN_PODS, NEW_PODS } from './metric-table.js';

const LETTERS = '-0123456789abcdefghijklmnopqrstuvwxyz';
/** As many as a float holds. */
const TAIL = 10;

/** The tag for a pod. */
export function podSlot(name, known) {
  const index = known.indexOf(name);
  if (index >= 0 && index < KNOWN_PODS) return `k${index}`;
  let hash = 2_166_136_261;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 16_777_619) >>> 0;
  return `n${hash % NEW_PODS}`;
}

/** The last ten characters as a number; what is not a letter, a digit or a hyphen becomes a hyphen. */
export function tailToNumber(name) {
  let value = 0;
  for (const letter of name.toLowerCase().slice(-TAIL))
    value = value * LETTERS.length + Math.max(0, LETTERS.indexOf(letter));
  return value;
}

/** The text again; leading hyphens are not told. */
export function numberToTail(number) {
  let left = number;
  let text = '';
  while (left > 0) {
    text = LETTERS[left % LETTERS.length] + text;
    left = Math.floor(left / LETTERS.length);
  }
  return text;
}
