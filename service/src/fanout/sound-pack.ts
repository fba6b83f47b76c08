/**
 * Whether bytes are one whole MessagePack value. Pure. notepack trusts the lengths that it reads: six bytes of garbage
 * make it allocate four gigabytes, a few hundred end the process.
 */

/** Bytes behind the prefix, by prefix: a fixed number. */
const FIXED: Readonly<Record<number, number>> = {
  192: 0,
  194: 0,
  195: 0,
  202: 4,
  203: 8,
  204: 1,
  205: 2,
  206: 4,
  207: 8,
  208: 1,
  209: 2,
  210: 4,
  211: 8,
  // fixext: a type, then 1, 2, 4, 8 or 16
  212: 2,
  213: 3,
  214: 5,
  215: 9,
  216: 17,
};
/** By prefix: the size of the length that follows, what one of that length takes, and how. */
const SIZED: Readonly<Record<number, readonly [size: 1 | 2 | 4, kind: 'bytes' | 'ext' | 'array' | 'map']>> = {
  196: [1, 'bytes'],
  197: [2, 'bytes'],
  198: [4, 'bytes'],
  199: [1, 'ext'],
  200: [2, 'ext'],
  201: [4, 'ext'],
  217: [1, 'bytes'],
  218: [2, 'bytes'],
  219: [4, 'bytes'],
  220: [2, 'array'],
  221: [4, 'array'],
  222: [2, 'map'],
  223: [4, 'map'],
};

/** True when every length fits into what is there, and nothing is left over. */
export function isSoundPack(bytes: Buffer): boolean {
  let at = 0;
  // Values that are still to come; each takes a byte at least.
  let missing = 1;
  while (missing > 0) {
    if (missing > bytes.length - at) return false;
    const prefix = bytes[at++] ?? 193;
    missing--;
    if (prefix < 0x80 || prefix > 0xdf) continue;
    if (prefix < 0x90) missing += 2 * (prefix & 0x0f);
    else if (prefix < 0xa0) missing += prefix & 0x0f;
    else if (prefix < 0xc0) at += prefix & 0x1f;
    else {
      const sized = SIZED[prefix];
      if (sized === undefined) {
        const fixed = FIXED[prefix];
        if (fixed === undefined) return false;
        at += fixed;
        continue;
      }
      const [size, kind] = sized;
      if (at + size > bytes.length) return false;
      const length = bytes.readUIntBE(at, size);
      at += size;
      if (kind === 'bytes') at += length;
      else if (kind === 'ext') at += length + 1;
      else missing += kind === 'array' ? length : 2 * length;
    }
  }
  return at === bytes.length;
}
