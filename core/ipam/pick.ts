/** Which pool, and which addresses of it (controller.md §3.5, §3.6). */
import { compatible, type Allocations } from '#core/ipam/allocations.ts';
import { otherFamily, type StackFamily } from '#core/ipam/families.ts';
import { lowestFor } from '#core/ipam/reserved.ts';
import type { Claim } from '#core/ipam/sharing.ts';
import type { Pool } from '#core/model/config.ts';
import type { Family, IpAddress } from '#core/model/ip.ts';
import type { ServiceView } from '#core/model/views.ts';

/** What kind of addresses a Service needs. */
export interface Need {
  readonly family: StackFamily;
  readonly policy: ServiceView['ipFamilyPolicy'];
  /** Preferred when only one family can be had. */
  readonly primary: Family;
}

export interface EligiblePools {
  /** Reserved pools that match the Service: positive priorities ascending, then the rest; equal ones by name. */
  readonly pinned: readonly Pool[];
  /** Pools without `serviceAllocation`, by name. Used when no reserved pool can serve. */
  readonly open: readonly Pool[];
}

const rankOf = (pool: Pool): number => {
  const priority = pool.serviceAllocation?.priority ?? 0;
  return priority > 0 ? priority : Number.POSITIVE_INFINITY;
};

function byPriority(a: Pool, b: Pool): number {
  if (rankOf(a) !== rankOf(b)) return rankOf(a) < rankOf(b) ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

/** The pools that automatic allocation may use for the claim; `pools` are in the order of their names. */
export function eligiblePools(pools: readonly Pool[], claim: Claim): EligiblePools {
  const automatic = pools.filter((pool) => pool.autoAssign);
  return {
    pinned: automatic
      .filter((pool) => pool.serviceAllocation !== undefined && compatible(pool, claim))
      .sort(byPriority),
    open: automatic.filter((pool) => pool.serviceAllocation === undefined),
  };
}

/**
 * Addresses for the claim from the first pool of the list that can serve the need: of one family, or IPv4 then
 * IPv6. PreferDualStack prefers any pool that has both to an earlier one that has not.
 */
export function pickFrom(
  pools: readonly Pool[],
  need: Need,
  claim: Claim,
  allocations: Allocations,
): readonly IpAddress[] | undefined {
  if (need.family !== 'dual') return pickFamily(pools, need.family, claim, allocations);
  if (need.policy === 'SingleStack') return undefined;
  const both = pickBoth(pools, claim, allocations);
  if (both !== undefined || need.policy === 'RequireDualStack') return both;
  return (
    pickFamily(pools, need.primary, claim, allocations) ??
    pickFamily(pools, otherFamily(need.primary), claim, allocations)
  );
}

function pickFamily(
  pools: readonly Pool[],
  family: Family,
  claim: Claim,
  allocations: Allocations,
): readonly IpAddress[] | undefined {
  for (const pool of pools) {
    const address = lowestFor(pool.name, family, claim, allocations);
    if (address !== undefined) return [address];
  }
  return undefined;
}

function pickBoth(
  pools: readonly Pool[],
  claim: Claim,
  allocations: Allocations,
): readonly IpAddress[] | undefined {
  for (const pool of pools) {
    const ipv4 = lowestFor(pool.name, 'ipv4', claim, allocations);
    const ipv6 = ipv4 && lowestFor(pool.name, 'ipv6', claim, allocations);
    if (ipv4 !== undefined && ipv6 !== undefined) return [ipv4, ipv6];
  }
  return undefined;
}
