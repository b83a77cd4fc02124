/**
 * The controller's one decision: what a Service's record should be (controller.md §2.5). The record in the
 * Service's status is the truth; what it names is booked again as it is, and only without a valid record is
 * something allocated. Deciding changes the allocations; writing the decision down is the caller's part.
 */
import { ALLOCATED_FROM_POOL } from '#core/api/annotations.ts';
import { compareAge } from '#core/ipam/age.ts';
import {
  addSecondFamily,
  allocate,
  waitForChange,
  type AllocationResult,
  type Asked,
} from '#core/ipam/allocate.ts';
import type { Allocations } from '#core/ipam/allocations.ts';
import { familyChanged, familyOf, serviceFamily } from '#core/ipam/families.ts';
import type { Refusal } from '#core/ipam/refusal.ts';
import { claimOf, legacyAnnotations, requestedAddresses, requestedPool } from '#core/ipam/request.ts';
import { reserveFor } from '#core/ipam/reservation-plan.ts';
import { recordMatches, recordedAddresses } from '#core/ipam/record.ts';
import type { Wait } from '#core/ipam/waiting.ts';
import { compareAddresses, sameAddress, type IpAddress } from '#core/model/ip.ts';
import type { ServiceView } from '#core/model/views.ts';
import * as events from '#core/status/service-events.ts';
import type { ServiceEvent } from '#core/status/service-events.ts';

/**
 * `leave`: touch nothing. `keep`: the record is right. `assign`: write these addresses and the pool.
 * `clear`: empty the record. `wait`: there is no address and the record says so.
 */
export interface Decision {
  readonly kind: 'leave' | 'keep' | 'assign' | 'clear' | 'wait';
  /** In the order in which they are to be recorded; empty unless `keep` or `assign`. */
  readonly addresses: readonly IpAddress[];
  readonly pool: string | undefined;
  readonly events: readonly ServiceEvent[];
  /** For the log: why. */
  readonly reason: string;
  /** What it waits for, if anything. */
  readonly wait: Wait | undefined;
}

/** Which Services are ours (controller.md §2.1). */
export function handles(service: ServiceView, lbClass: string): boolean {
  return (
    (service.loadBalancerClass ?? '') === lbClass &&
    (lbClass !== '' || service.loadBalancerClass === undefined)
  );
}

/** Decides for one Service; never throws for anything a user can write. */
export function decideService(service: ServiceView, allocations: Allocations): Decision {
  if (!allocations.configured) return leave('no configuration was loaded yet');
  return new Step(service, allocations).decide();
}

/**
 * Books what a Service's record names, if it may hold it; nothing else. The first phase of a start and of a
 * change of pools: after it, no allocation can take an address that is recorded on another Service.
 */
export function adoptService(service: ServiceView, allocations: Allocations): boolean {
  if (service.type !== 'LoadBalancer') return false;
  const recorded = recordedAddresses(service).flatMap((address) => address ?? []);
  return recorded.length > 0 && allocations.book(claimOf(service), recorded).ok;
}

/**
 * In the order of adoption: those that would move anyway come last, so that an edit takes an address from nobody else;
 * then more recorded addresses first, then by age.
 */
export function inAdoptionOrder(services: readonly ServiceView[]): readonly ServiceView[] {
  const isMoving = new Map(services.map((service) => [service, Number(wantsOther(service))]));
  const order = (a: ServiceView, b: ServiceView): number =>
    (isMoving.get(a) ?? 0) - (isMoving.get(b) ?? 0) ||
    b.ingress.length - a.ingress.length ||
    compareAge(a, b);
  return services.toSorted(order);
}

/** The Service asks for something else than what it has recorded. */
function wantsOther(service: ServiceView): boolean {
  const recorded = recordedAddresses(service);
  const family = serviceFamily(service);
  if (family === undefined || familyChanged(familyOf(recorded), family, service.ipFamilyPolicy)) return true;
  const request = requestedAddresses(service);
  if (request.kind !== 'addresses') return false;
  return !sameSet(
    request.addresses,
    recorded.flatMap((address) => address ?? []),
  );
}

function leave(reason: string): Decision {
  return { kind: 'leave', addresses: [], pool: undefined, events: [], reason, wait: undefined };
}

