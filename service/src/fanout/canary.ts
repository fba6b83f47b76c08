/** The canary: a message to ourselves through Redis. It tests the publishing path, Redis and the subscribing path at once. */
import type { Cancel, Clock } from '../contracts.ts';

export interface CanaryDeps {
  readonly clock: Clock;
  /** Publishes on one of our own channels. Rejects when Redis did not take it. */
  publish(channel: string, payload: string): Promise<unknown>;
  /** It came back after `lagMs`. */
  onBack(lagMs: number): void;
  /** How many messages the subscription has heard: one that hears others is slow, and not deaf. */
  heard(): number;
  /** It did not come back in time. `isDeaf`: Redis took it, and the subscription has heard nothing since. */
  onMissing(isDeaf: boolean): void;
}

export interface Canary {
  /** Sends one off now, because something has just changed. */
  fly(): void;
  /** To be called with what arrives on the channels. */
  heard(channel: string, payload: string): void;
  start(): Cancel;
}

interface Flight {
  readonly start: number;
  readonly channels: Set<string>;
  taken: number;
  heardBefore: number;
  cancel: Cancel;
}

const PERIOD_MS = 1_000;
const TIMEOUT_MS = 2_000;
// After a long block timers fire before input is read: what has arrived gets another turn.
const LAST_LOOK_MS = 10;

/** One flight a second on every channel; a flight is back when all of them are. */
export function createCanary(channels: readonly string[], deps: CanaryDeps): Canary {
  const { clock } = deps;
  let flights = 0;
  let isFlying = false;
  const missing = new Map<number, Flight>();

  function forget(id: number): void {
    missing.get(id)?.cancel();
    missing.delete(id);
  }

  /** What was sent earlier and is not back says nothing about now: it may have been before the subscription. */
  function land(id: number, { start }: Flight): void {
    for (const earlier of [...missing.keys()]) if (earlier <= id) forget(earlier);
    deps.onBack(clock.now() - start);
  }

  function expire(id: number): void {
    const flight = missing.get(id);
    if (flight === undefined) return;
    forget(id);
    deps.onMissing(flight.taken === channels.length && deps.heard() === flight.heardBefore);
  }

  function fly(): void {
    if (!isFlying) return;
    const id = flights++;
    const flight: Flight = {
      start: clock.now(),
      channels: new Set(channels),
      taken: 0,
      heardBefore: 0,
      cancel: () => undefined,
    };
    missing.set(id, flight);
    flight.cancel = clock.after(TIMEOUT_MS, () => {
      flight.cancel = clock.after(LAST_LOOK_MS, () => expire(id));
    });
    for (const channel of channels) {
      deps.publish(channel, String(id)).then(
        () => {
          flight.taken++;
          flight.heardBefore = deps.heard();
        },
        () => {
          // Redis is away: no need to wait for the time-out to know.
          if (!missing.has(id)) return;
          forget(id);
          deps.onMissing(false);
        },
      );
    }
  }

  return {
    fly,
    heard(channel, payload) {
      const id = Number(payload);
      // Nothing at all is 0 as well.
      const flight = String(id) === payload ? missing.get(id) : undefined;
      if (flight?.channels.delete(channel) && flight.channels.size === 0) land(id, flight);
    },
    start() {
      isFlying = true;
      fly();
      const cancel = clock.every(PERIOD_MS, fly);
      return () => {
        isFlying = false;
        cancel();
        for (const id of [...missing.keys()]) forget(id);
      };
    },
  };
}
