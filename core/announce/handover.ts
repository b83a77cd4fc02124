/**
 * Make before break: an address that another live node takes over is answered for until that node says that it
 * holds it, but not for ever: it may not want it. What it holds is let go at once, by the responder
 * (core/l2/yielding.ts), as is what any earlier taker holds or one that comes first: while many speakers start an
 * address moves on before all know where it was. Should they die the address is wanted here again. Nothing lingers
 * when this node lost the right to announce (cut off from the majority, no endpoint, Service gone).
 */
import type { PlannedAddress } from '#core/announce/l2-plan.ts';
import type { ServiceVerdict } from '#core/announce/verdict.ts';

/** Milliseconds; a speaker that has just started may need some to decide on thousands of Services. */
export const LINGER_MS = 5_000;

interface Lingering {
  readonly entry: PlannedAddress;
  readonly until: number;
}

export interface HandoverInput {
  /** Milliseconds of any steady clock. */
  readonly now: number;
  /** What the decisions want answered for. */
  readonly wanted: readonly PlannedAddress[];
  /** The node that takes an address from here; undefined: nobody, or this node may not announce it any more. */
  readonly taker: (ip: string) => string | undefined;
  /** True when the node says that it holds the address. */
  readonly holds: (node: string, ip: string) => boolean;
}

export interface HandoverPlan {
  readonly entries: readonly PlannedAddress[];
  /** When to look again although nothing changed; undefined: never. */
  readonly again: number | undefined;
}

export class Handover {
  #before: ReadonlyMap<string, PlannedAddress> = new Map();
  readonly #lingering = new Map<string, Lingering>();

  /** True while something is answered for that the decisions do not want any more. */
  get isPending(): boolean {
    return this.#lingering.size > 0;
  }

  plan({ now, wanted, taker, holds }: HandoverInput): HandoverPlan {
    const next = new Map(wanted.map((entry) => [entry.ip, entry]));
    for (const [ip, entry] of this.#before)
      if (!next.has(ip)) this.#lingering.set(ip, { entry, until: now + LINGER_MS });
    for (const [ip, { until, entry }] of this.#lingering) {
      const node = taker(ip);
      if (next.has(ip) || node === undefined || until <= now || holds(node, ip)) this.#lingering.delete(ip);
      else this.#lingering.set(ip, { until, entry: yieldingTo(entry, node) });
    }
    this.#before = next;
    const left = [...this.#lingering.values()];
    const times = left.map(({ until }) => until);
    return {
      entries: [...wanted, ...left.map(({ entry }) => entry)],
      again: times.length === 0 ? undefined : Math.min(...times),
    };
  }
}

function yieldingTo(entry: PlannedAddress, node: string): PlannedAddress {
  return { ...entry, yieldTo: [...new Set([...(entry.yieldTo ?? []), node])] };
}

/** Who takes each address from node `me`, by what was decided for all Services. */
export function takersOf(verdicts: Iterable<ServiceVerdict>, me: string): ReadonlyMap<string, string> {
  const takers = new Map<string, string>();
  for (const { l2, addresses } of verdicts) {
    if (l2.kind !== 'decided') continue;
    const { node, candidates } = l2.decision;
    if (node === undefined || node === me || !candidates.some((candidate) => candidate.node === me)) continue;
    for (const ip of addresses) takers.set(ip, node);
  }
  return takers;
}
