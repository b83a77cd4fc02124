/** Which addresses are taken by pools already accepted: rule POOL-11. */
import type { Finding } from '#core/config/problems.ts';
import type { Pool } from '#core/model/config.ts';
import { formatCidr, type Cidr, type Family, type IpRange } from '#core/model/ip.ts';

interface Taken {
  readonly range: IpRange;
  readonly pool: string;
  readonly cidrs: readonly Cidr[];
}

const touch = (a: Cidr, b: Cidr, bits: number): boolean => {
  const shift = BigInt(bits - Math.min(a.prefix, b.prefix));
  return a.base >> shift === b.base >> shift;
};

/** The ranges of the accepted pools, by family in ascending order; finding an overlap is a binary search. */
export class PoolRanges {
  readonly #taken: Record<Family, Taken[]> = { ipv4: [], ipv6: [] };

  /** Takes the pool's ranges when none of them overlaps another, its own among them; otherwise takes nothing. */
  add(pool: Pool): Finding[] {
    const added: Taken[] = [];
    const findings: Finding[] = [];
    for (const [index, { range, cidrs }] of pool.entries.entries()) {
      const entry = { range, cidrs, pool: pool.name };
      const other = this.#insert(entry);
      if (other === undefined) added.push(entry);
      else findings.push(overlap(entry, other, `spec.addresses[${index}]`));
    }
    if (findings.length > 0) for (const entry of added) this.#remove(entry);
    return findings;
  }

  /** Puts the entry in its place, or returns the one that it overlaps. */
  #insert(entry: Taken): Taken | undefined {
    const list = this.#taken[entry.range.family];
    const at = position(list, entry.range.first);
    const before = list[at - 1];
    const after = list[at];
    if (before !== undefined && before.range.last >= entry.range.first) return before;
    if (after !== undefined && after.range.first <= entry.range.last) return after;
    list.splice(at, 0, entry);
    return undefined;
  }

  #remove(entry: Taken): void {
    const list = this.#taken[entry.range.family];
    list.splice(position(list, entry.range.first), 1);
  }
}

/** Index of the first range that starts at `first` or later. */
function position(list: readonly Taken[], first: bigint): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle]?.range.first ?? 0n) < first) low = middle + 1;
    else high = middle;
  }
  return low;
}

function overlap(entry: Taken, other: Taken, field: string): Finding {
  const bits = entry.range.family === 'ipv4' ? 32 : 128;
  const mine = entry.cidrs.find((cidr) => other.cidrs.some((taken) => touch(cidr, taken, bits)));
  const theirs = other.cidrs.find((taken) => mine !== undefined && touch(mine, taken, bits));
  const text = (cidr: Cidr | undefined): string => (cidr === undefined ? '' : formatCidr(cidr));
  const owner = other.pool === entry.pool ? 'the same pool' : `IPAddressPool ${other.pool}`;
  return {
    code: 'POOL-11',
    field,
    message: `CIDR ${text(mine)} in pool ${entry.pool} overlaps with already defined CIDR ${text(theirs)} of ${owner}`,
    remedy: 'Change one of the two entries so that no address is in both.',
  };
}
