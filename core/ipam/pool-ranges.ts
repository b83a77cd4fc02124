/** Which pool an address belongs to: the entries of all pools, which do not overlap, in the order of their addresses. */
import { lastAtOrBelow } from '#core/ipam/search.ts';
import type { Pool } from '#core/model/config.ts';
import { rangeContains, type Family, type IpAddress, type IpRange } from '#core/model/ip.ts';

interface OwnedRange {
  readonly range: IpRange;
  readonly pool: string;
}

export class PoolRanges {
  readonly #ranges: Readonly<Record<Family, readonly OwnedRange[]>>;

  /** O(n log n) for n entries. */
  constructor(pools: readonly Pool[]) {
    this.#ranges = { ipv4: rangesOf(pools, 'ipv4'), ipv6: rangesOf(pools, 'ipv6') };
  }

  /** Name of the pool whose `spec.addresses` contain the address, whether it is given out or not. O(log n). */
  ownerOf(address: IpAddress): string | undefined {
    const owned = lastAtOrBelow(this.#ranges[address.family], address.value, (item) => item.range.first);
    return owned !== undefined && rangeContains(owned.range, address) ? owned.pool : undefined;
  }
}

function rangesOf(pools: readonly Pool[], family: Family): OwnedRange[] {
  return pools
    .flatMap(({ name, entries }) => entries.map(({ range }) => ({ range, pool: name })))
    .filter(({ range }) => range.family === family)
    .sort((a, b) => (a.range.first < b.range.first ? -1 : 1));
}
