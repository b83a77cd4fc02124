/**
 * Addresses that are kept for a Service (IPReservation objects). A reserved address is not given to others while
 * nobody uses it; whoever uses one already stays, and on an address in use the sharing rules alone decide. Mutable;
 * look-ups cost the number of reservations of one address or one Service.
 */
import { formatAddress, type IpAddress } from '#core/model/ip.ts';

export interface Reservation {
  /** Name of the IPReservation. */
  readonly name: string;
  /** Key of the Service that may have the addresses. */
  readonly owner: string;
  readonly addresses: readonly IpAddress[];
  /** RFC 3339; undefined: no end is set. */
  readonly until: string | undefined;
}

/** What a change did to addresses: which are reserved now and were not, and the other way round. */
export interface ReservationChange {
  readonly added: readonly IpAddress[];
  readonly lifted: readonly IpAddress[];
}

const textOf = formatAddress;

export class Reservations {
  readonly #byName = new Map<string, Reservation>();
  readonly #byAddress = new Map<string, Map<string, Reservation>>();
  readonly #byOwner = new Map<string, Map<string, Reservation>>();

  get(name: string): Reservation | undefined {
    return this.#byName.get(name);
  }

  /** Every reserved address once. */
  *addresses(): Generator<IpAddress> {
    const seen = new Set<string>();
    for (const { addresses } of this.#byName.values())
      for (const address of addresses) {
        if (seen.has(textOf(address))) continue;
        seen.add(textOf(address));
        yield address;
      }
  }

  /** Reservations of a Service, by name. */
  of(owner: string): Reservation[] {
    return sorted(this.#byOwner.get(owner));
  }

  /** Puts a reservation in place of the one of that name, or takes it away. */
  set(name: string, reservation: Reservation | undefined): ReservationChange {
    const before = this.#byName.get(name);
    const touched = [...(before?.addresses ?? []), ...(reservation?.addresses ?? [])];
    const was = touched.map((address) => this.#isReserved(address));
    if (before !== undefined) this.#remove(before);
    if (reservation !== undefined) this.#add(reservation);
    const changed = (to: boolean): IpAddress[] =>
      touched.filter((address, index) => was[index] !== to && this.#isReserved(address) === to);
    return { added: changed(true), lifted: changed(false) };
  }

  /** Keys of the Services that the address is kept for. */
  owners(address: IpAddress): string[] {
    return [...(this.#byAddress.get(textOf(address))?.values() ?? [])].map(({ owner }) => owner);
  }

  /** The reservation that keeps the address from this Service; undefined when it may have it. */
  against(owner: string, address: IpAddress): Reservation | undefined {
    const all = this.#byAddress.get(textOf(address));
    const own = all !== undefined && [...all.values()].some((reservation) => reservation.owner === owner);
    return own ? undefined : sorted(all)[0];
  }

  #isReserved(address: IpAddress): boolean {
    return this.#byAddress.has(textOf(address));
  }

  #add(reservation: Reservation): void {
    const { name, owner, addresses } = reservation;
    this.#byName.set(name, reservation);
    enter(this.#byOwner, owner, reservation);
    for (const address of addresses) enter(this.#byAddress, textOf(address), reservation);
  }

  #remove({ name, owner, addresses }: Reservation): void {
    this.#byName.delete(name);
    drop(this.#byOwner, owner, name);
    for (const address of addresses) drop(this.#byAddress, textOf(address), name);
  }
}

type Index = Map<string, Map<string, Reservation>>;

function enter(index: Index, key: string, reservation: Reservation): void {
  const found = index.get(key) ?? new Map<string, Reservation>();
  index.set(key, found);
  found.set(reservation.name, reservation);
}

function drop(index: Index, key: string, name: string): void {
  const found = index.get(key);
  found?.delete(name);
  if (found?.size === 0) index.delete(key);
}

function sorted(found: ReadonlyMap<string, Reservation> | undefined): Reservation[] {
  return [...(found?.values() ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1));
}
