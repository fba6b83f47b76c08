/** What the adapters of other servers say on our channels: whether a message is in their format. Pure. */
import * as notepack from 'notepack.io';
import { isSoundPack } from './sound-pack.ts';

type Fields = Readonly<Record<string, unknown>>;
type ByType = Readonly<Record<number, (fields: Fields) => boolean>>;

const OPENING_BRACE = 0x7b;
// PacketType.EVENT of socket.io-parser; broadcasts are nothing else.
const EVENT = 2;
// A client that is sent one of these as an event breaks off.
const RESERVED = new Set(['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener']);
const RESERVED_HERE = new Set(['connect', 'connection', 'new_namespace', ...RESERVED]);

/** The message behind bytes from a channel. Throws on what is neither JSON nor MessagePack. */
export function decodeMessage(bytes: Buffer): unknown {
  return bytes[0] === OPENING_BRACE ? JSON.parse(bytes.toString()) : unpack(bytes);
}

/** The value behind MessagePack. Throws on anything else, however malformed. */
export function unpack(bytes: Buffer): unknown {
  if (!isSoundPack(bytes)) throw new Error('no MessagePack');
  return notepack.decode(bytes);
}

/** A message between sharded adapters; numbers are MessageType of socket.io-adapter. */
export function isShardedMessage(message: unknown): boolean {
  if (!isFields(message) || !isText(message.uid) || !isText(message.nsp) || !isFields(message.data)) return false;
  return byType(SHARDED, message.type, message.data);
}

const SHARDED: ByType = {
  3: ({ packet, opts, requestId }) => isPacket(packet) && isOptions(opts) && isMaybeText(requestId),
  4: ({ opts, rooms }) => isOptions(opts) && isRooms(rooms),
  5: ({ opts, rooms }) => isOptions(opts) && isRooms(rooms),
  6: ({ opts }) => isOptions(opts),
  7: ({ opts, requestId }) => isOptions(opts) && isText(requestId),
  8: ({ requestId, sockets }) => isText(requestId) && isSockets(sockets),
  9: ({ packet, requestId }) => isServerEvent(packet) && isMaybeText(requestId),
  10: ({ requestId }) => isText(requestId),
  11: ({ requestId, clientCount }) => isText(requestId) && Number.isInteger(clientCount),
  12: ({ requestId }) => isText(requestId),
};

/** A broadcast between classic adapters, or of an emitter: `[uid, packet, options]`. */
export function isClassicBroadcast(message: unknown): boolean {
  if (!Array.isArray(message) || message.length !== 3) return false;
  const [uid, packet, options] = message as [unknown, unknown, unknown];
  return isText(uid) && isPacket(packet) && isFields(packet) && isMaybeText(packet.nsp) && isOptions(options);
}

/** A request between classic adapters, or of an emitter; numbers are RequestType of @socket.io/redis-adapter. */
export function isClassicRequest(request: unknown): request is Fields {
  return isFields(request) && byType(REQUESTS, request.type, request);
}

const isMove = ({ opts, rooms, sid, room }: Fields) =>
  opts === undefined ? isText(sid) && isRoom(room) : isOptions(opts) && isRooms(rooms);
const REQUESTS: ByType = {
  0: ({ requestId, rooms }) => isText(requestId) && isRooms(rooms),
  1: ({ requestId }) => isText(requestId),
  2: isMove,
  3: isMove,
  4: ({ opts, sid }) => (opts === undefined ? isText(sid) : isOptions(opts)),
  5: ({ requestId, opts }) => isText(requestId) && isOptions(opts),
  6: ({ data, requestId }) => isServerEvent(data) && isMaybeText(requestId),
  7: ({ requestId, packet, opts }) => isText(requestId) && isPacket(packet) && isOptions(opts),
};

/** An answer between classic adapters. */
export function isClassicResponse(response: unknown): boolean {
  if (!isFields(response) || !isText(response.requestId)) return false;
  const { type, sockets, rooms, clientCount } = response;
  if (type === 8) return Number.isInteger(clientCount);
  return (sockets === undefined || Array.isArray(sockets)) && (rooms === undefined || isRooms(rooms));
}

function byType(checks: ByType, type: unknown, fields: Fields): boolean {
  return typeof type === 'number' && (checks[type]?.(fields) ?? false);
}

function isPacket(packet: unknown): boolean {
  return isFields(packet) && packet.type === EVENT && isEvent(packet.data, RESERVED);
}

function isServerEvent(event: unknown): boolean {
  return isEvent(event, RESERVED_HERE);
}

function isEvent(event: unknown, reserved: ReadonlySet<string>): boolean {
  if (!Array.isArray(event)) return false;
  const [name] = event as unknown[];
  return typeof name === 'number' || (isText(name) && !reserved.has(name));
}

/** Whom a message is for. One that names nobody is for all, so what is not there must not count as nobody. */
function isOptions(options: unknown): boolean {
  if (!isFields(options)) return false;
  const { rooms, except, flags } = options;
  // Emitters in other languages leave out what is empty.
  return isRooms(rooms) && isRooms(except ?? []) && isFields(flags ?? {});
}

function isSockets(sockets: unknown): boolean {
  return Array.isArray(sockets) && sockets.every((socket) => isFields(socket) && isText(socket.id));
}

const isRooms = (rooms: unknown) => Array.isArray(rooms) && rooms.every(isRoom);
const isRoom = (room: unknown) => typeof room === 'string' || typeof room === 'number';
const isText = (value: unknown): value is string => typeof value === 'string';
const isMaybeText = (value: unknown) => value === undefined || typeof value === 'string';
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
