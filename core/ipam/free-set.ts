/**
 * The free addresses of one pool and family, as intervals of ranks: what an untouched block costs does not
 * depend on its size, and the lowest free address is found in O(log n) of the number of intervals.
 */
import { usableRanges } from '#core/model/exclusions.ts';
import { lastAtOrBelow } from '#core/ipam/search.ts';
import { SortedMap } from '#core/ipam/sorted-map.ts';
import { isBuggy, rangeContains, type Family, type IpAddress, type IpRange } from '#core/model/ip.ts';
import type { Pool } from '#core/model/config.ts';

/** Usable addresses per 256 when `.0` and `.255` are avoided. */
const KEPT = 254n;

/** How many addresses below `value` end neither in 0 nor in 255. */
function keptBelow(value: bigint): bigint {
  const low = (value & 0xffn) - 1n;
  return (value >> 8n) * KEPT + (low < 0n ? 0n : low > KEPT ? KEPT : low);
}

interface Block {
  readonly range: IpRange;
  /** Rank of the block's first usable address. */
  readonly start: bigint;
}

/**
 * The usable addresses of one family of a pool, numbered from 0 in the order in which they are given out:
 * entries in spec order, addresses ascending. Excluded addresses have no number; with `avoidBuggyIPs`, IPv4 addresses that end in 0 or 255 have
 * none either.
 */
export class AddressSpace {
  readonly family: Family;
  readonly size: bigint;
  /** Blocks with usable addresses, by rank and by address. */
  readonly #byRank: readonly Block[];
  readonly #byAddress: readonly Block[];
  readonly #avoid: boolean;

  constructor(pool: Pool, family: Family) {
    this.family = family;
    this.#avoid = pool.avoidBuggyIPs && family === 'ipv4';
    const blocks: Block[] = [];
    let start = 0n;
    const entries = pool.entries.filter((entry) => entry.range.family === family);
    for (const range of entries.flatMap((entry) => usableRanges(entry.range, pool.excluded))) {
      const size = this.#below(range.last + 1n) - this.#below(range.first);
      if (size > 0n) blocks.push({ range, start });
      start += size;
    }
    this.#byRank = blocks;
    this.#byAddress = blocks.toSorted((a, b) => (a.range.first < b.range.first ? -1 : 1));
    this.size = start;
  }

  /** The number of the address; undefined when the pool does not give it out. */
  rank(address: IpAddress): bigint | undefined {
    const block = lastAtOrBelow(this.#byAddress, address.value, (candidate) => candidate.range.first);
    if (block === undefined || !rangeContains(block.range, address)) return undefined;
    if (this.#avoid && isBuggy(address)) return undefined;
    return block.start + this.#below(address.value) - this.#below(block.range.first);
  }

  /** The address with this number; `rank` is 0..size-1. */
  address(rank: bigint): IpAddress {
    const block = lastAtOrBelow(this.#byRank, rank, (candidate) => candidate.start);
    if (block === undefined) throw new RangeError(`no address of rank ${rank}`);
    const index = rank - block.start + this.#below(block.range.first);
    const value = this.#avoid ? ((index / KEPT) << 8n) + (index % KEPT) + 1n : index;
    return { family: this.family, value };
  }

  #below(value: bigint): bigint {
    return this.#avoid ? keptBelow(value) : value;
  }
}

/** A set of numbers kept as disjoint, non-adjacent intervals. */
export class FreeSet {
  /** First number of each interval → last number. */
  readonly #intervals = new SortedMap<bigint, bigint>();

  /** Starts with 0..size-1. */
  constructor(size: bigint) {
    if (size > 0n) this.#intervals.set(0n, size - 1n);
  }

  /** Number of intervals: what the set costs. */
  get intervals(): number {
    return this.#intervals.size;
  }

  lowest(): bigint | undefined {
    return this.#intervals.first()?.key;
  }

  has(rank: bigint): boolean {
    const interval = this.#intervals.floor(rank);
    return interval !== undefined && rank <= interval.value;
  }

  /** Removes a number; false when it was not there. */
  take(rank: bigint): boolean {
    const interval = this.#intervals.floor(rank);
    if (interval === undefined || rank > interval.value) return false;
    const { key: first, value: last } = interval;
    if (first === rank) this.#intervals.delete(first);
    else this.#intervals.set(first, rank - 1n);
    if (rank < last) this.#intervals.set(rank + 1n, last);
    return true;
  }

  /** Puts a number back; false when it was there already. */
  give(rank: bigint): boolean {
    const below = this.#intervals.floor(rank);
    if (below !== undefined && rank <= below.value) return false;
    const above = this.#intervals.get(rank + 1n);
    if (above !== undefined) this.#intervals.delete(rank + 1n);
    const first = below !== undefined && below.value === rank - 1n ? below.key : rank;
    this.#intervals.set(first, above ?? rank);
    return true;
  }
}
