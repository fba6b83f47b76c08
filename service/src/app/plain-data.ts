/** What of a client's data may reach other clients. Pure; handlers only ever see data of bounded depth. */

type Found = (object: object) => boolean;

/** Whether there is a buffer in it, at any depth. */
export function hasBinary(value: unknown): boolean {
  return contains(value, isBinary);
}

/**
 * Whether an object in it says `_placeholder`, at any depth. Socket.IO writes that where a buffer stood: beside somebody
 * else's buffer, text that imitates it makes every client that receives it close its connection.
 */
export function hasPlaceholder(value: unknown): boolean {
  return contains(value, (object) => Object.hasOwn(object, '_placeholder'));
}

function contains(value: unknown, found: Found): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (found(value)) return true;
  return !isBinary(value) && Object.values(value).some((inner) => contains(inner, found));
}

function isBinary(object: object): boolean {
  return ArrayBuffer.isView(object) || object instanceof ArrayBuffer || object instanceof Blob;
}
