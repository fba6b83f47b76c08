/** Token bucket: a classic of traffic shaping (Turner, 1986). Pure; the caller brings the time. */

/** State of one bucket; small, because every connection has two. */
export interface Bucket {
  tokens: number;
  at: number;
}

/** Adds what has come in since the last look, at `perSecond`, up to `capacity`. */
export function refill(bucket: Bucket, nowMs: number, perSecond: number, capacity: number): void {
  bucket.tokens = Math.min(capacity, bucket.tokens + ((nowMs - bucket.at) * perSecond) / 1000);
  bucket.at = nowMs;
}

/** Takes `amount` when it is there. */
export function take(bucket: Bucket, amount: number): boolean {
  if (bucket.tokens < amount) return false;
  bucket.tokens -= amount;
  return true;
}
