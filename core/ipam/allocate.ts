/** A fresh allocation (controller.md §2.7, §3.5 – §3.7): what is wanted, what is given, or why nothing can be. */
import type { Allocations, BookResult } from '#core/ipam/allocations.ts';
import { explainFull } from '#core/ipam/explain.ts';
import {
  familyOf,
  otherFamily,
  primaryFamily,
  serviceFamily,
  type StackFamily,
} from '#core/ipam/families.ts';
import { eligiblePools, pickFrom, type Need } from '#core/ipam/pick.ts';
import { addressList, quoted, type Refusal } from '#core/ipam/refusal.ts';
import type { AddressRequest } from '#core/ipam/request.ts';
import { lowestFor, ownReserved, reservedRefusal } from '#core/ipam/reserved.ts';
import type { Claim } from '#core/ipam/sharing.ts';
import type { Wait } from '#core/ipam/waiting.ts';
import type { Pool } from '#core/model/config.ts';
import type { IpAddress } from '#core/model/ip.ts';
import type { ServiceView } from '#core/model/views.ts';

export type AllocationResult =
  | { readonly ok: true; readonly addresses: readonly IpAddress[]; readonly pool: string }
  | { readonly ok: false; readonly refusal: Refusal; readonly wait: Wait };

/** What a Service asks for, read once. */
export interface Asked {
  readonly service: ServiceView;
  readonly claim: Claim;
  readonly request: AddressRequest;
  /** Empty: no pool was named. */
  readonly pool: string;
}

/** A wait that only a change of the Service itself, or of the pools, can end. */
export function waitForChange(refusal: Refusal): Wait {
  return { code: refusal.code, group: undefined, pools: [], addresses: [], sharingKey: '' };
}

function refuse(refusal: Refusal): AllocationResult {
  return { ok: false, refusal, wait: waitForChange(refusal) };
}

/** Books addresses for a Service that holds none, and says which; or says why not. */
export function allocate(asked: Asked, allocations: Allocations): AllocationResult {
  const family = serviceFamily(asked.service);
  if (family === undefined) {
    return refuse({
      code: 'clusterIPs',
      message: `cannot tell the IP family of the cluster IPs [${asked.service.clusterIPs.map(quoted).join(' ')}]`,
    });
  }
  const { request } = asked;
  if (request.kind === 'invalid') return refuse({ code: 'invalidRequest', message: request.message });
  if (request.kind === 'addresses') return allocateRequested(asked, request.addresses, family, allocations);
  const policy = asked.service.ipFamilyPolicy;
  const own = ownReserved(asked.claim, { family, policy, pool: asked.pool }, allocations);
  const booked = own && allocations.book(asked.claim, own);
  if (own !== undefined && booked?.ok === true) return { ok: true, addresses: own, pool: booked.pool };
  if (asked.pool !== '') {
    return allocateNamed(asked, { family, policy, primary: 'ipv4' }, allocations);
  }
  return allocateAutomatic(asked, { family, policy, primary: primaryFamily(asked.service) }, allocations);
}

function allocateRequested(
  asked: Asked,
  addresses: readonly IpAddress[],
  family: StackFamily,
  allocations: Allocations,
): AllocationResult {
  const { claim } = asked;
  if (familyOf(addresses) !== family) {
    return refuse({
      code: 'requestFamily',
      message: `requested addresses ${addressList(addresses)} do not have the family of the Service (${family}, by its cluster IPs)`,
    });
  }
  const result = requestable(claim, addresses, allocations);
  if (!result.ok) {
    const { code } = result.refusal;
    const busy = code === 'sharing' || code === 'portInUse' || code === 'reserved';
    const group = busy ? JSON.stringify(['addresses', addressList(addresses), sharing(claim)]) : undefined;
    const wait = { code, group, pools: [], addresses, sharingKey: claim.sharingKey };
    return { ok: false, refusal: result.refusal, wait };
  }
  if (asked.pool !== '' && asked.pool !== result.pool) {
    return refuse({
      code: 'requestPool',
      message: `requested addresses ${addressList(addresses)} are of pool ${quoted(result.pool)}, not of the requested pool ${quoted(asked.pool)}`,
    });
  }
  allocations.book(claim, addresses);
  return { ok: true, addresses, pool: result.pool };
}

function requestable(claim: Claim, addresses: readonly IpAddress[], allocations: Allocations): BookResult {
  const result = allocations.check(claim, addresses);
  const refusal = result.ok ? reservedRefusal(claim, addresses, allocations) : undefined;
  return refusal === undefined ? result : { ok: false, refusal };
}

function allocateNamed(asked: Asked, need: Need, allocations: Allocations): AllocationResult {
  const pool = allocations.pool(asked.pool);
  if (pool === undefined) {
    const cause = allocations.isBroken(asked.pool) ? ': its IPAddressPool has problems, see its Events' : '';
    return refuse({ code: 'unknownPool', message: `unknown pool ${quoted(asked.pool)}${cause}` });
  }
  return take([[pool]], need, asked.claim, allocations);
}

function allocateAutomatic(asked: Asked, need: Need, allocations: Allocations): AllocationResult {
  const { pinned, open } = eligiblePools(allocations.pools, asked.claim);
  return take([pinned, open], need, asked.claim, allocations);
}

/** Tries each list in turn: a later list is used only when an earlier one can give nothing. */
function take(
  lists: readonly (readonly Pool[])[],
  need: Need,
  claim: Claim,
  allocations: Allocations,
): AllocationResult {
  for (const pools of lists) {
    const addresses = pickFrom(pools, need, claim, allocations);
    if (addresses === undefined) continue;
    const result = allocations.book(claim, addresses);
    if (result.ok) return { ok: true, addresses, pool: result.pool };
    return { ok: false, refusal: result.refusal, wait: waitForChange(result.refusal) };
  }
  const pools = lists.flat();
  return {
    ok: false,
    refusal: explainFull(pools, need, claim, allocations),
    wait: exhausted(pools, [need.family, need.policy], claim),
  };
}

function exhausted(pools: readonly Pool[], need: readonly string[], claim: Claim): Wait {
  const names = pools.map((pool) => pool.name);
  return {
    code: 'exhausted',
    group: JSON.stringify(['pools', names, need, sharing(claim)]),
    pools: names,
    addresses: [],
    sharingKey: claim.sharingKey,
  };
}

/** What makes two waiters different as to sharing; nothing when they share with nobody. */
function sharing(claim: Claim): readonly unknown[] {
  return claim.sharingKey === '' ? [] : [claim.sharingKey, claim.backendKey, claim.ports];
}

/**
 * Gives a PreferDualStack Service with one address a second one of the other family, of the same pool
 * (controller.md §3.7). A failure leaves the one as it is.
 */
export function addSecondFamily(claim: Claim, first: IpAddress, allocations: Allocations): AllocationResult {
  const pool = allocations.poolOf([first]);
  const family = otherFamily(first.family);
  const second = pool && lowestFor(pool.name, family, claim, allocations);
  const result = second && allocations.book(claim, [first, second]);
  if (second !== undefined && result?.ok === true) {
    return { ok: true, addresses: [first, second], pool: result.pool };
  }
  const refusal: Refusal = {
    code: 'secondFamily',
    message: `pool ${quoted(pool?.name ?? '')} has no available ${family === 'ipv4' ? 'IPv4' : 'IPv6'} address`,
  };
  const wait = exhausted(pool === undefined ? [] : [pool], ['second', family], claim);
  return { ok: false, refusal, wait: { ...wait, code: 'secondFamily' } };
}
