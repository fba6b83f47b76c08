/** One connection shared by namespaces; comes back by itself, as Socket.IO's own Manager does. */
import { createBackoff } from './backoff.js';
import { Emitter } from './emitter.js';
import { Engine } from './engine.js';
import { createDecoder, encodePacket } from './packets.js';
import { Socket } from './socket.js';

/**
 * Fires `open`, `close` (reason, detail), `error` (error), `reconnect_attempt` (n), `reconnect` (n), `reconnect_failed`, and what
 * the engine of the moment fires: `ping`, `upgrade`, `upgrade_error`, `request`.
 */
export class Manager extends Emitter {
  constructor(settings) {
    super();
    this.settings = settings;
    this.namespaces = new Map();
    this.state = 'closed';
    this.engine = undefined;
    this.mayReconnect = settings.reconnection;
    this.backoff = createBackoff({
      min: settings.reconnectionDelay,
      max: settings.reconnectionDelayMax,
      jitter: settings.randomizationFactor,
    });
  }

  /** The socket of a namespace; connects it. `auth` is an object, or a function that is called at each connection. */
  socket(nsp, { auth } = {}) {
    let socket = this.namespaces.get(nsp);
    if (socket === undefined) {
      socket = new Socket(this, nsp, auth);
      this.namespaces.set(nsp, socket);
    }
    socket.connect();
    return socket;
  }

  open() {
    if (this.state !== 'closed') return;
    this.state = 'opening';
    this.mayReconnect = this.settings.reconnection;
    clearTimeout(this.retryTimer);
    const engine = new Engine(this.settings);
    this.engine = engine;
    let timer;
    const failed = (message, detail) => {
      if (this.engine !== engine || this.state !== 'opening') return;
      clearTimeout(timer);
      this.state = 'closed';
      this.#failed(Object.assign(new Error(message), { detail }));
    };
    timer = setTimeout(() => {
      failed('timeout');
      engine.close();
    }, this.settings.timeoutMs);
    for (const event of ['ping', 'upgrade', 'upgrade_error', 'request', 'broken']) {
      engine.on(event, (...args) => this.fire(event, ...args));
    }
    const decoder = createDecoder((packet) => this.namespaces.get(packet.nsp)?.received(packet, this.receivedAt));
    engine.on('open', () => {
      if (this.state !== 'opening') return engine.close();
      clearTimeout(timer);
      this.state = 'open';
      const attempts = this.backoff.attempts;
      this.backoff.reset();
      this.fire('open', engine.handshake);
      if (attempts > 0) this.fire('reconnect', attempts);
    });
    engine.on('message', (frame, at) => {
      this.receivedAt = at;
      try {
        decoder.add(frame);
      } catch (error) {
        this.fire('broken', { error: String(error) });
        engine.close('parse error');
      }
    });
    engine.on('close', (reason, detail) => {
      if (this.state === 'opening') failed(describe(reason, detail), detail);
      else if (this.engine === engine) this.#closed(reason, detail);
    });
    engine.open();
  }

  send(packet) {
    for (const frame of encodePacket(packet)) this.engine.send(frame);
  }

  /** Ends the connection for good when no namespace wants it any more. */
  release() {
    if ([...this.namespaces.values()].some((socket) => socket.active)) return;
    this.mayReconnect = false;
    clearTimeout(this.retryTimer);
    if (this.state !== 'closed') this.engine.close();
    this.state = 'closed';
  }

  #closed(reason, detail) {
    this.state = 'closed';
    this.backoff.reset();
    this.fire('close', reason, detail);
    for (const socket of this.namespaces.values()) socket.dropped(reason, detail);
    this.#reconnect();
  }

  #failed(error) {
    this.fire('error', error);
    for (const socket of this.namespaces.values()) socket.failed(error);
    this.#reconnect();
  }

  #reconnect() {
    if (!this.mayReconnect || ![...this.namespaces.values()].some((socket) => socket.active)) return;
    if (this.backoff.attempts >= this.settings.reconnectionAttempts) {
      this.backoff.reset();
      this.fire('reconnect_failed');
      return;
    }
    this.retryTimer = setTimeout(() => {
      this.fire('reconnect_attempt', this.backoff.attempts);
      this.open();
    }, this.backoff.duration());
  }
}

function describe(reason, detail) {
  if (detail === undefined) return reason;
  const status = detail.status > 0 ? `HTTP ${detail.status}` : '';
  return [detail.kind, status, detail.error].filter(Boolean).join(' ') || reason;
}
