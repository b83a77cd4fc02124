/** Counts per address and per reason of a drop, and which of them changed since they were last handed over. */
import type { L2Counts } from '#speaker/ports.ts';

type Counted = keyof L2Counts;

const none: L2Counts = { requests: 0, responses: 0, gratuitous: 0, conflicts: 0 };

export class Tally {
  readonly #addresses = new Map<string, Record<Counted, number>>();
  readonly #drops = new Map<string, number>();
  readonly #changedAddresses = new Set<string>();
  readonly #changedDrops = new Set<string>();

  count(ip: string, what: Counted): void {
    let counts = this.#addresses.get(ip);
    if (counts === undefined) {
      counts = { ...none };
      this.#addresses.set(ip, counts);
    }
    counts[what] += 1;
    this.#changedAddresses.add(ip);
  }

  dropped(reason: string): void {
    this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + 1);
    this.#changedDrops.add(reason);
  }

  /** What changed since the last call. */
  take(): { addresses: (readonly [string, L2Counts])[]; drops: (readonly [string, number])[] } {
    const addresses = [...this.#changedAddresses].map((ip) => [ip, this.#addresses.get(ip) ?? none] as const);
    const drops = [...this.#changedDrops].map((reason) => [reason, this.#drops.get(reason) ?? 0] as const);
    this.#changedAddresses.clear();
    this.#changedDrops.clear();
    return { addresses, drops };
  }
}
