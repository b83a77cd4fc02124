/**
 * The life of IPReservation objects. Those of the annotation `metallb.io/reserve-for` are written while the Service
 * is there, so that they survive whatever happens to Service or controller; when the Service goes, an end is set.
 */
import { RESERVE_FOR, readAnnotation } from '#core/api/annotations.ts';
import type { IPReservationSpec } from '#core/api/ip-reservation.ts';
import { recordedAddresses } from '#core/ipam/record.ts';
import type { Reservation } from '#core/ipam/reservations.ts';
import { parseDuration } from '#core/model/duration.ts';
import { formatAddress, parseAddress } from '#core/model/ip.ts';
import type { ServiceView } from '#core/model/views.ts';
import { familyOf } from '#core/ipam/families.ts';

/** An IPReservation as kept. */
export interface ReservationView {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Written by us for an annotation; others are the users' own. */
  readonly automatic: boolean;
  readonly spec: IPReservationSpec;
  readonly status: unknown;
}

export type ReserveFor =
  | { readonly kind: 'none' }
  | { readonly kind: 'duration'; readonly text: string }
  | { readonly kind: 'invalid'; readonly message: string };

/** Ten years: beyond it a permanent reservation is meant. */
const LONGEST = 87_600n * 3_600_000_000_000n;
const MILLISECOND = 1_000_000n;

/** What the annotation `metallb.io/reserve-for` says: a duration above zero, at most 87600h. */
export function reserveFor(service: ServiceView): ReserveFor {
  const text = readAnnotation(service.annotations, RESERVE_FOR);
  if (text === undefined || text === '') return { kind: 'none' };
  const value = parseDuration(text);
  if (value !== undefined && value >= MILLISECOND && value <= LONGEST) return { kind: 'duration', text };
  const message = `annotation metallb.io/reserve-for ${JSON.stringify(text)} is ignored: it must be a duration such as 24h or 30m, at most 87600h`;
  return { kind: 'invalid', message };
}

/** Name of the object that belongs to a Service's annotation. */
export function automaticName(service: Pick<ServiceView, 'namespace' | 'name'>): string {
  return `${service.namespace}.${service.name}`;
}

/** What the Service's annotation asks to be written down now; undefined: nothing. */
export function wantedSpec(service: ServiceView): IPReservationSpec | undefined {
  const wish = reserveFor(service);
  const addresses = recordedAddresses(service).flatMap((address) => address ?? []);
  if (service.type !== 'LoadBalancer' || wish.kind !== 'duration' || addresses.length === 0) return undefined;
  const { namespace, name } = service;
  return { service: { namespace, name }, addresses: addresses.map(formatAddress), reserveFor: wish.text };
}

/** The spec as what allocation goes by; or what is wrong with its addresses. */
export function reservationOf(name: string, spec: IPReservationSpec): Reservation | string {
  const addresses = spec.addresses.map(parseAddress);
  if (familyOf(addresses) === undefined)
    return `spec.addresses ${JSON.stringify(spec.addresses)} must hold one IP address, or one IPv4 and one IPv6 address`;
  if (spec.expiresAt !== undefined && Number.isNaN(Date.parse(spec.expiresAt)))
    return `spec.expiresAt ${JSON.stringify(spec.expiresAt)} is no point in time`;
  const owner = `${spec.service.namespace}/${spec.service.name}`;
  return { name, owner, addresses: addresses.flatMap((address) => address ?? []), until: spec.expiresAt };
}

export type ReservationPlan =
  | { readonly kind: 'keep'; readonly afterMs: number | undefined }
  | { readonly kind: 'create' | 'replace'; readonly spec: IPReservationSpec; readonly reason: string }
  | { readonly kind: 'delete'; readonly reason: string };

export interface ReservationInput {
  readonly object: ReservationView | undefined;
  /** The Service of the reservation, if it is there and ours. */
  readonly service: ServiceView | undefined;
  /** What the Service's annotation asked for when it was last seen with addresses. */
  readonly wanted: IPReservationSpec | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const keep = (afterMs?: number): ReservationPlan => ({ kind: 'keep', afterMs });

/** What to do about one IPReservation, or about one that is to be. */
export function planReservation(input: ReservationInput): ReservationPlan {
  const { object, service, wanted, now } = input;
  const live = service?.type === 'LoadBalancer' ? service : undefined;
  if (object !== undefined && !object.automatic) return untilExpiry(object.spec, now);
  if (live === undefined) return orphaned(wanted ?? object?.spec, object, now);
  return following(live, object, now);
}

/** The Service is there: its object says what it has. */
function following(live: ServiceView, object: ReservationView | undefined, now: number): ReservationPlan {
  const spec = wantedSpec(live);
  if (spec !== undefined) {
    if (object === undefined) return { kind: 'create', spec, reason: 'the Service asks for it' };
    const reason = 'it follows the Service';
    return sameSpec(object.spec, spec) ? keep() : { kind: 'replace', spec, reason };
  }
  if (object === undefined) return keep();
  if (live.ingress.length > 0) return { kind: 'delete', reason: 'the Service asks for none any more' };
  return untilExpiry(object.spec, now);
}

/** The Service is gone, or no load balancer any more: from now on the time runs. */
function orphaned(
  spec: IPReservationSpec | undefined,
  object: ReservationView | undefined,
  now: number,
): ReservationPlan {
  if (spec === undefined) return keep();
  if (spec.expiresAt !== undefined) return object === undefined ? keep() : untilExpiry(spec, now);
  const nanoseconds = parseDuration(spec.reserveFor ?? '') ?? 0n;
  const ends = { ...spec, expiresAt: new Date(now + Number(nanoseconds / MILLISECOND)).toISOString() };
  return { kind: object === undefined ? 'create' : 'replace', spec: ends, reason: 'the Service is gone' };
}

function untilExpiry({ expiresAt }: IPReservationSpec, now: number): ReservationPlan {
  const end = expiresAt === undefined ? Number.NaN : Date.parse(expiresAt);
  if (Number.isNaN(end)) return keep();
  return end <= now ? { kind: 'delete', reason: 'it has expired' } : keep(end - now);
}

function sameSpec(a: IPReservationSpec, b: IPReservationSpec): boolean {
  const key = ({ service, addresses, reserveFor: time, expiresAt }: IPReservationSpec): string =>
    JSON.stringify([service.namespace, service.name, addresses, time ?? '', expiresAt ?? '']);
  return key(a) === key(b);
}
