/** What the state of Redis means for readiness. Pure; the caller brings samples, answers of peers and the time. */

export type ReadinessPolicy = 'off' | 'startup' | 'grace' | 'strict';

export interface ReadinessOptions {
  readonly policy: ReadinessPolicy;
  /** How long Redis may be out of reach before peers are asked (grace). */
  readonly graceMs: number;
  /** How long Redis must be well again, or no peer see it, before a server that left comes back. */
  readonly recoverMs: number;
  /** 0 to 1; spreads the end of the grace over half its length, so that not all servers ask at once. */
  readonly jitter: number;
}

export interface Readiness {
  /** One look at Redis. */
  sample(isUp: boolean, nowMs: number): void;
  /** What peers said: `true` one sees Redis, `false` all that answered do not, `undefined` none answered. */
  peersSaid(sees: boolean | undefined, nowMs: number): void;
  /** Whether it is time to ask them. */
  wantsPeers(nowMs: number): boolean;
  isReady(): boolean;
  /** Undefined when ready; otherwise the reason in words. */
  reason(): string | undefined;
  hasSeenRedis(): boolean;
  /** Milliseconds for which Redis has been out of reach; 0 when it is not. */
  downMs(nowMs: number): number;
}

// One lost canary is no outage.
const STRICT_PATIENCE_MS = 1_500;

export function createReadiness(options: ReadinessOptions): Readiness {
  const graceMs = options.graceMs * (1 + options.jitter / 2);
  let hasSeen = false;
  let downSince: number | undefined;
  let upSince: number | undefined;
  // Since when every peer that answered has been without Redis as well.
  let sharedSince: number | undefined;
  let isOut = false;

  const hasLasted = (since: number | undefined, nowMs: number) =>
    since !== undefined && nowMs - since >= options.recoverMs;
  const isReady = () => options.policy === 'off' || (hasSeen && (options.policy === 'startup' || !isOut));

  return {
    sample(isUp, nowMs) {
      if (isUp) {
        hasSeen = true;
        downSince = undefined;
        sharedSince = undefined;
        upSince ??= nowMs;
      } else {
        upSince = undefined;
        downSince ??= nowMs;
      }
      if (hasLasted(upSince, nowMs)) isOut = false;
      if (options.policy === 'strict' && downSince !== undefined && nowMs - downSince >= STRICT_PATIENCE_MS) {
        isOut = true;
      }
    },
    peersSaid(sees, nowMs) {
      // Nobody answered: stay as you are. What comes late is about an outage that is over.
      if (options.policy !== 'grace' || downSince === undefined || sees === undefined) return;
      if (sees) {
        isOut = true;
        sharedSince = undefined;
      } else {
        sharedSince ??= nowMs;
        if (hasLasted(sharedSince, nowMs)) isOut = false;
      }
    },
    wantsPeers: (nowMs) =>
      options.policy === 'grace' && hasSeen && downSince !== undefined && nowMs - downSince >= graceMs,
    isReady,
    reason() {
      if (isReady()) return undefined;
      return hasSeen ? 'cut off from Redis' : 'has not seen Redis yet';
    },
    hasSeenRedis: () => hasSeen,
    downMs: (nowMs) => (downSince === undefined ? 0 : nowMs - downSince),
  };
}
