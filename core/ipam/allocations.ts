/**
 * Who has which address: the one mutable structure of the controller's decisions, rebuilt from the Services'
 * statuses at each start and never persisted. All operations are synchronous and, but for `setPools`,
 * O(log n). What became available is collected until `drainChanges` (to wake those who wait for it).
 */
import { PoolRanges } from '#core/ipam/pool-ranges.ts';
import { PoolState, type PoolCounters } from '#core/ipam/pool-state.ts';
import {
  badFamilies,
  notInConfiguration,
  poolReserved,
  sharingRefusal,
  type Refusal,
} from '#core/ipam/refusal.ts';
import { familyOf } from '#core/ipam/families.ts';
import { Reservations, type Reservation } from '#core/ipam/reservations.ts';
import {
  emptyUse,
  joinUse,
  leaveUse,
  sharingConflict,
  type AddressUse,
  type Claim,
} from '#core/ipam/sharing.ts';
import type { Pool } from '#core/model/config.ts';
import { sameAddress, type Family, type IpAddress } from '#core/model/ip.ts';
import { selectsAny } from '#core/model/selector.ts';

/** What a Service holds: one address, or one of each family, all of one pool. */
export interface Booking {
  readonly claim: Claim;
  readonly pool: string;
  readonly addresses: readonly IpAddress[];
}

/** An address that somebody left, or on which keys or ports changed. */
export interface Opening {
  readonly pool: string;
  readonly address: IpAddress;
  /** Nobody uses it any more. */
  readonly free: boolean;
  /** The sharing key of those who still use it. */
  readonly sharingKey: string;
}

export interface Changes {
  readonly openings: readonly Opening[];
  /** Names of pools whose counters may have changed, and of pools that are gone. */
  readonly pools: ReadonlySet<string>;
}

export type BookResult =
  { readonly ok: true; readonly pool: string } | { readonly ok: false; readonly refusal: Refusal };

/** Whether the Service may use the pool at all; `autoAssign` is not part of it (controller.md §3.3). */
export function compatible(pool: Pool, claim: Claim): boolean {
  const allocation = pool.serviceAllocation;
  if (allocation === undefined) return true;
  const namespaceOk = allocation.namespaces?.includes(claim.namespace) ?? true;
  return namespaceOk && selectsAny(allocation.serviceSelectors, claim.labels);
}

export class Allocations {
  readonly #bookings = new Map<string, Booking>();
  readonly #reservations = new Reservations();
  readonly #services = new Map<string, number>();
  readonly #uses: Readonly<Record<Family, Map<bigint, AddressUse>>> = { ipv4: new Map(), ipv6: new Map() };
  #pools = new Map<string, PoolState>();
  #ranges = new PoolRanges([]);
  #order: readonly Pool[] = [];
  #broken: ReadonlySet<string> = new Set();
  #configured = false;
  #left: { readonly pool: string; readonly address: IpAddress }[] = [];
  #changed = new Set<string>();

  /** False until the first `setPools`: nothing may be decided before. */
  get configured(): boolean {
    return this.#configured;
  }

  /** The pools as configured, in the order of their names. */
  get pools(): readonly Pool[] {
    return this.#order;
  }

  get bookings(): ReadonlyMap<string, Booking> {
    return this.#bookings;
  }

  get reservations(): Pick<Reservations, 'get' | 'of' | 'owners' | 'against'> {
    return this.#reservations;
  }

