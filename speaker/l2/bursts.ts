/** Announces held addresses unasked: at once when they are gained, in a burst, then slowly. */
import { GratuitousSchedule, type GratuitousTiming } from '#core/l2/gratuitous.ts';

/** Addresses announced at one go before waiting questions get their turn. */
const ANNOUNCE_BATCH = 64;

export interface BurstParts {
  /** Sends what announces the address with this key. */
  readonly announce: (key: string) => void;
  /** Milliseconds until it is known which card announces. */
  readonly settlesIn: () => number;
}

export class Bursts {
  readonly #schedule: GratuitousSchedule;
  readonly #parts: BurstParts;
  #timer: NodeJS.Timeout | undefined;

  constructor(timing: GratuitousTiming, parts: BurstParts) {
    this.#schedule = new GratuitousSchedule(timing);
    this.#parts = parts;
  }

  /** Begins a new burst for each. */
  start(keys: Iterable<string>): void {
    const now = performance.now();
    for (const key of keys) this.#schedule.start(key, now);
    this.#wait();
  }

  stop(key: string): void {
    this.#schedule.stop(key);
  }

  #wait(): void {
    clearTimeout(this.#timer);
    const next = this.#schedule.next();
    if (next === undefined) return;
    const wait = Math.max(next - performance.now(), this.#parts.settlesIn());
    this.#timer = setTimeout(() => this.#announceDue(), Math.max(0, wait));
  }

  #announceDue(): void {
    for (const key of this.#schedule.due(performance.now(), ANNOUNCE_BATCH)) this.#parts.announce(key);
    this.#wait();
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
