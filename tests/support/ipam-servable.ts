/**
 * Who waits though there is something for it: found by trying every address of every pool, with the rules of pools and
 * of sharing, and without the structures by which the controller searches.
 */
import { Allocations, compatible } from '#core/ipam/allocations.ts';
import { familyOf, serviceFamily } from '#core/ipam/families.ts';
import { claimOf, requestedAddresses, requestedPool } from '#core/ipam/request.ts';
import { emptyUse, joinUse, sharingConflict, type AddressUse, type Claim } from '#core/ipam/sharing.ts';
import type { Pool } from '#core/model/config.ts';
import { formatAddress, parseAddress, type Family, type IpAddress } from '#core/model/ip.ts';
import type { ServiceView } from '#core/model/views.ts';

export interface Situation {
  readonly services: readonly ServiceView[];
  readonly pools: readonly Pool[];
  /** Owners of the reservations of an address. */
  readonly keptFor?: (address: IpAddress) => readonly string[];
}

/** Keys of the Services without an address that could have one. */
export function servable(situation: Situation): string[] {
  const uses = usesOf(situation.services);
  const offers = new Allocations();
  offers.setPools(situation.pools);
  return situation.services
    .filter(({ type, ingress }) => type === 'LoadBalancer' && ingress.length === 0)
    .filter((service) => {
      const claim = claimOf(service);
      const may = (pool: Pool, address: IpAddress): boolean =>
        offers.poolOf([address])?.name === pool.name && isOpen(claim, address, uses, situation);
      return couldHave(service, claim, situation.pools, may);
    })
    .map(({ key }) => key);
}

function couldHave(
  service: ServiceView,
  claim: Claim,
  pools: readonly Pool[],
  may: (pool: Pool, address: IpAddress) => boolean,
): boolean {
  const family = serviceFamily(service);
  const request = requestedAddresses(service);
  const named = requestedPool(service);
  const { ipFamilyPolicy: policy, clusterIPs } = service;
  if (family === undefined || request.kind === 'invalid') return false;
  if (policy === 'RequireDualStack' && clusterIPs.length < 2) return false;
  const usable = pools
    .filter((pool) => compatible(pool, claim))
    .filter((pool) => named === '' || pool.name === named);
  if (request.kind === 'addresses') {
    const { addresses } = request;
    return familyOf(addresses) === family && usable.some((pool) => addresses.every((one) => may(pool, one)));
  }
  return usable
    .filter(({ autoAssign }) => autoAssign || named !== '')
    .some((pool) => {
      const has = (wanted: Family): boolean =>
        addressesOf(pool).some((address) => address.family === wanted && may(pool, address));
      if (family !== 'dual') return has(family);
      if (policy === 'PreferDualStack') return has('ipv4') || has('ipv6');
      return policy === 'RequireDualStack' && has('ipv4') && has('ipv6');
    });
}

/** Nobody is in the way, and it is not kept for others (unless those who have it share it). */
function isOpen(
  claim: Claim,
  address: IpAddress,
  uses: Map<string, AddressUse>,
  { keptFor }: Situation,
): boolean {
  const use = uses.get(formatAddress(address));
  if (use !== undefined) return sharingConflict(use, claim) === undefined;
  const owners = keptFor?.(address) ?? [];
  return owners.length === 0 || owners.includes(claim.key);
}

function usesOf(services: readonly ServiceView[]): Map<string, AddressUse> {
  const uses = new Map<string, AddressUse>();
  for (const service of services) {
    for (const { ip } of service.ingress) {
      const address = parseAddress(ip);
      if (address === undefined) continue;
      const text = formatAddress(address);
      const use = uses.get(text) ?? emptyUse();
      joinUse(use, claimOf(service));
      uses.set(text, use);
    }
  }
  return uses;
}

/** Of small pools only. */
function addressesOf(pool: Pool): IpAddress[] {
  return pool.entries.flatMap(({ range: { family, first, last } }) =>
    Array.from({ length: Number(last - first) + 1 }, (_, index) => ({
      family,
      value: first + BigInt(index),
    })),
  );
}
