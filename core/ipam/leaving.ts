/**
 * An address that is recorded on a Service, or may be by a write that is under way, is given to nobody else before the
 * record without it is written, however long that takes: what a Service gives up, or cannot keep after a change of
 * pools, is booked under a key of its own until then.
 */
import type { Allocations, Booking } from '#core/ipam/allocations.ts';
import { recordedAddresses } from '#core/ipam/record.ts';
import { claimOf } from '#core/ipam/request.ts';
import { leavingKey, sharingConflict, type Claim } from '#core/ipam/sharing.ts';
import { formatAddress, sameAddress, type IpAddress } from '#core/model/ip.ts';
import type { ServiceView } from '#core/model/views.ts';

export class Leaving {
  readonly #allocations: Allocations;
  /** Keys of the bookings, by Service. */
  readonly #keys = new Map<string, readonly string[]>();
  /** What writes may have put into the records that nobody has looked at since, by Service; the latest is the last. */
  readonly #writing = new Map<string, readonly (readonly IpAddress[])[]>();

  constructor(allocations: Allocations) {
    this.#allocations = allocations;
  }

  /** Nothing is held for the Service any more; what was. */
  release(key: string): readonly Booking[] {
    const keys = this.#keys.get(key) ?? [];
    this.#keys.delete(key);
    return keys.flatMap((each) => this.#allocations.release(each) ?? []);
  }

  /** A record with these addresses is about to be written. */
  writes(key: string, addresses: readonly IpAddress[]): void {
    this.#writing.set(key, [...(this.#writing.get(key) ?? []), addresses]);
  }

  /**
   * The latest write is done: what is held for the Service and not named by it is free. What it names is held on, if
   * the pools have changed since it was decided.
   */
  written(key: string): void {
    const latest = this.#writing.get(key)?.at(-1) ?? [];
    if (latest.length === 0) return this.settled(key);
    this.#writing.set(key, [latest]);
    const named = new Set(latest.map((address) => leavingKey(key, formatAddress(address))));
    const held = this.#keys.get(key) ?? [];
    this.#keys.set(
      key,
      held.filter((each) => named.has(each)),
    );
    for (const each of held) if (!named.has(each)) this.#allocations.release(each);
  }

  /** The record is as it was looked at, or gone; what was held for the Service is free. */
  settled(key: string): void {
    this.#writing.delete(key);
    this.release(key);
  }

  /**
   * Holds what the Service has, or may have, in its record and does not have booked. `before`: what it had, and what
   * was held for it. An address on which others are is held only if it could be shared with them.
   */
  hold(service: ServiceView, before: readonly Booking[]): void {
    const now = this.#allocations.bookings.get(service.key)?.addresses ?? [];
    const recorded = recordedAddresses(service).flatMap((address) => address ?? []);
    const left = [...recorded, ...(this.#writing.get(service.key) ?? []).flat()].filter(
      (address) => !has(now, address),
    );
    if (left.length === 0) return;
    const claim = before[0]?.claim ?? claimOf(service);
    const keys = left.flatMap((address) => this.#hold(address, service.key, claim) ?? []);
    if (keys.length > 0) this.#keys.set(service.key, keys);
  }

  #hold(address: IpAddress, service: string, claim: Claim): string | undefined {
    const pool = this.#allocations.poolOf([address]);
    const key = leavingKey(service, formatAddress(address));
    if (pool === undefined || this.#allocations.bookings.has(key)) return undefined;
    if (sharingConflict(this.#allocations.use(address), claim) !== undefined) return undefined;
    this.#allocations.hold({ claim: { ...claim, key }, pool: pool.name, addresses: [address] });
    return key;
  }
}

function has(addresses: readonly IpAddress[], address: IpAddress): boolean {
  return addresses.some((other) => sameAddress(other, address));
}
