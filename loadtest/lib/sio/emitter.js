/** Listeners by event name: what sockets, managers and engines have in common. */
export class Emitter {
  constructor() {
    this.listeners = new Map();
    this.anyListeners = [];
  }

  on(event, listener) {
    const known = this.listeners.get(event);
    if (known === undefined) this.listeners.set(event, [listener]);
    else known.push(listener);
    return this;
  }

  once(event, listener) {
    const wrapped = (...args) => {
      this.off(event, wrapped);
      listener(...args);
    };
    wrapped.original = listener;
    return this.on(event, wrapped);
  }

  /** Without a listener all of the event go, without an event all there are. */
  off(event, listener) {
    if (event === undefined) this.listeners.clear();
    else if (listener === undefined) this.listeners.delete(event);
    else {
      const left = (this.listeners.get(event) ?? []).filter((each) => each !== listener && each.original !== listener);
      this.listeners.set(event, left);
    }
    return this;
  }

  /** Calls the listeners of an event. Named apart from `emit`, which on a socket sends. */
  fire(event, ...args) {
    const known = this.listeners.get(event);
    if (known === undefined || known.length === 0) return;
    if (known.length === 1) return known[0](...args);
    // A copy, because a listener may remove itself.
    for (const listener of [...known]) listener(...args);
  }
}
