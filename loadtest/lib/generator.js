/** Watches the generator itself: a VU that is late for its own timers would report its own slowness as the server's. */

const EVERY_MS = 100;

/** Observes how late the event loop of this VU is, ten times a second; returns a function that ends it. */
export function watchLag(tally) {
  let due = Date.now() + EVERY_MS;
  let timer = setTimeout(tick, EVERY_MS);
  function tick() {
    const now = Date.now();
    tally.observe('gen_lag', Math.max(0, now - due));
    due = now + EVERY_MS;
    timer = setTimeout(tick, EVERY_MS);
  }
  return () => clearTimeout(timer);
}
