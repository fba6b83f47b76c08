/** How many of `events` should have been emitted after `elapsedMs` at a steady pace; the first one at once. */
export function eventsDue(
  elapsedMs: number,
  { events, perSecond }: { readonly events: number; readonly perSecond: number },
): number {
  return Math.min(events, Math.floor((elapsedMs * perSecond) / 1000) + 1);
}
