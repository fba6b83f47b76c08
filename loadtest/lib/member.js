/** One client of the gateway: connects, says which pod it is on, joins its rooms, and keeps count of everything that happens to it. */
import { connect } from './sio.js';

const ANSWER_MS = 10_000;
const ROOMS_PER_CALL = 100;
const MOST_TRIES = 5;
/** A message may be on its way for so long before a member hears that its connection is gone. */
const OUTAGE_MARGIN_MS = 1_000;

const TRANSPORTS = { upgrade: ['polling', 'websocket'], websocket: ['websocket'], polling: ['polling'] };

/** Options of `connect` that the parameters of a run ask for. */
export function connectOptions({ SIO_PATH, TRANSPORT, TOKEN }) {
  return {
    path: SIO_PATH,
    transports: TRANSPORTS[TRANSPORT],
    ...(TOKEN === undefined ? {} : { auth: { token: TOKEN } }),
  };
}

/**
 * @param {object} ctx of `defineScenario`
 * @param {object} options `rooms`; `onMessage(data, meta, receivedAt)`; `onOutage(from, to)` after each
 * @returns `socket`, `pod`, `isIn` (connected and in its rooms), `wasIn`, `ask(event, ...args)`, `join`, `leave`, `cut()`, `close()`,
 *   `fail()` (counted as one that did not connect in time, and closed)
 */
export function createMember(ctx, { rooms = [], onMessage, onOutage }) {
  const { tally, params } = ctx;
  const startedAt = Date.now();
  const wanted = new Set(rooms);
  let isClosing = false;
  let outSince;

  tally.count('sio_attempts');
  const socket = connect(params.URL, connectOptions(params));
  const member = { socket, pod: undefined, isIn: false, wasIn: false, ask, join, leave, cut, close, fail };
  watchConnection(socket, ctx, () => isClosing);

  socket.on('connect', async () => {
    tally.count('sio_connects');
    if (!member.wasIn && outSince === undefined) tally.observe('sio_time_to_connected', Date.now() - startedAt);
    else tally.share('sio_recovered', socket.recovered);
    const { id } = socket;
    try {
      if (!(member.wasIn && socket.recovered)) await enter([...wanted]);
      if (socket.id !== id) return;
      member.isIn = true;
      member.wasIn = true;
      if (outSince !== undefined) comeBack();
      const me = await ask('whoami');
      member.pod = me.pod;
      tally.pod(me.pod);
    } catch (error) {
      // A connection that is gone says so itself.
      if (socket.connected && socket.id === id) member.problem = error.message;
    }
  });
  socket.on('disconnect', (reason, detail) => {
    tally.count('sio_disconnects');
    if (reason === 'ping timeout') tally.count('sio_ping_timeouts');
    if (isClosing) return;
    member.isIn = false;
    if (outSince !== undefined) return;
    outSince = Date.now();
    member.lastHeardAt = socket.heardAt ?? outSince;
    tally.count('sio_outages');
    tellOnce(reason, detail);
  });
  if (onMessage !== undefined) socket.on('message', (data, meta) => onMessage(data, meta, socket.heardAt));
  return member;

  function comeBack() {
    const now = Date.now();
    tally.observe('sio_outage_ms', now - outSince);
    onOutage?.(Math.min(outSince, member.lastHeardAt) - OUTAGE_MARGIN_MS, now);
    outSince = undefined;
  }

  async function enter(names) {
    for (let i = 0; i < names.length; i += ROOMS_PER_CALL) {
      await admitted(names.slice(i, i + ROOMS_PER_CALL));
    }
  }

  /** Joins, and asks again as long as the server says that it may. */
  async function admitted(names) {
    for (let tries = 1; ; tries++) {
      const answer = await ask('join', names);
      if (answer.ok) return;
      if (!answer.retry || tries === MOST_TRIES) throw new Error(`join was refused: ${answer.message}`);
      await new Promise((resolve) => setTimeout(resolve, 250 * 2 ** tries));
    }
  }

  /** The answer of the server; rejects when there is none. */
  async function ask(event, ...args) {
    const at = Date.now();
    try {
      const answer = await socket.timeout(ANSWER_MS).emitWithAck(event, ...args);
      tally.observe('sio_rtt', Date.now() - at);
      return answer;
    } catch (error) {
      if (error.message.includes('timed out')) tally.count('sio_ack_timeouts');
      throw error;
    }
  }

  async function join(room) {
    wanted.add(room);
    await enter([room]);
  }

  async function leave(room) {
    wanted.delete(room);
    await ask('leave', room);
  }

  /** Loses its connection, as in a tunnel; it comes back by itself. */
  function cut() {
    socket.io.engine.close();
  }

  /** Leaves for good; what is still out counts as such. */
  function close() {
    if (isClosing) return;
    isClosing = true;
    if (outSince !== undefined) {
      tally.count('sio_still_out');
      onOutage?.(Math.min(outSince, member.lastHeardAt) - OUTAGE_MARGIN_MS, Number.POSITIVE_INFINITY);
    }
    socket.disconnect();
  }

  function fail() {
    tally.count('sio_connect_failed');
    if (member.problem !== undefined) console.warn(`loadtest: a client could not join: ${member.problem}`);
    close();
  }
}

const told = new Set();

/** Why connections end is the first thing to know about a run that failed: each reason once per VU. */
function tellOnce(reason, { code, reason: words, status, error } = {}) {
  const detail = [code, words, status > 0 ? `HTTP ${status}` : '', error].filter(Boolean).join(' ');
  const text = `loadtest: a connection ended: ${reason}${detail === '' ? '' : ` (${detail})`}`;
  if (told.has(text)) return;
  told.add(text);
  console.warn(text);
}

function watchConnection(socket, { tally }, isClosing) {
  const { io } = socket;
  io.on('open', () => tally.count('sio_handshakes'));
  io.on('reconnect_attempt', () => tally.count('sio_attempts'));
  io.on('upgrade', ({ ms }) => tally.observe('sio_upgrade_ms', ms));
  io.on('upgrade_error', () => {
    if (!isClosing()) tally.count('sio_upgrade_failed');
  });
  io.on('broken', () => tally.count('sio_broken'));
  io.on('ping', ({ afterMs }) => {
    tally.count('sio_pings');
    tally.observe('sio_ping_delay', Math.max(0, afterMs - io.engine.handshake.pingInterval));
  });
  io.on('request', ({ status }) => {
    if (status === 200) return;
    // The session is closed while its poll is still open.
    if (isClosing()) return;
    if (status === 400) tally.count('sio_http_400');
    else if (status === 503) tally.count('sio_http_503');
    else tally.count('sio_http_other');
  });
  socket.on('connect_error', (error) => {
    if (!socket.active) tally.count('sio_refused');
    else if (error.detail?.kind === 'websocket') tally.count('sio_socket_errors');
  });
}
