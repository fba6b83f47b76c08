/** HTTP long polling as a transport: one GET waits, one POST at a time carries what is to be sent. */
import http from 'k6/http';
import { engineUrl } from './address.js';
import { decodePolled, encodePolled, joinPolled } from './payloads.js';

const HELD_POLL_MARGIN_MS = 10_000;

/**
 * `hooks`: `onPacket(packet)`, `onRequest({ kind, status, error, ms })`, `onClose(reason, detail)`.
 * `jar` belongs to one socket: with the jar of the VU, sockets take each other's route.
 */
export function createPolling({ target, jar, headers, tags, timeoutMs }, hooks) {
  let sid;
  let maxPayload = 1_000_000;
  let pollTimeoutMs = timeoutMs;
  let isOpen = true;
  let isPaused = false;
  let isPolling = false;
  let isPosting = false;
  let onIdle;
  const outbox = [];

  async function request(kind, method, body) {
    const startedAt = Date.now();
    const params = {
      jar,
      headers: body === null ? headers : { ...headers, 'content-type': 'text/plain;charset=UTF-8' },
      // The run stays on the given address.
      redirects: 0,
      timeout: kind === 'poll' ? pollTimeoutMs : timeoutMs,
      tags: { ...tags, kind, name: kind },
    };
    let response;
    try {
      response = await http.asyncRequest(method, engineUrl(target, 'polling', sid), body, params);
    } catch (error) {
      response = { status: 0, error: String(error), body: null };
    }
    const { status, error } = response;
    hooks.onRequest({ kind, status, error, ms: Date.now() - startedAt });
    return response;
  }

  function fail(kind, { status, error, body }) {
    if (!isOpen) return;
    close();
    hooks.onClose('transport error', { kind, status, error: error || String(body ?? '').slice(0, 200) });
  }

  async function poll() {
    isPolling = true;
    const response = await request(sid === undefined ? 'handshake' : 'poll', 'GET', null);
    isPolling = false;
    if (response.status !== 200 || typeof response.body !== 'string') return fail('poll', response);
    if (!isOpen) return;
    for (const packet of decodePolled(response.body)) {
      if (isOpen) hooks.onPacket(packet);
    }
    if (isOpen && !isPaused) void poll();
    else settle();
  }

  async function flush() {
    if (isPosting || outbox.length === 0) return;
    isPosting = true;
    const [body, count] = joinPolled(outbox, maxPayload);
    outbox.splice(0, count);
    const response = await request('post', 'POST', body);
    isPosting = false;
    if (response.status !== 200) return fail('post', response);
    if (outbox.length > 0) return flush();
    settle();
  }

  function settle() {
    if (onIdle === undefined || isPolling || isPosting || outbox.length > 0) return;
    onIdle();
    onIdle = undefined;
  }

  function close() {
    isOpen = false;
  }

  return {
    name: 'polling',
    open() {
      void poll();
    },
    /** What the server said in its handshake. */
    opened(handshake) {
      sid = handshake.sid;
      maxPayload = handshake.maxPayload;
      pollTimeoutMs = handshake.pingInterval + handshake.pingTimeout + HELD_POLL_MARGIN_MS;
    },
    send(packet) {
      outbox.push(encodePolled(packet));
      // In a microtask, so that what is sent in one go travels in one body.
      if (outbox.length === 1 && !isPosting) Promise.resolve().then(flush);
    },
    /** No further poll; resolves when nothing is on its way. */
    pause() {
      isPaused = true;
      return new Promise((resolve) => {
        onIdle = resolve;
        settle();
      });
    },
    resume() {
      isPaused = false;
      if (isOpen && !isPolling) void poll();
    },
    /** Tells the server, so that it answers the poll which is open: k6 cannot cancel it, and the iteration waits for it. */
    close() {
      if (!isOpen) return;
      close();
      if (sid === undefined) return;
      outbox.push('1');
      void flush();
    },
    /** Ends without a word; the open poll is still waited for. */
    abandon: close,
  };
}
