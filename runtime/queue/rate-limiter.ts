/** How long to wait before trying again. Randomness and time come in as arguments. */

export interface BackoffOptions {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * Exponential backoff with full jitter: a random part of base · 2^(failures − 1), at most `capMs`.
 * `failures` counts from 1; `random` is in [0, 1).
 */
export function backoffMs(failures: number, random: number, options: BackoffOptions): number {
  const ceiling = Math.min(options.capMs, options.baseMs * 2 ** Math.min(failures - 1, 40));
  return random * ceiling;
}

/**
 * A token bucket as a reservation: each call takes one token and says how long to wait for it.
 * (The generic cell rate algorithm: one number of state.)
 */
export class TokenBucket {
  readonly #intervalMs: number;
  readonly #burst: number;
  #paidUntil = Number.NEGATIVE_INFINITY;

  constructor(options: { perSecond: number; burst: number }) {
    this.#intervalMs = 1000 / options.perSecond;
    this.#burst = options.burst;
  }

  /** Milliseconds from `now` (ms) until the token taken by this call may be used. */
  reserve(now: number): number {
    this.#paidUntil = Math.max(this.#paidUntil, now) + this.#intervalMs;
    return Math.max(0, this.#paidUntil - this.#burst * this.#intervalMs - now);
  }

  /** Takes a token if one is there now. */
  tryTake(now: number): boolean {
    const paidUntil = Math.max(this.#paidUntil, now) + this.#intervalMs;
    if (paidUntil - this.#burst * this.#intervalMs > now) return false;
    this.#paidUntil = paidUntil;
    return true;
  }
}
