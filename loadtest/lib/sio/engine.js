/** One Engine.IO 4 session: handshake, upgrade, heartbeat, over polling and WebSocket. */
import { Emitter } from './emitter.js';
import { createPolling } from './polling.js';
import { createWebSocket } from './websocket.js';

const OPEN = '0';
const CLOSE = '1';
const PING = '2';
const PONG = '3';
const MESSAGE = '4';
const UPGRADE = '5';
const NOOP = '6';

/**
 * Fires `open` (handshake), `message` (frame, receivedAt), `ping` ({ afterMs }), `upgrade` ({ ms }), `upgrade_error` (detail),
 * `request` ({ kind, status, error, ms }) and, once, `close` (reason, detail).
 */
export class Engine extends Emitter {
  constructor({ target, jar, headers, tags, transports, upgrade, timeoutMs }) {
    super();
    this.settings = { target, jar, headers, tags, timeoutMs };
    this.transports = transports;
    this.mayUpgrade = upgrade && transports[0] === 'polling' && transports.includes('websocket');
    this.id = undefined;
    this.state = 'opening';
    this.isUpgrading = false;
    this.waiting = [];
    this.transport = transports[0] === 'polling' ? this.#polling() : this.#webSocket(undefined);
  }

  open() {
    this.transport.open();
  }

  /** Sends a Socket.IO frame: text, or an ArrayBuffer. */
  send(frame) {
    const packet = typeof frame === 'string' ? MESSAGE + frame : frame;
    if (this.state !== 'open') return;
    if (this.isUpgrading) this.waiting.push(packet);
    else this.transport.send(packet);
  }

  /** Closes the session from this side. Over polling the server is told. */
  close(reason = 'forced close') {
    if (this.state === 'closed') return;
    const { transport } = this;
    this.#over(reason);
    transport.close();
  }

  #polling() {
    return createPolling(this.settings, {
      onPacket: (packet) => this.#received(packet, Date.now()),
      onRequest: (request) => this.fire('request', request),
      onClose: (reason, detail) => this.#over(reason, detail),
    });
  }

  #webSocket(sid) {
    const transport = createWebSocket(
      { ...this.settings, sid },
      {
        onOpen: () => undefined,
        onPacket: (packet, at) => this.#received(packet, at),
        onClose: (reason, detail) => this.#over(reason, detail),
      },
    );
    return transport;
  }

  #received(packet, at) {
    if (this.state === 'closed') return;
    if (typeof packet !== 'string') return this.fire('message', packet, at);
    const type = packet[0];
    if (type === MESSAGE) this.fire('message', packet.slice(1), at);
    else if (type === PING) this.#pinged();
    else if (type === OPEN && this.id === undefined) this.#opened(packet);
    else if (type === CLOSE) this.#over('transport close', { kind: 'close packet' });
    else if (type !== NOOP && type !== PONG) this.#broken(`unknown Engine.IO packet "${packet.slice(0, 20)}"`);
  }

  #opened(packet) {
    let handshake;
    try {
      handshake = JSON.parse(packet.slice(1));
    } catch {
      return this.#broken('the handshake is not JSON');
    }
    if (typeof handshake.sid !== 'string' || !(handshake.pingInterval > 0))
      return this.#broken('no Engine.IO handshake');
    this.id = handshake.sid;
    this.handshake = handshake;
    this.state = 'open';
    this.transport.opened(handshake);
    this.#expectPing();
    this.fire('open', handshake);
    if (this.state === 'open' && this.mayUpgrade && handshake.upgrades.includes('websocket')) this.#upgrade();
  }

  #pinged() {
    const afterMs = Date.now() - this.heardAt;
    this.#expectPing();
    // Not through send(): it must not wait for an upgrade.
    this.transport.send(PONG);
    this.fire('ping', { afterMs });
  }

  /** The server pings; a server that falls silent is gone. */
  #expectPing() {
    const { pingInterval, pingTimeout } = this.handshake;
    this.heardAt = Date.now();
    clearTimeout(this.pingTimer);
    this.pingTimer = setTimeout(() => this.close('ping timeout'), pingInterval + pingTimeout);
  }

  #upgrade() {
    const startedAt = Date.now();
    let isProbing = true;
    const fail = (error) => {
      if (!isProbing) return;
      isProbing = false;
      clearTimeout(this.probeTimer);
      this.fire('upgrade_error', { error });
    };
    const probe = createWebSocket(
      { ...this.settings, sid: this.id },
      {
        onOpen: () => probe.send('2probe'),
        onClose: (reason, detail) => {
          if (this.transport === probe) this.#over(reason, detail);
          else if (this.isUpgrading) this.#over('transport error', detail);
          else fail(detail.error ?? reason);
        },
        onPacket: (packet, at) => {
          if (!isProbing) return this.#received(packet, at);
          if (packet !== '3probe') return fail(`unexpected answer to the probe: ${String(packet).slice(0, 40)}`);
          isProbing = false;
          clearTimeout(this.probeTimer);
          void this.#switchTo(probe, startedAt);
        },
      },
    );
    this.probe = probe;
    this.probeTimer = setTimeout(() => {
      fail('timeout');
      probe.abandon();
    }, this.settings.timeoutMs);
    probe.open();
  }

  async #switchTo(probe, startedAt) {
    if (this.state !== 'open') return;
    this.isUpgrading = true;
    await this.transport.pause();
    if (this.state !== 'open') return;
    this.transport.abandon();
    this.transport = probe;
    this.isUpgrading = false;
    probe.send(UPGRADE);
    for (const packet of this.waiting.splice(0)) probe.send(packet);
    this.fire('upgrade', { ms: Date.now() - startedAt });
  }

  #broken(error) {
    this.close('parse error');
    this.fire('broken', { error });
  }

  #over(reason, detail) {
    if (this.state === 'closed') return;
    this.state = 'closed';
    clearTimeout(this.pingTimer);
    clearTimeout(this.probeTimer);
    if (this.probe !== undefined && this.probe !== this.transport) this.probe.abandon();
    if (detail !== undefined) this.transport.abandon();
    this.fire('close', reason, detail);
  }
}
