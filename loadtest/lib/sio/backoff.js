/**
 * How long a Socket.IO client waits before it comes back: the formula of `socket.io-client`.
 * The deviation comes before the cap, so that from the fifth attempt on everybody waits exactly the maximum: real crowds do
 * the same, and a kinder formula would flatter the server.
 */
export function createBackoff({ min = 1000, max = 5000, jitter = 0.5, random = Math.random } = {}) {
  let attempts = 0;
  return {
    get attempts() {
      return attempts;
    },
    /** Milliseconds until the next attempt; counts it. */
    duration() {
      let ms = min * 2 ** attempts;
      attempts++;
      const share = random();
      const deviation = Math.floor(share * jitter * ms);
      ms = (Math.floor(share * 10) & 1) === 0 ? ms - deviation : ms + deviation;
      return Math.min(ms, max) | 0;
    },
    reset() {
      attempts = 0;
    },
  };
}
