/** Asks the given address before any load is made, and ends the run with one clear line when the answer is no. */

import exec from 'k6/execution';
import http from 'k6/http';
import { connectOptions } from './member.js';
import { residentBytes } from './memory-shape.js';
import { connect } from './sio.js';

const PROBES = 8;
const PROBE_MS = 8_000;

/**
 * For `setup`: connects a few times, and returns the pods that answered and the heartbeat they keep.
 * Ends the run with exit code 108 when the address cannot be tested.
 */
export async function probe(params) {
  try {
    const first = await ask(params);
    const others = await Promise.all(Array.from({ length: PROBES - 1 }, () => ask(params)));
    const pods = [...new Set([first, ...others].map(({ pod }) => pod))].sort();
    return { pods, handshake: first.handshake };
  } catch (error) {
    exec.test.abort(`loadtest: ${error.message}`);
    throw error;
  }
}

/** The text that METRICS_URL answers; ends the run when it does not. */
export function probeMetrics(url) {
  const response = http.get(url, { redirects: 0, timeout: '5s', tags: { name: 'metrics' } });
  if (response.status !== 200 || residentBytes(response.body) === 0) {
    exec.test.abort(
      `loadtest: METRICS_URL=${url} does not show process_resident_memory_bytes (${response.error || `HTTP ${response.status}`})`,
    );
  }
}

async function ask(params) {
  const socket = connect(params.URL, { ...connectOptions(params), reconnection: false, timeout: PROBE_MS });
  try {
    await joined(socket, params);
    if (params.TRANSPORT === 'upgrade') await upgraded(socket, params);
    const me = await socket
      .timeout(PROBE_MS)
      .emitWithAck('whoami')
      .catch(() => ({ ok: false }));
    if (!me.ok)
      throw new Error(`${params.URL} speaks Socket.IO, but does not answer whoami: the gateway is what is tested`);
    return { pod: me.pod, handshake: socket.io.engine.handshake };
  } finally {
    socket.disconnect();
  }
}

/** Always settles: k6 ends with a stack of its own when nothing more can happen in `setup`. */
function joined(socket, params) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${params.URL} did not let the probe in within ${PROBE_MS} ms`)),
      PROBE_MS,
    );
    const refuse = (words) => {
      clearTimeout(timer);
      reject(new Error(words));
    };
    socket.on('connect', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.on('connect_error', (error) => refuse(explain(error, socket, params)));
    socket.io.on('close', (reason, { status, error } = {}) => {
      const missed = status === 400 ? ': requests of one session do not reach the same pod (affinity)' : '';
      refuse(`${params.URL} let the probe go: ${reason}${status > 0 ? ` (HTTP ${status} ${error})` : ''}${missed}`);
    });
  });
}

function upgraded(socket, { URL: url }) {
  return new Promise((resolve, reject) => {
    const remedy = `${url} does not upgrade to WebSocket; -e TRANSPORT=polling tests what it does`;
    if (!socket.io.engine.handshake.upgrades.includes('websocket')) return reject(new Error(remedy));
    if (socket.io.engine.transport.name === 'websocket') return resolve();
    socket.io.on('upgrade', resolve);
    socket.io.on('upgrade_error', ({ error }) => reject(new Error(`${remedy} (${error})`)));
    socket.io.on('close', (reason) => reject(new Error(`${remedy} (${reason})`)));
  });
}

function explain(error, socket, { URL: url, SIO_PATH }) {
  const { status = 0, error: text = '' } = error.detail ?? {};
  if (!socket.active) {
    const isUnauthorized = error.data?.code === 'unauthorized' || error.data?.code === 'token_expired';
    return `${url} refuses the client: ${error.message}${isUnauthorized ? ' (-e TOKEN=... or -e TOKEN_FILE=...)' : ''}`;
  }
  if (/x509|certificate|tls:/i.test(text))
    return `${url} has a certificate that is not trusted here: ${text} (-e INSECURE=1 takes it)`;
  if (status >= 300 && status < 400)
    return `${url} answers with a redirection (HTTP ${status}), which a load test does not follow`;
  if (status === 404) return `there is no Socket.IO at ${url}${SIO_PATH} (HTTP 404)`;
  if (status > 0) return `${url}${SIO_PATH} answers HTTP ${status}: ${text}`;
  if (error.message === 'parse error') return `what answers at ${url}${SIO_PATH} is not Socket.IO`;
  if (/bad handshake/.test(text)) return `${url}${SIO_PATH} refuses the WebSocket: ${text}`;
  return `${url} cannot be reached: ${text || error.message}`;
}
