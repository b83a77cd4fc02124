import type { Clock } from '#runtime/queue/types.ts';

interface Alarm {
  readonly due: number;
  readonly callback: () => void;
}

/** Time that only the test moves. Real promises and `setImmediate` go on running between alarms. */
export class VirtualClock implements Clock {
  #now = 0;
  readonly #alarms = new Set<Alarm>();

  now(): number {
    return this.#now;
  }

  schedule(ms: number, callback: () => void): () => void {
    const alarm = { due: this.#now + Math.max(0, ms), callback };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  /** Alarms not yet due. */
  get pending(): number {
    return this.#alarms.size;
  }

  /** Milliseconds until the next alarm, or undefined. */
  get nextIn(): number | undefined {
    const due = Math.min(...[...this.#alarms].map((alarm) => alarm.due));
    return Number.isFinite(due) ? due - this.#now : undefined;
  }

  /** Moves time on, calling alarms in order at their own time; what they start settles in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let next = this.#first(end); next !== undefined; next = this.#first(end)) {
      this.#alarms.delete(next);
      this.#now = Math.max(this.#now, next.due);
      next.callback();
      await settle();
    }
    this.#now = end;
    await settle();
  }

  #first(end: number): Alarm | undefined {
    const due = [...this.#alarms].filter((alarm) => alarm.due <= end);
    return due.sort((a, b) => a.due - b.due)[0];
  }
}

/** Lets pending promises and immediates run. Not for network traffic: wait for a condition there. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
