/**
 * When to announce an address without being asked (speaker-l2.md §5.5): a burst as soon as it is gained, then,
 * if wanted, a slow period. A reconcile that changes nothing repeats nothing. Times are milliseconds of any
 * steady clock, given from outside.
 */

export interface GratuitousTiming {
  /** Rounds of a burst; the first is sent at once. */
  readonly rounds: number;
  /** Between the rounds of a burst. */
  readonly spacing: number;
  /** Between single rounds after the burst; 0: none. */
  readonly period: number;
}

/** Five rounds within 4.4 s, as the original sends them; no period. */
export const defaultTiming: GratuitousTiming = { rounds: 5, spacing: 1_100, period: 0 };

interface Scheduled {
  readonly at: number;
  /** Rounds of the burst that are still to come, this one included. */
  readonly left: number;
}

/**
 * The schedule of all held addresses. Each of the three lines is ordered by time by itself, because everything
 * that enters it waits equally long; so finding what is due costs nothing for the addresses that are not.
 */
export class GratuitousSchedule {
  readonly #timing: GratuitousTiming;
  readonly #first = new Map<string, Scheduled>();
  readonly #burst = new Map<string, Scheduled>();
  readonly #slow = new Map<string, Scheduled>();
  readonly #lines = [this.#first, this.#burst, this.#slow];

  constructor(timing: GratuitousTiming = defaultTiming) {
    this.#timing = timing;
  }

  /** Starts a burst for the address: on gain, on carrier up, or after members met again. */
  start(ip: string, now: number): void {
    this.stop(ip);
    this.#first.set(ip, { at: now, left: this.#timing.rounds });
  }

  /** The address is held no more. */
  stop(ip: string): void {
    for (const line of this.#lines) line.delete(ip);
  }

  /** Takes out up to `limit` addresses whose round is due and plans their next one. */
  due(now: number, limit: number): string[] {
    const result: string[] = [];
    for (const line of this.#lines) {
      for (const [ip, scheduled] of line) {
        if (scheduled.at > now || result.length >= limit) break;
        result.push(ip);
        line.delete(ip);
        this.#plan(ip, scheduled, now);
      }
    }
    return result;
  }

  #plan(ip: string, done: Scheduled, now: number): void {
    const { spacing, period } = this.#timing;
    if (done.left > 1) this.#burst.set(ip, { at: now + spacing, left: done.left - 1 });
    else if (period > 0) this.#slow.set(ip, { at: now + period, left: 1 });
  }

  /** When the next round is due; undefined when nothing is planned. */
  next(): number | undefined {
    const heads = this.#lines.flatMap((line) => line.values().next().value?.at ?? []);
    return heads.length === 0 ? undefined : Math.min(...heads);
  }
}
