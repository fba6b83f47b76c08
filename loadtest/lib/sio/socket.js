/** One namespace of a connection: events, acks, and what a recovered session needs. */
import { Emitter } from './emitter.js';
import { ACK, CONNECT, CONNECT_ERROR, DISCONNECT, EVENT } from './packets.js';

/**
 * Fires `connect`, `connect_error` (error), `disconnect` (reason, detail) and the events of the server.
 * `id`, `connected`, `recovered` and `active` mean what they mean in `socket.io-client`.
 */
export class Socket extends Emitter {
  #acks = new Map();
  #nextAck = 0;
  #buffer = [];
  #pid;
  #offset;

  constructor(manager, nsp, auth) {
    super();
    this.io = manager;
    this.nsp = nsp;
    this.auth = auth;
    this.id = undefined;
    this.connected = false;
    this.recovered = false;
    this.active = false;
    /** When the last packet came, in milliseconds since 1970. */
    this.heardAt = undefined;
  }

  connect() {
    if (this.active) return this;
    this.active = true;
    if (this.io.openListener === undefined) {
      this.io.openListener = () => {
        for (const socket of this.io.namespaces.values()) if (socket.active) socket.opened();
      };
      this.io.on('open', this.io.openListener);
    }
    if (this.io.state === 'open') this.opened();
    else this.io.open();
    return this;
  }

  /** Sends an event. A function as last argument is called with the arguments of the ack. */
  emit(event, ...args) {
    const hasAck = typeof args.at(-1) === 'function';
    this.#send(event, hasAck ? args.slice(0, -1) : args, hasAck ? args.at(-1) : undefined);
    return this;
  }

  /** Resolves with the first argument of the ack; without a time-out it rejects only when the connection ends. */
  emitWithAck(event, ...args) {
    return this.#ask(event, args, undefined);
  }

  /** The next emit is given up after `ms`: the callback gets an Error first, the promise rejects. */
  timeout(ms) {
    return {
      emit: (event, ...args) => {
        const ack = args.pop();
        this.#ask(event, args, ms).then(
          (answer) => ack(null, answer),
          (error) => ack(error),
        );
        return this;
      },
      emitWithAck: (event, ...args) => this.#ask(event, args, ms),
    };
  }

  /** Dropped, instead of kept for later, while there is no connection. */
  get volatile() {
    return {
      emit: (event, ...args) => {
        if (this.connected) this.emit(event, ...args);
        return this;
      },
    };
  }

  onAny(listener) {
    this.anyListeners.push(listener);
    return this;
  }

  /** Leaves the namespace, and closes the connection when it was the last. */
  disconnect() {
    if (!this.active) return this;
    if (this.connected) this.io.send({ type: DISCONNECT, nsp: this.nsp });
    this.active = false;
    this.#lost('io client disconnect');
    this.io.release();
    return this;
  }

  opened() {
    const given = typeof this.auth === 'function' ? this.auth() : this.auth;
    const known = this.#pid === undefined ? {} : { pid: this.#pid, offset: this.#offset };
    const data = given === undefined && this.#pid === undefined ? undefined : { ...known, ...given };
    this.io.send({ type: CONNECT, nsp: this.nsp, data });
  }

  received({ type, data, id }, at) {
    this.heardAt = at;
    if (type === EVENT) this.#event(data, id);
    else if (type === ACK) this.#acked(id, data);
    else if (type === CONNECT) this.#connected(data);
    else if (type === CONNECT_ERROR) this.#refused(data);
    else if (type === DISCONNECT) {
      this.active = false;
      this.#lost('io server disconnect');
      this.io.release();
    }
  }

  /** The connection ended. */
  dropped(reason, detail) {
    this.#lost(reason, detail);
  }

  /** The connection could not be made; another attempt follows unless `active` is false. */
  failed(error) {
    if (this.active && !this.connected) this.fire('connect_error', error);
  }

  #connected({ sid, pid } = {}) {
    this.id = sid;
    this.recovered = pid !== undefined && this.#pid === pid;
    this.#pid = pid;
    this.connected = true;
    for (const packet of this.#buffer.splice(0)) this.io.send(packet);
    this.fire('connect');
  }

  #refused(data = {}) {
    this.active = false;
    const error = Object.assign(new Error(data.message ?? 'refused'), { data: data.data });
    this.fire('connect_error', error);
    this.io.release();
  }

  #event(args, id) {
    const last = args.at(-1);
    if (this.#pid !== undefined && typeof last === 'string') this.#offset = last;
    if (id !== undefined) {
      let isSent = false;
      args.push((...answer) => {
        if (isSent || !this.connected) return;
        isSent = true;
        this.io.send({ type: ACK, nsp: this.nsp, id, data: answer });
      });
    }
    if (this.anyListeners.length > 0) for (const listener of this.anyListeners) listener(...args);
    this.fire(...args);
  }

  #acked(id, data) {
    const pending = this.#acks.get(id);
    if (pending === undefined) return;
    this.#acks.delete(id);
    pending.resolve(data);
  }

  #ask(event, args, ms) {
    return new Promise((resolve, reject) => {
      let timer;
      const id = this.#send(event, args, (...answer) => {
        clearTimeout(timer);
        resolve(answer[0]);
      });
      this.#acks.get(id).reject = (error) => {
        clearTimeout(timer);
        reject(error);
      };
      if (ms === undefined) return;
      timer = setTimeout(() => {
        this.#acks.delete(id);
        this.#buffer = this.#buffer.filter((packet) => packet.id !== id);
        reject(new Error('operation has timed out'));
      }, ms);
    });
  }

  #send(event, args, ack) {
    const packet = { type: EVENT, nsp: this.nsp, data: [event, ...args], id: undefined };
    if (ack !== undefined) {
      packet.id = this.#nextAck++;
      this.#acks.set(packet.id, { resolve: (answer) => ack(...answer), reject: () => undefined });
    }
    if (this.connected) this.io.send(packet);
    else this.#buffer.push(packet);
    return packet.id;
  }

  #lost(reason, detail) {
    if (!this.connected) return;
    this.connected = false;
    this.id = undefined;
    const buffered = new Set(this.#buffer.map((packet) => packet.id));
    for (const [id, pending] of this.#acks) {
      if (buffered.has(id)) continue;
      this.#acks.delete(id);
      pending.reject(new Error('socket has been disconnected'));
    }
    this.fire('disconnect', reason, detail);
  }
}
