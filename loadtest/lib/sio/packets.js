/** Socket.IO protocol 5: packets to frames (one text, then one buffer for each attachment) and back. */

export const CONNECT = 0;
export const DISCONNECT = 1;
export const EVENT = 2;
export const ACK = 3;
export const CONNECT_ERROR = 4;
const BINARY_EVENT = 5;
const BINARY_ACK = 6;
const MOST_ATTACHMENTS = 10;

/** Frames of a packet `{ type, nsp, data, id }`. Buffers and views within `data` travel as attachments. */
export function encodePacket({ type, nsp = '/', data, id }) {
  const attachments = [];
  const plain = type === EVENT || type === ACK ? withPlaceholders(data, attachments) : data;
  const wireType = attachments.length === 0 ? type : type + 3;
  const head =
    `${wireType}${attachments.length === 0 ? '' : `${attachments.length}-`}` +
    `${nsp === '/' ? '' : `${nsp},`}${id === undefined ? '' : id}`;
  return [plain === undefined ? head : head + JSON.stringify(plain), ...attachments];
}

/** Calls `onPacket` with each whole packet. `add` throws on frames that are not Socket.IO. */
export function createDecoder(onPacket) {
  let waiting;
  return {
    add(frame) {
      // What a crowd hears all the time: an event of the main namespace, without ack. k6's interpreter feels each step.
      if (waiting === undefined && typeof frame === 'string' && frame.startsWith('2[')) {
        return onPacket({ type: EVENT, nsp: '/', id: undefined, data: JSON.parse(frame.slice(1)) });
      }
      if (typeof frame !== 'string') {
        if (waiting === undefined) throw new Error('an attachment came without its packet');
        waiting.attachments.push(frame);
      } else {
        if (waiting !== undefined) throw new Error('a packet came before the attachments of the one before');
        waiting = { ...parseHead(frame), attachments: [] };
      }
      if (waiting.attachments.length < waiting.count) return;
      const { type, nsp, id, data, attachments, count } = waiting;
      waiting = undefined;
      onPacket({ type, nsp, id, data: count === 0 ? data : withAttachments(data, attachments) });
    },
  };
}

function parseHead(text) {
  const wireType = text.charCodeAt(0) - 48;
  if (!(wireType >= CONNECT && wireType <= BINARY_ACK)) throw new Error(`unknown packet type "${text.slice(0, 1)}"`);
  let at = 1;
  let count = 0;
  if (wireType >= BINARY_EVENT) {
    const dash = text.indexOf('-', at);
    count = Number(text.slice(at, dash));
    if (dash < 0 || !Number.isInteger(count) || count < 1 || count > MOST_ATTACHMENTS) {
      throw new Error('the number of attachments is wrong');
    }
    at = dash + 1;
  }
  let nsp = '/';
  if (text[at] === '/') {
    const comma = text.indexOf(',', at);
    nsp = comma < 0 ? text.slice(at) : text.slice(at, comma);
    at = comma < 0 ? text.length : comma + 1;
  }
  const idStart = at;
  while (at < text.length && text.charCodeAt(at) >= 48 && text.charCodeAt(at) <= 57) at++;
  const id = at === idStart ? undefined : Number(text.slice(idStart, at));
  const data = at === text.length ? undefined : JSON.parse(text.slice(at));
  return { type: count === 0 ? wireType : wireType - 3, nsp, id, data, count };
}

function isBinary(value) {
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value);
}

function withPlaceholders(value, attachments) {
  if (value === null || typeof value !== 'object') return value;
  if (isBinary(value)) {
    attachments.push(bufferOf(value));
    return { _placeholder: true, num: attachments.length - 1 };
  }
  if (Array.isArray(value)) return value.map((item) => withPlaceholders(item, attachments));
  if (typeof value.toJSON === 'function') return withPlaceholders(value.toJSON(), attachments);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withPlaceholders(item, attachments)]));
}

function withAttachments(value, attachments) {
  if (value === null || typeof value !== 'object') return value;
  if (value._placeholder === true) {
    const attachment = attachments[value.num];
    if (attachment === undefined) throw new Error('a placeholder has no attachment');
    return attachment;
  }
  if (Array.isArray(value)) return value.map((item) => withAttachments(item, attachments));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withAttachments(item, attachments)]));
}

function bufferOf(value) {
  if (value instanceof ArrayBuffer) return value;
  return value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength);
}
