/** Says in one sentence why none of some pools can give an address: which are full, and what stands in the way. */
import { compatible, type Allocations } from '#core/ipam/allocations.ts';
import type { Need } from '#core/ipam/pick.ts';
import { failedConditions, poolReserved, quoted, sharingRefusal, type Refusal } from '#core/ipam/refusal.ts';
import { sharingConflict, type Claim } from '#core/ipam/sharing.ts';
import type { Pool } from '#core/model/config.ts';
import type { Family } from '#core/model/ip.ts';

const SHOWN = 5;
const familyName = (family: Family): string => (family === 'ipv4' ? 'IPv4' : 'IPv6');

/** `pools`: those that were tried. */
export function explainFull(
  pools: readonly Pool[],
  need: Need,
  claim: Claim,
  allocations: Allocations,
): Refusal {
  if (pools.length === 0) return { code: 'exhausted', message: noneEligible(claim, allocations) };
  const [only] = pools;
  if (pools.length === 1 && only !== undefined && !compatible(only, claim)) return poolReserved(only, claim);
  const families: readonly Family[] = need.family === 'dual' ? ['ipv4', 'ipv6'] : [need.family];
  const shown = pools.slice(0, SHOWN).map((pool) => {
    const parts = families.map((family) => describe(pool, family, claim, allocations));
    return `no available IPs in pool ${quoted(pool.name)} (${parts.join('; ')})`;
  });
  const rest = pools.length > SHOWN ? [`and in ${pools.length - SHOWN} more pools`] : [];
  const both = need.family === 'dual' ? ' (IPv4 and IPv6 of one pool are needed)' : '';
  return { code: 'exhausted', message: `${[...shown, ...rest].join(', ')}${both}` };
}

/** Why each pool stands back; the user may have meant any of them. */
function noneEligible(claim: Claim, { pools, broken }: Allocations): string {
  const reasons = pools.slice(0, SHOWN).map((pool) => {
    const failed = failedConditions(pool, claim);
    return `pool ${quoted(pool.name)}: ${[...(pool.autoAssign ? [] : ['autoAssign is false']), ...failed].join(', and ')}`;
  });
  if (pools.length > SHOWN) reasons.push(`${pools.length - SHOWN} more pools`);
  if (broken.length > 0) reasons.push(`with problems, see their Events: ${broken.join(', ')}`);
  const which = reasons.length === 0 ? '' : ` (${reasons.join('; ')})`;
  return `no available IPs: no IPAddressPool with autoAssign may be used by this Service${which}`;
}

function describe(pool: Pool, family: Family, claim: Claim, allocations: Allocations): string {
  const counters = allocations.counters(pool.name)?.[family];
  const name = familyName(family);
  const excluding = pool.excluded.some(({ range }) => range.family === family);
  if (counters === undefined || counters.capacity === 0n) {
    const listed = excluding && pool.entries.some(({ range }) => range.family === family);
    return listed
      ? `all its ${name} addresses are excluded (spec.excludedAddresses)`
      : `it has no ${name} addresses`;
  }
  const free = counters.capacity - counters.inUse - counters.reserved;
  if (free > 0n) return `${free} ${name} addresses free`;
  const reserved =
    counters.reserved === 0n ? '' : ` or reserved for other Services (${counters.reserved}, IPReservation)`;
  const obstacle =
    counters.capacity === 1n || claim.sharingKey !== ''
      ? obstacleIn(pool, family, claim, allocations)
      : undefined;
  return `all ${counters.capacity} ${name} addresses${excluding ? ' that are not excluded (spec.excludedAddresses)' : ''} are in use${reserved}${obstacle === undefined ? '' : `; ${obstacle}`}`;
}

/** What keeps the claim from joining the first address of the pool that is in use. */
function obstacleIn(pool: Pool, family: Family, claim: Claim, allocations: Allocations): string | undefined {
  const range = pool.entries.find((entry) => entry.range.family === family)?.range;
  if (range === undefined) return undefined;
  for (let value = range.first; value <= range.last && value < range.first + 3n; value += 1n) {
    const address = { family, value };
    const conflict = sharingConflict(allocations.use(address), claim);
    if (conflict !== undefined) return sharingRefusal(address, conflict, claim).message;
  }
  return undefined;
}
