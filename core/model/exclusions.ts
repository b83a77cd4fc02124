/** Addresses that a pool has and never hands out (`spec.excludedAddresses`). */
import type { Pool, PoolExclusion } from '#core/model/config.ts';
import { rangeContains, rangesMeet, type IpAddress, type IpRange } from '#core/model/ip.ts';

/**
 * What is left of a range, as ranges in ascending order. Costs O(m log m) of the number of exclusions, whatever
 * their size.
 */
export function usableRanges(range: IpRange, excluded: readonly PoolExclusion[]): IpRange[] {
  const { family } = range;
  const holes = excluded
    .map((exclusion) => exclusion.range)
    .filter((hole) => rangesMeet(hole, range))
    .sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const left: IpRange[] = [];
  let first = range.first;
  for (const hole of holes) {
    if (hole.first > first) left.push({ family, first, last: hole.first - 1n });
    if (hole.last >= first) first = hole.last + 1n;
  }
  if (first <= range.last) left.push({ family, first, last: range.last });
  return left;
}

/** The entry that keeps the pool from handing out the address, as written; the first of several. */
export function exclusionOf(pool: Pool, address: IpAddress): string | undefined {
  return pool.excluded.find(({ range }) => rangeContains(range, address))?.text;
}