  /** Names of the pools that have problems, sorted; one may be in force in an earlier form. */
  get broken(): readonly string[] {
    return [...this.#broken].sort();
  }

  /** Whether there is a pool of this name that cannot be used and has no earlier form to go by. */
  isBroken(name: string): boolean {
    return this.#broken.has(name) && !this.#pools.has(name);
  }

  pool(name: string): Pool | undefined {
    return this.#pools.get(name)?.pool;
  }

  /** Counters of a pool; undefined when it is not configured. */
  counters(name: string): PoolCounters | undefined {
    return this.#pools.get(name)?.counters;
  }

  /** How many Services hold addresses of the pool. */
  serviceCount(pool: string): number {
    return this.#services.get(pool) ?? 0;
  }

  use(address: IpAddress): AddressUse | undefined {
    return this.#uses[address.family].get(address.value);
  }

  /** The one pool that gives out all of these addresses. */
  poolOf(addresses: readonly IpAddress[]): Pool | undefined {
    const names = new Set(addresses.map((address) => this.#ranges.ownerOf(address)));
    const [name] = names;
    const state = names.size === 1 && name !== undefined ? this.#pools.get(name) : undefined;
    return state !== undefined && addresses.every((address) => state.offers(address))
      ? state.pool
      : undefined;
  }

  /** The first address of the pool, in spec order, that is free or that the claim may share. */
  lowest(pool: string, family: Family, claim: Claim): IpAddress | undefined {
    return this.#pools.get(pool)?.lowest(family, claim);
  }

  /**
   * Takes over another set of pools. A booking follows its addresses into the pool that now has all of them and
   * is dropped when there is none; selectors, namespaces and `autoAssign` are not looked at (controller.md §4.2).
   * `broken` names the pools whose objects have problems.
   */
  setPools(pools: readonly Pool[], broken: ReadonlySet<string> = new Set()): void {
    const before = this.#pools;
    this.#configured = true;
    this.#broken = broken;
    this.#order = pools.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    this.#pools = new Map(this.#order.map((pool) => [pool.name, reuse(before.get(pool.name), pool)]));
    this.#ranges = new PoolRanges(this.#order);
    for (const name of [...before.keys(), ...this.#pools.keys()]) this.#changed.add(name);
    const moved = [...this.#bookings.values()].filter(
      ({ pool }) => before.get(pool) !== this.#pools.get(pool),
    );
    for (const booking of moved) this.#leave(booking, before);
    for (const address of this.#reservations.addresses()) this.#reserve(address, true);
    for (const booking of moved) {
      const pool = this.poolOf(booking.addresses);
      if (pool !== undefined) this.#enter({ ...booking, pool: pool.name });
    }
  }

  /** Puts a reservation in force, or takes the one of that name away. What others use stays theirs. */
  setReservation(name: string, reservation: Reservation | undefined): void {
    const { added, lifted } = this.#reservations.set(name, reservation);
    for (const address of added) this.#reserve(address, true);
    for (const address of lifted) this.#reserve(address, false);
  }

  #reserve(address: IpAddress, reserved: boolean): void {
    const pool = this.#ranges.ownerOf(address);
    if (pool === undefined) return;
    this.#pools.get(pool)?.reserve(address, reserved, this.use(address) !== undefined);
    this.#changed.add(pool);
    if (!reserved) this.#left.push({ pool, address });
  }

  /** What speaks against giving these addresses to the claim, in the order of controller.md §3.4. */
  check(claim: Claim, addresses: readonly IpAddress[]): BookResult {
    const pool = this.poolOf(addresses);
    if (pool === undefined) return { ok: false, refusal: this.#notInConfiguration(addresses) };
    if (!compatible(pool, claim)) return { ok: false, refusal: poolReserved(pool, claim) };
    if (familyOf(addresses) === undefined) return { ok: false, refusal: badFamilies(addresses) };
    for (const address of addresses) {
      const conflict = sharingConflict(this.use(address), claim);
      if (conflict !== undefined) return { ok: false, refusal: sharingRefusal(address, conflict, claim) };
    }
    return { ok: true, pool: pool.name };
  }

  /** Gives exactly these addresses to the claim instead of what it held. A refusal changes nothing. */
  book(claim: Claim, addresses: readonly IpAddress[]): BookResult {
    const result = this.check(claim, addresses);
    if (!result.ok) return result;
    const held = this.#bookings.get(claim.key);
    // Kept for each Service: a list that was made by `flatMap` has room for 16 more.
    const booking: Booking = { claim, pool: result.pool, addresses: addresses.slice() };
    if (held !== undefined && sameBooking(held, booking)) this.#renew(booking);
    else {
      this.release(claim.key);
      this.#enter(booking);
    }
    return result;
  }

  /** Books without a question what its Service held a moment ago (leaving.ts). */
  hold(booking: Booking): void {
    this.#enter(booking);
  }

  /** Gives up what the Service holds; undefined when it held nothing. */
  release(key: string): Booking | undefined {
    const booking = this.#bookings.get(key);
    if (booking !== undefined) this.#leave(booking, this.#pools);
    return booking;
  }

  /** What became available, and whose counters changed, since the last call. */
  drainChanges(): Changes {
    const openings = this.#left
      .filter(({ pool }) => this.#pools.has(pool))
      .map(({ pool, address }) => {
        const use = this.use(address);
        return { pool, address, free: use === undefined, sharingKey: use?.sharingKey ?? '' };
      })
      .filter(({ free, sharingKey }) => free || sharingKey !== '');
    const pools = this.#changed;
    this.#left = [];
    this.#changed = new Set();
    return { openings, pools };
  }

  #notInConfiguration(addresses: readonly IpAddress[]): Refusal {
    const owners = addresses.map((address) => this.pool(this.#ranges.ownerOf(address) ?? ''));
    return notInConfiguration(addresses, owners);
  }

  #enter(booking: Booking): void {
    const { claim } = booking;
    this.#bookings.set(claim.key, booking);
    this.#count(booking.pool, 1);
    for (const address of booking.addresses) {
      const uses = this.#uses[address.family];
      const use = uses.get(address.value) ?? emptyUse();
      uses.set(address.value, use);
      this.#pools.get(booking.pool)?.edit(address, use, () => joinUse(use, claim));
      // In use again, a reserved address is open to those who share it.
      if (this.#reservations.owners(address).length > 0) this.#left.push({ pool: booking.pool, address });
    }
  }

  /** The same as it was, by a newer version of the Service: nothing of the older one is kept. */
  #renew(booking: Booking): void {
    this.#bookings.set(booking.claim.key, booking);
    for (const address of booking.addresses) {
      const use = this.use(address);
      if (use !== undefined) joinUse(use, booking.claim);
    }
  }

  #count(pool: string, change: number): void {
    this.#changed.add(pool);
    const services = this.serviceCount(pool) + change;
    if (services === 0) this.#services.delete(pool);
    else this.#services.set(pool, services);
  }

  #leave(booking: Booking, pools: ReadonlyMap<string, PoolState>): void {
    const { claim } = booking;
    this.#bookings.delete(claim.key);
    this.#count(booking.pool, -1);
    for (const address of booking.addresses) {
      const use = this.use(address);
      if (use === undefined) continue;
      pools.get(booking.pool)?.edit(address, use, () => leaveUse(use, claim));
      if (use.users.length === 0) this.#uses[address.family].delete(address.value);
      this.#left.push({ pool: booking.pool, address });
    }
  }
}

function reuse(state: PoolState | undefined, pool: Pool): PoolState {
  return state?.adopt(pool) === true ? state : new PoolState(pool);
}

function sameBooking(a: Booking, b: Booking): boolean {
  return (
    a.pool === b.pool &&
    a.claim.sharingKey === b.claim.sharingKey &&
    a.claim.backendKey === b.claim.backendKey &&
    a.claim.ports.join() === b.claim.ports.join() &&
    a.addresses.length === b.addresses.length &&
    a.addresses.every((address, index) => {
      const other = b.addresses[index];
      return other !== undefined && sameAddress(address, other);
    })
  );
}