const frozen = leave('the IPAddressPool that its addresses came from cannot be used at present: they stay');

class Step {
  readonly #service: ServiceView;
  readonly #allocations: Allocations;
  readonly #asked: Asked;
  readonly #events: ServiceEvent[] = [];

  constructor(service: ServiceView, allocations: Allocations) {
    this.#service = service;
    this.#allocations = allocations;
    this.#asked = {
      service,
      claim: claimOf(service),
      request: requestedAddresses(service),
      pool: requestedPool(service),
    };
  }

  decide(): Decision {
    const service = this.#service;
    if (service.type !== 'LoadBalancer') return this.#none('the Service is not of type LoadBalancer');
    const wish = reserveFor(service);
    if (wish.kind === 'invalid') this.#events.push(events.reserveForIgnored(wish.message));
    if (this.#allocations.pools.length === 0 && this.#allocations.broken.length === 0) {
      return this.#refused({ code: 'noPools', message: 'there are no IPAddressPools' });
    }
    if (service.clusterIPs.length === 0) {
      return this.#refused({ code: 'noClusterIP', message: 'the Service has no cluster IP' });
    }
    if (service.ipFamilyPolicy === 'RequireDualStack' && service.clusterIPs.length < 2) {
      this.#events.push(events.notEnoughClusterIPs(service));
      return this.#refused({ code: 'clusterIPs', message: 'RequireDualStack needs two cluster IPs' });
    }
    return this.#converge();
  }

  #converge(): Decision {
    const recorded = recordedAddresses(this.#service);
    if (recorded.length === 0) return this.#withoutRecord();
    const family = serviceFamily(this.#service);
    const recordedFamily = familyOf(recorded);
    if (recordedFamily === undefined) this.#events.push(events.recordedFamilyUnknown(this.#service));
    if (family === undefined) {
      this.#events.push(events.clusterFamilyUnknown(this.#service));
      return { ...leave('the family of the cluster IPs is unknown'), events: this.#events };
    }
    if (familyChanged(recordedFamily, family, this.#service.ipFamilyPolicy)) {
      this.#allocations.release(this.#service.key);
      return this.#fresh();
    }
    return this.#rebook(recorded.flatMap((address) => address ?? []));
  }

  /** A booking of the same Service that is not recorded yet (a write that failed) is kept if it still suits. */
  #withoutRecord(): Decision {
    const booking = this.#allocations.bookings.get(this.#service.key);
    const family = serviceFamily(this.#service);
    const suits =
      booking !== undefined &&
      booking.claim.uid === this.#service.uid &&
      family !== undefined &&
      this.#asked.request.kind !== 'invalid' &&
      !familyChanged(familyOf(booking.addresses), family, this.#service.ipFamilyPolicy);
    if (suits) return this.#rebook(booking.addresses);
    this.#allocations.release(this.#service.key);
    return this.#fresh();
  }

  /** Books the present addresses again, with the present keys and ports, and compares them with the request. */
  #rebook(present: readonly IpAddress[]): Decision {
    const { claim, request, pool } = this.#asked;
    const booked = this.#allocations.book(claim, present);
    if (!booked.ok && booked.refusal.code === 'notInConfiguration' && this.#isFrozen()) return frozen;
    if (!booked.ok) this.#events.push(events.assignmentCleared(claim.key, booked.refusal));
    const held = booked.ok && (pool === '' || booked.pool === pool) ? booked.pool : undefined;
    if (request.kind === 'invalid') return this.#invalidRequest(present, held, request.message);
    const wanted = request.kind === 'addresses' ? request.addresses : present;
    if (held !== undefined && sameSet(wanted, present)) return this.#complete(wanted, held);
    this.#allocations.release(claim.key);
    return this.#fresh();
  }

  /** Its addresses came from a pool that exists but cannot be used at present. */
  #isFrozen(): boolean {
    const name = this.#service.annotations[ALLOCATED_FROM_POOL];
    return name !== undefined && this.#service.ingress.length > 0 && this.#allocations.isBroken(name);
  }

  #invalidRequest(present: readonly IpAddress[], held: string | undefined, message: string): Decision {
    const refusal: Refusal = { code: 'invalidRequest', message };
    this.#events.push(events.requestInvalid(message));
    if (held === undefined) return this.#refused(refusal);
    const reason = 'the request is invalid, the present addresses stay';
    return this.#have(present, held, waitForChange(refusal), reason);
  }

  /** The Service keeps what it has; a PreferDualStack Service with one address may get a second. */
  #complete(addresses: readonly IpAddress[], pool: string): Decision {
    const [first] = addresses;
    if (first === undefined || !this.#wantsSecond(addresses)) {
      return this.#have(addresses, pool, undefined, 'the recorded addresses are valid');
    }
    const added = addSecondFamily(this.#asked.claim, first, this.#allocations);
    if (!added.ok) return this.#single(first, pool, added);
    this.#events.push(events.allocatedAdditional(added.addresses[1] ?? first));
    return this.#have(
      added.addresses,
      added.pool,
      undefined,
      'an address of the second family became available',
    );
  }

  #wantsSecond(addresses: readonly IpAddress[]): boolean {
    return (
      addresses.length === 1 &&
      this.#service.ipFamilyPolicy === 'PreferDualStack' &&
      serviceFamily(this.#service) === 'dual' &&
      this.#asked.request.kind !== 'addresses'
    );
  }

  #single(address: IpAddress, pool: string, failure: { refusal: Refusal; wait: Wait }): Decision {
    this.#events.push(events.additionalFailed(this.#service.key, failure.refusal));
    return this.#have([address], pool, failure.wait, 'one address, none of the second family is available');
  }

  #fresh(): Decision {
    const result: AllocationResult = allocate(this.#asked, this.#allocations);
    if (!result.ok) {
      this.#events.push(events.allocationFailed(this.#service.key, result.refusal));
      return this.#without(result.refusal.message, result.wait);
    }
    this.#events.push(events.allocated(result.addresses), ...this.#ofReservations(result.addresses));
    if (this.#wantsSecond(result.addresses)) return this.#complete(result.addresses, result.pool);
    return this.#have(result.addresses, result.pool, undefined, `allocated from pool ${result.pool}`);
  }

  /** Says that the Service has got what was kept for it, or that it could not. */
  #ofReservations(addresses: readonly IpAddress[]): readonly ServiceEvent[] {
    const kept = this.#allocations.reservations.of(this.#service.key);
    const [first] = kept;
    if (first === undefined) return [];
    const used = kept.find((reservation) =>
      reservation.addresses.some((one) => addresses.some((other) => sameAddress(one, other))),
    );
    return [used === undefined ? events.reservationNotUsed(first) : events.reservationUsed(used)];
  }

  #refused(refusal: Refusal): Decision {
    this.#allocations.release(this.#service.key);
    return this.#without(refusal.message, waitForChange(refusal));
  }

  #none(reason: string): Decision {
    this.#allocations.release(this.#service.key);
    return this.#without(reason, undefined);
  }

  #without(reason: string, wait: Wait | undefined): Decision {
    const kind = recordMatches(this.#service, [], undefined) ? 'wait' : 'clear';
    return {
      kind,
      addresses: [],
      pool: undefined,
      events: this.#withDeprecation(kind === 'clear'),
      reason,
      wait,
    };
  }

  #have(addresses: readonly IpAddress[], pool: string, wait: Wait | undefined, reason: string): Decision {
    const kind = recordMatches(this.#service, addresses, pool) ? 'keep' : 'assign';
    return { kind, addresses, pool, events: this.#withDeprecation(kind === 'assign'), reason, wait };
  }

  /** Deprecated annotations are reported when something is written. */
  #withDeprecation(writes: boolean): readonly ServiceEvent[] {
    if (!writes) return this.#events;
    return [...this.#events, ...legacyAnnotations(this.#service).map(events.deprecatedAnnotation)];
  }
}

function sameSet(a: readonly IpAddress[], b: readonly IpAddress[]): boolean {
  const left = a.toSorted(compareAddresses);
  const right = b.toSorted(compareAddresses);
  return (
    left.length === right.length &&
    left.every((address, index) => right[index] !== undefined && sameAddress(address, right[index]))
  );
}
