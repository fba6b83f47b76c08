/** Engine.IO protocol 4 over polling: packets joined with a separator, binary as base64. */
import encoding from 'k6/encoding';

const SEPARATOR = '\x1e';

/** The text of one packet in a polling body. */
export function encodePolled(packet) {
  return typeof packet === 'string' ? packet : `b${encoding.b64encode(packet)}`;
}

/** Packets of a polling body; binary ones as ArrayBuffer. */
export function decodePolled(body) {
  return body.split(SEPARATOR).map((text) => (text[0] === 'b' ? encoding.b64decode(text.slice(1)) : text));
}

/** Joins as many encoded packets as fit into `maxPayload` bytes (at least one); returns `[body, count]`. */
export function joinPolled(texts, maxPayload) {
  let bytes = 0;
  let count = 0;
  for (const text of texts) {
    bytes += byteLength(text) + 1;
    if (count > 0 && bytes > maxPayload) break;
    count++;
  }
  return [texts.slice(0, count).join(SEPARATOR), count];
}

function byteLength(text) {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    // A surrogate pair has two units and four bytes.
    if (code > 0x7f) bytes += code > 0x7ff && (code < 0xd800 || code > 0xdfff) ? 2 : 1;
  }
  return bytes;
}
