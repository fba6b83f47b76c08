/**
 * Whether a room fits a pattern: `*` stands for any run of characters, everything else for itself.
 * Walks the room once from left to right, so that no pattern can make it slow.
 */
export function matchesRoom(pattern: string, room: string): boolean {
  const first = pattern.indexOf('*');
  if (first < 0) return pattern === room;
  const last = pattern.lastIndexOf('*');
  const end = room.length - (pattern.length - last - 1);
  if (end < first || !room.startsWith(pattern.slice(0, first)) || !room.endsWith(pattern.slice(last + 1))) return false;
  let at = first;
  // The leftmost place for each part leaves the most room for the next, so there is nothing to go back to.
  for (const part of pattern.slice(first + 1, last).split('*')) {
    const found = room.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
