/**
 * Socket.IO clients for stock k6 (1.6 or newer): Engine.IO 4 and Socket.IO 5, many sockets in one VU.
 *
 *     import { connect } from '../lib/sio.js';
 *
 *     export default async function () {
 *       const socket = connect('http://localhost:3000', { auth: { token } });
 *       socket.on('connect', async () => {
 *         const answer = await socket.timeout(5000).emitWithAck('join', 'lobby');
 *       });
 *       socket.on('message', (data) => { ... });
 *       setTimeout(() => socket.disconnect(), 10_000);
 *     }
 *
 * It feels like `socket.io-client`, and differs where k6 or a load test wants it to:
 * - every socket has its own connection and its own cookie jar, as every browser has; `socket.io.socket('/other')` shares one;
 * - an iteration lasts until its sockets are closed: disconnect() them;
 * - binary arrives as ArrayBuffer;
 * - `disconnect` tells { kind, status, error, code } as its second argument; an event with an ack gets a function as last argument.
 */
import http from 'k6/http';
import { parseAddress } from './sio/address.js';
import { Manager } from './sio/manager.js';

const DEFAULTS = {
  path: '/socket.io',
  transports: ['polling', 'websocket'],
  upgrade: true,
  query: {},
  extraHeaders: {},
  reconnection: true,
  reconnectionAttempts: Number.POSITIVE_INFINITY,
  reconnectionDelay: 1000,
  reconnectionDelayMax: 5000,
  randomizationFactor: 0.5,
  timeout: 20_000,
  auth: undefined,
  jar: undefined,
  tags: {},
};

/**
 * Connects and returns the socket at once.
 *
 * @param {string} url `http://host:port`, `https://host/namespace`
 * @param {object} [options] Those of `socket.io-client` that are in DEFAULTS, with the same defaults; `jar` (an `http.CookieJar`)
 *   and `tags` (of k6, for all requests). Throws on unknown ones.
 * @returns {import('./sio/socket.js').Socket} with on, once, off, onAny, emit, emitWithAck, timeout(ms), volatile, disconnect,
 *   connect, id, connected, recovered, active; `socket.io.engine` has id, transport.name, handshake and close().
 */
export function connect(url, options = {}) {
  const unknown = Object.keys(options).filter((name) => !Object.hasOwn(DEFAULTS, name));
  if (unknown.length > 0) throw new Error(`connect() has no option "${unknown[0]}"`);
  const { path, query, extraHeaders, jar, auth, timeout, ...rest } = { ...DEFAULTS, ...options };
  if (rest.transports.length === 0 || rest.transports.some((name) => name !== 'polling' && name !== 'websocket')) {
    throw new Error('transports are "polling" and "websocket"');
  }
  const { origin, nsp } = parseAddress(url);
  const manager = new Manager({
    ...rest,
    target: { origin, path, query },
    headers: extraHeaders,
    jar: jar ?? new http.CookieJar(),
    timeoutMs: timeout,
  });
  return manager.socket(nsp, { auth });
}
