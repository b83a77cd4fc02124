/** One pool with what is in use of it. Mutable; owned by core/ipam/allocations.ts. */
import { AddressSpace, FreeSet } from '#core/ipam/free-set.ts';
import { SharedIndex } from '#core/ipam/shared-index.ts';
import type { AddressUse, Claim } from '#core/ipam/sharing.ts';
import type { Pool } from '#core/model/config.ts';
import { familyBits, type Family, type IpAddress, type IpRange } from '#core/model/ip.ts';

/** Counters saturate here (the fields are int64). */
export const MAX_COUNT = 9223372036854775807n;
/** Prefixes with this many host bits or more count as unlimited (controller.md §3.11). */
const UNLIMITED_HOST_BITS = 62;

export interface FamilyCounters {
  /** Usable addresses. */
  readonly capacity: bigint;
  /** Distinct addresses in use; a shared one counts once. */
  readonly inUse: bigint;
  /** Reserved addresses that nobody uses. */
  readonly reserved: bigint;
}

export interface PoolCounters {
  readonly ipv4: FamilyCounters;
  readonly ipv6: FamilyCounters;
}

function capacityOf(pool: Pool, space: AddressSpace): bigint {
  if (pool.excluded.length > 0) return space.size > MAX_COUNT ? MAX_COUNT : space.size;
  const unlimited = pool.entries
    .flatMap((entry) => entry.cidrs)
    .some(
      ({ family, prefix }) => family === space.family && familyBits(family) - prefix >= UNLIMITED_HOST_BITS,
    );
  return unlimited || space.size > MAX_COUNT ? MAX_COUNT : space.size;
}

class FamilyState {
  readonly #space: AddressSpace;
  readonly #free: FreeSet;
  readonly #shared = new SharedIndex();
  readonly #capacity: bigint;
  readonly #reserved = new Set<bigint>();
  #inUse = 0n;
  #unusedReserved = 0n;

  constructor(pool: Pool, family: Family) {
    this.#space = new AddressSpace(pool, family);
    this.#free = new FreeSet(this.#space.size);
    this.#capacity = capacityOf(pool, this.#space);
  }

  get counters(): FamilyCounters {
    return { capacity: this.#capacity, inUse: this.#inUse, reserved: this.#unusedReserved };
  }

  /** Whether the pool gives this address out at all. */
  offers(address: IpAddress): boolean {
    return this.#space.rank(address) !== undefined;
  }

  lowest(claim: Claim): IpAddress | undefined {
    const free = this.#free.lowest();
    const shared = this.#shared.lowest(claim);
    const rank = free === undefined || (shared !== undefined && shared < free) ? shared : free;
    return rank === undefined ? undefined : this.#space.address(rank);
  }

  /** Changes the users of an address by `edit`, keeping index and counters in step. */
  edit(address: IpAddress, use: AddressUse, edit: (use: AddressUse) => void): void {
    const rank = this.#space.rank(address);
    if (rank === undefined) return;
    const before = use.users.length > 0;
    this.#shared.remove(rank, use);
    edit(use);
    this.#shared.add(rank, use);
    const after = use.users.length > 0;
    if (before === after) return;
    this.#inUse += after ? 1n : -1n;
    if (this.#reserved.has(rank)) this.#unusedReserved += after ? -1n : 1n;
    else if (after) this.#free.take(rank);
    else this.#free.give(rank);
  }

  /** Reserves the address, or lifts the reservation; `used`: somebody uses it. */
  reserve(address: IpAddress, reserved: boolean, used: boolean): void {
    const rank = this.#space.rank(address);
    if (rank === undefined || this.#reserved.has(rank) === reserved) return;
    if (reserved) this.#reserved.add(rank);
    else this.#reserved.delete(rank);
    if (used) return;
    this.#unusedReserved += reserved ? 1n : -1n;
    if (reserved) this.#free.take(rank);
    else this.#free.give(rank);
  }
}

export class PoolState {
  readonly #families: Readonly<Record<Family, FamilyState>>;
  #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
    this.#families = { ipv4: new FamilyState(pool, 'ipv4'), ipv6: new FamilyState(pool, 'ipv6') };
  }

  get pool(): Pool {
    return this.#pool;
  }

  get counters(): PoolCounters {
    return { ipv4: this.#families.ipv4.counters, ipv6: this.#families.ipv6.counters };
  }

  /** Takes over another form of the pool if it has the same addresses in the same order; false otherwise. */
  adopt(pool: Pool): boolean {
    if (addressKey(pool) !== addressKey(this.#pool)) return false;
    this.#pool = pool;
    return true;
  }

  offers(address: IpAddress): boolean {
    return this.#families[address.family].offers(address);
  }

  /** The first address in spec order that is free or that the claim may share. */
  lowest(family: Family, claim: Claim): IpAddress | undefined {
    return this.#families[family].lowest(claim);
  }

  reserve(address: IpAddress, reserved: boolean, used: boolean): void {
    this.#families[address.family].reserve(address, reserved, used);
  }

  edit(address: IpAddress, use: AddressUse, edit: (use: AddressUse) => void): void {
    this.#families[address.family].edit(address, use, edit);
  }
}

function addressKey(pool: Pool): string {
  const textOf = ({ range }: { readonly range: IpRange }): string =>
    `${range.family}:${range.first}-${range.last}`;
  return `${pool.avoidBuggyIPs}|${pool.entries.map(textOf).join()}|${pool.excluded.map(textOf).join()}`;
}
