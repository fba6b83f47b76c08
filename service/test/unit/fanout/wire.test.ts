import * as notepack from 'notepack.io';
import { describe, expect, it } from 'vitest';
import {
  decodeMessage,
  isClassicBroadcast,
  isClassicRequest,
  isClassicResponse,
  isShardedMessage,
} from '../../../src/fanout/wire.ts';

const OPTS = { rooms: ['a', 5], except: ['b'], flags: { volatile: true } };
const PACKET = { type: 2, data: ['news', { n: 1 }], nsp: '/' };
const sharded = (type: unknown, data: unknown, more: object = {}) => ({ uid: 'u', nsp: '/', type, data, ...more });

describe('messages between sharded adapters', () => {
  it.each<[string, unknown]>([
    ['a broadcast', sharded(3, { packet: PACKET, opts: OPTS })],
    ['a broadcast to all', sharded(3, { packet: PACKET, opts: { rooms: [], except: [] } })],
    ['a broadcast with acks', sharded(3, { packet: PACKET, opts: OPTS, requestId: 'r' })],
    ['an event with a number for its name', sharded(3, { packet: { type: 2, data: [7] }, opts: OPTS })],
    ['a join', sharded(4, { opts: OPTS, rooms: ['x'] })],
    ['a leave', sharded(5, { opts: OPTS, rooms: ['x'] })],
    ['a disconnect', sharded(6, { opts: OPTS, close: true })],
    ['a search', sharded(7, { opts: OPTS, requestId: 'r' })],
    ['what was found', sharded(8, { requestId: 'r', sockets: [{ id: 's', rooms: [], data: {}, handshake: {} }] })],
    ['a server event', sharded(9, { packet: ['task', 1] })],
    ['a server event with an answer', sharded(9, { packet: ['task', 1], requestId: 'r' })],
    ['the answer', sharded(10, { requestId: 'r', packet: null })],
    ['a count of clients', sharded(11, { requestId: 'r', clientCount: 0 })],
    ['an ack', sharded(12, { requestId: 'r', packet: [1] })],
  ])('are %s', (_name, message) => {
    expect(isShardedMessage(message)).toBe(true);
    expect(isShardedMessage(decodeMessage(Buffer.from(JSON.stringify(message))))).toBe(true);
    expect(isShardedMessage(decodeMessage(notepack.encode(message)))).toBe(true);
  });

  it.each<[string, unknown]>([
    ['nothing', null],
    ['text', 'text'],
    ['a list', [sharded(3, { packet: PACKET, opts: OPTS })]],
    ['nobody’s', { nsp: '/', type: 6, data: { opts: OPTS } }],
    ['of no namespace', { uid: 'u', type: 6, data: { opts: OPTS } }],
    ['without a type', sharded(undefined, { opts: OPTS })],
    ['of a type in text', sharded('6', { opts: OPTS })],
    ['of a type that inherits from Object', sharded('constructor', { opts: OPTS })],
    ['for rooms that are not said', sharded(6, { opts: { except: [] } })],
    ['for rooms that are no list', sharded(6, { opts: { rooms: 'a', except: [] } })],
    ['for rooms that are objects', sharded(6, { opts: { rooms: [{}], except: [] } })],
    ['a broadcast that disconnects', sharded(3, { packet: { type: 1 }, opts: OPTS })],
    ['a broadcast of nothing', sharded(3, { packet: { type: 2, data: [] }, opts: OPTS })],
    ['a broadcast of an event that breaks clients', sharded(3, { packet: { type: 2, data: ['connect'] }, opts: OPTS })],
    ['a server event that is a new client', sharded(9, { packet: ['connection', {}] })],
    ['a count that is none', sharded(11, { requestId: 'r', clientCount: 'many' })],
  ])('are never %s', (_name, message) => {
    expect(isShardedMessage(message)).toBe(false);
  });
});

describe('messages between classic adapters', () => {
  it.each<[string, unknown]>([
    ['with all options', ['u', PACKET, OPTS]],
    ['of an emitter, which leaves out what is empty', ['emitter', PACKET, { rooms: [] }]],
    ['of an emitter that says nothing as null', ['emitter', PACKET, { rooms: ['a'], except: null, flags: null }]],
    ['of old servers, without a namespace', ['u', { type: 2, data: ['news'] }, OPTS]],
  ])('are broadcasts %s', (_name, message) => {
    expect(isClassicBroadcast(message)).toBe(true);
    expect(isClassicBroadcast(decodeMessage(notepack.encode(message)))).toBe(true);
  });

  it.each<[string, unknown]>([
    ['for nobody', ['u', PACKET, {}]],
    ['without options', ['u', PACKET]],
    ['with something behind', ['u', PACKET, OPTS, 1]],
    ['in an object', { 0: 'u', 1: PACKET, 2: OPTS }],
    ['that disconnect', ['u', { type: 1, nsp: '/' }, OPTS]],
  ])('are never broadcasts %s', (_name, message) => {
    expect(isClassicBroadcast(message)).toBe(false);
  });

  it.each<[string, unknown]>([
    ['for sockets', { type: 0, requestId: 'r', rooms: [] }],
    ['for all rooms', { type: 1, requestId: 'r' }],
    ['to join', { type: 2, opts: OPTS, rooms: ['x'] }],
    ['to join, of old servers', { type: 2, sid: 's', room: 'x' }],
    ['to leave', { type: 3, opts: OPTS, rooms: ['x'] }],
    ['to disconnect', { type: 4, opts: OPTS, close: false }],
    ['to disconnect, of old servers', { type: 4, sid: 's', close: true }],
    ['to fetch', { type: 5, requestId: 'r', opts: OPTS }],
    ['to tell servers', { type: 6, uid: 'u', data: ['task'] }],
    ['to broadcast with acks', { type: 7, requestId: 'r', packet: PACKET, opts: OPTS }],
  ])('are requests %s', (_name, request) => {
    expect(isClassicRequest(request)).toBe(true);
  });

  it.each<[string, unknown]>([
    ['that disconnect everybody', { type: 4, opts: {}, close: true }],
    ['that move everybody nowhere', { type: 2, opts: OPTS }],
    ['that are answers', { type: 8, requestId: 'r', clientCount: 1 }],
    ['that are broadcasts', ['u', PACKET, OPTS]],
  ])('are never requests %s', (_name, request) => {
    expect(isClassicRequest(request)).toBe(false);
  });

  it.each<[unknown, boolean]>([
    [{ requestId: 'r', sockets: [] }, true],
    [{ requestId: 'r', rooms: ['a'] }, true],
    [{ requestId: 'r', type: 6, data: 1 }, true],
    [{ requestId: 'r', type: 8, clientCount: 1 }, true],
    [{ requestId: 'r', type: 9, packet: [1] }, true],
    [{ sockets: [] }, false],
    [{ requestId: 7 }, false],
    [{ requestId: 'r', type: 8 }, false],
    [{ requestId: 'r', sockets: 'all' }, false],
    [null, false],
  ])('answer as %j: %s', (response, isOurs) => {
    expect(isClassicResponse(response)).toBe(isOurs);
  });
});

it.each(['', 'x', '{', 'null', '[]', '{"a":}'])('what is neither JSON nor MessagePack throws: %j', (text) => {
  expect(() => {
    const decoded = decodeMessage(Buffer.from(text));
    if (!isShardedMessage(decoded)) throw new Error('not ours');
  }).toThrow();
});
