/**
 * How reservations enter a decision: the Service they are for gets just those addresses when it can have them, and
 * others are refused what nobody uses.
 */
import type { Allocations } from '#core/ipam/allocations.ts';
import { otherFamily, type StackFamily } from '#core/ipam/families.ts';
import { quoted, type Refusal } from '#core/ipam/refusal.ts';
import type { Claim } from '#core/ipam/sharing.ts';
import { formatAddress, type Family, type IpAddress } from '#core/model/ip.ts';
import type { ServiceView } from '#core/model/views.ts';

/** What the Service's own reservations give it, ready to be booked; undefined when they give nothing. */
export function ownReserved(
  claim: Claim,
  need: {
    readonly family: StackFamily;
    readonly policy: ServiceView['ipFamilyPolicy'];
    readonly pool: string;
  },
  allocations: Allocations,
): readonly IpAddress[] | undefined {
  for (const { addresses } of allocations.reservations.of(claim.key)) {
    const candidate = suiting(addresses, need, claim, allocations);
    const result = candidate && allocations.check(claim, candidate);
    if (result?.ok === true && (need.pool === '' || need.pool === result.pool)) return candidate;
  }
  return undefined;
}

function suiting(
  addresses: readonly IpAddress[],
  { family, policy }: { readonly family: StackFamily; readonly policy: ServiceView['ipFamilyPolicy'] },
  claim: Claim,
  allocations: Allocations,
): readonly IpAddress[] | undefined {
  if (family !== 'dual') {
    const address = addresses.find((candidate) => candidate.family === family);
    return address && [address];
  }
  if (policy === 'SingleStack') return undefined;
  const [first] = addresses;
  if (addresses.length !== 1 || first === undefined || policy === 'PreferDualStack') return addresses;
  const pool = allocations.poolOf([first]);
  const second = pool && lowestFor(pool.name, otherFamily(first.family), claim, allocations);
  return second && [first, second].sort((a, b) => (a.family < b.family ? -1 : 1));
}

/** As `Allocations.lowest`, but what is reserved for the Service comes first. */
export function lowestFor(
  pool: string,
  family: Family,
  claim: Claim,
  allocations: Allocations,
): IpAddress | undefined {
  const own = allocations.reservations
    .of(claim.key)
    .flatMap(({ addresses }) => addresses)
    .find((address) => {
      const result = address.family === family ? allocations.check(claim, [address]) : undefined;
      return result?.ok === true && result.pool === pool;
    });
  return own ?? allocations.lowest(pool, family, claim);
}

/** The refusal of a request for an address that nobody uses and that is kept for another Service. */
export function reservedRefusal(
  claim: Claim,
  addresses: readonly IpAddress[],
  allocations: Allocations,
): Refusal | undefined {
  for (const address of addresses) {
    const reservation = allocations.reservations.against(claim.key, address);
    if (reservation === undefined || allocations.use(address) !== undefined) continue;
    const { name, owner, until } = reservation;
    const end = until === undefined ? '' : ` until ${until}`;
    return {
      code: 'reserved',
      message: `address ${quoted(formatAddress(address))} is reserved for Service ${quoted(owner)}${end} (IPReservation ${quoted(name)})`,
    };
  }
  return undefined;
}
