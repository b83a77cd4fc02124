/** When the next write may come: many changes at once make few writes, and nobody is fought over the object. */
import type { Clock } from '#runtime/queue/types.ts';

/** From the start of one write to the earliest start of the next. */
const GATHER_MS = 100;
const REPAIR_MS = { first: 200, last: 60_000 };
/** So long without a repair, and the next one is a first again. */
const QUIET_MS = 120_000;

export class Pace {
  readonly #clock: Clock;
  #writtenAt = -Infinity;
  #repairedAt = -Infinity;
  #repairs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  noteWrite(): void {
    this.#writtenAt = this.#clock.now();
  }

  noteRepair(): void {
    const now = this.#clock.now();
    this.#repairs = now - this.#repairedAt > QUIET_MS ? 1 : this.#repairs + 1;
    this.#repairedAt = now;
  }

  /** Milliseconds until a change may be written. */
  untilNext(): number {
    return Math.max(0, this.#writtenAt + GATHER_MS - this.#clock.now());
  }

  /** Milliseconds until what somebody else changed is put back: later and later while it goes on. */
  untilRepair(): number {
    if (this.#repairs === 0) return 0;
    const wait = Math.min(REPAIR_MS.first * 2 ** (this.#repairs - 1), REPAIR_MS.last);
    return Math.max(0, this.#repairedAt + wait - this.#clock.now());
  }
}
