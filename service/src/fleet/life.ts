/**
 * A life is the time for which one server holds one lease: its tag, its generation and a count.
 * The count goes up when the lease was lost, so that what others clean up after it is never what it writes anew.
 */

const LIFE = /^[\w-]{10}[0-9a-z]{1,9}$/;

export function isLife(text: string): boolean {
  return LIFE.test(text);
}

/** The first two characters. */
export function tagOfLife(life: string): string {
  return life.slice(0, 2);
}

/** The next eight. */
export function generationOfLife(life: string): string {
  return life.slice(2, 10);
}
