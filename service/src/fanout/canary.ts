/** The canary: a message to ourselves through Redis. It tests the publishing path, Redis and the subscribing path at once. */
import type { Cancel, Clock } from '../contracts.ts';

export interface CanaryDeps {
  readonly clock: Clock;
  /** Publishes on one of our own channels. Rejects when Redis did not take it. */
  publish(channel: string, payload: string): Promise<unknown>;
  /** It came back after `lagMs`. */
  onBack(lagMs: number): void;
  /** It did not come back in time. `isDeaf`: Redis took it, so the subscription does not hear. */
  onMissing(isDeaf: boolean): void;
}

export interface Canary {
  /** Sends one off now, because something has just changed. */
  fly(): void;
  /** To be called with what arrives on the channels. */
  heard(channel: string, payload: string): void;
  start(): Cancel;
}

const PERIOD_MS = 1_000;
const TIMEOUT_MS = 2_000;

/** One flight a second on every channel; a flight is back when all of them are. */
export function createCanary(channels: readonly string[], deps: CanaryDeps): Canary {
  const { clock } = deps;
  let flights = 0;
  const missing = new Map<
    number,
    { readonly start: number; readonly channels: Set<string>; readonly cancel: Cancel }
  >();

  function land(id: number): void {
    const flight = missing.get(id);
    if (flight === undefined) return;
    flight.cancel();
    missing.delete(id);
    deps.onBack(clock.now() - flight.start);
  }

  function fly(): void {
    const id = flights++;
    let taken = 0;
    const cancel = clock.after(TIMEOUT_MS, () => {
      missing.delete(id);
      deps.onMissing(taken === channels.length);
    });
    missing.set(id, { start: clock.now(), channels: new Set(channels), cancel });
    for (const channel of channels) {
      deps.publish(channel, String(id)).then(
        () => {
          taken++;
        },
        () => {
          // Redis is away: no need to wait for the time-out to know.
          if (!missing.delete(id)) return;
          cancel();
          deps.onMissing(false);
        },
      );
    }
  }

  return {
    fly,
    heard(channel, payload) {
      const id = Number(payload);
      const flight = missing.get(id);
      if (flight?.channels.delete(channel) && flight.channels.size === 0) land(id);
    },
    start() {
      fly();
      const cancel = clock.every(PERIOD_MS, fly);
      return () => {
        cancel();
        for (const flight of missing.values()) flight.cancel();
        missing.clear();
      };
    },
  };
}
