/**
 * Claiming an address that nobody of the cluster held before, and keeping it: probes first (RFC 5227 §2.1.1, RFC 4862
 * §5.4), and when another machine shows that it uses the address, either not claiming it, or defending it with one
 * announcement at most every ten seconds (RFC 5227 §2.4 c). Times are milliseconds of any steady clock.
 */

export interface ClaimTiming {
  /** Probes before a claim. */
  readonly probes: number;
  /** Between two probes, and between the last one and the claim. The RFCs wait seconds, for networks of 1980 as well. */
  readonly spacing: number;
  /** Until an address that another machine uses is probed again, and up to half as long by chance: two that probe at the same time must not meet again. */
  readonly retry: number;
  /** Shortest time between two defences. */
  readonly defend: number;
}

export const claimTiming: ClaimTiming = { probes: 3, spacing: 100, retry: 2_000, defend: 10_000 };

/** What to do about an address somebody else uses: `withhold`: not claim it; `report`: claim it all the same; `off`: not even ask. */
export type DuplicatePolicy = 'withhold' | 'report' | 'off';

export interface DueStep {
  readonly key: string;
  readonly step: 'probe' | 'claim';
  /** Earlier probes found somebody. */
  readonly contested: boolean;
}

interface Waiting {
  readonly at: number;
  /** Probes still to be sent. */
  readonly left: number;
  /** Another machine was seen to use it. */
  readonly contested: boolean;
}

/**
 * The addresses that are not claimed yet, and the last defence of those that are. The first two lines are ordered by
 * time by themselves, because everything in them waits equally long; the third is short.
 */
export class Claims {
  readonly #timing: ClaimTiming;
  readonly #random: () => number;
  readonly #fresh = new Map<string, Waiting>();
  readonly #probing = new Map<string, Waiting>();
  readonly #withheld = new Map<string, Waiting>();
  readonly #lines = [this.#fresh, this.#probing, this.#withheld];
  readonly #defended = new Map<string, number>();

  /** `random`: numbers from 0 to below 1. */
  constructor(random: () => number, timing: ClaimTiming = claimTiming) {
    this.#random = random;
    this.#timing = timing;
  }

  /** Starts to probe the address. */
  begin(key: string, now: number): void {
    this.end(key);
    this.#fresh.set(key, { at: now, left: this.#timing.probes, contested: false });
  }

  /** The address is wanted no more. */
  end(key: string): void {
    for (const line of this.#lines) line.delete(key);
    this.#defended.delete(key);
  }

  isPending(key: string): boolean {
    return this.#lines.some((line) => line.has(key));
  }

  /** Another machine uses the address although it is not claimed yet: it waits. True when that is new. */
  withhold(key: string, now: number): boolean {
    const before = this.#waiting(key);
    if (before === undefined || this.#withheld.has(key)) return false;
    for (const line of this.#lines) line.delete(key);
    const wait = this.#timing.retry * (1 + this.#random() / 2);
    this.#withheld.set(key, { at: now + wait, left: this.#timing.probes, contested: true });
    return !before.contested;
  }

  #waiting(key: string): Waiting | undefined {
    return this.#fresh.get(key) ?? this.#probing.get(key) ?? this.#withheld.get(key);
  }

  /** Another machine uses an address that is held: true when it is time to announce it once. */
  defend(key: string, now: number): boolean {
    const last = this.#defended.get(key);
    if (last !== undefined && now - last < this.#timing.defend) return false;
    this.#defended.set(key, now);
    return true;
  }

  /** Takes up to `limit` steps that are due and plans the next ones. After `claim` the address is held. */
  due(now: number, limit: number): DueStep[] {
    const steps: DueStep[] = [];
    for (const line of this.#lines) {
      for (const [key, waiting] of line) {
        const isLater = waiting.at > now;
        if (steps.length >= limit || (isLater && line !== this.#withheld)) break;
        if (isLater) continue;
        line.delete(key);
        steps.push(this.#advance(key, waiting, now));
      }
    }
    return steps;
  }

  #advance(key: string, { left, contested }: Waiting, now: number): DueStep {
    if (left === 0) return { key, step: 'claim', contested };
    this.#probing.set(key, { at: now + this.#timing.spacing, left: left - 1, contested });
    return { key, step: 'probe', contested };
  }

  /** When the next step is due; undefined when nothing waits. */
  next(): number | undefined {
    const heads = [this.#fresh, this.#probing].flatMap((line) => line.values().next().value?.at ?? []);
    let next = heads.length === 0 ? undefined : Math.min(...heads);
    for (const { at } of this.#withheld.values()) next = Math.min(next ?? at, at);
    return next;
  }
}
