/**
 * Services without an address that something else could give them one, and whom to look at again when an
 * address becomes available. Waiters of one class are interchangeable: whatever helps one of them helps the
 * oldest, and when the oldest cannot be helped none can. So one release wakes one waiter per class.
 * Mutable; all operations are O(log n) but for the number of classes concerned.
 */
import { ageRank } from '#core/ipam/age.ts';
import type { Opening } from '#core/ipam/allocations.ts';
import type { RefusalCode } from '#core/ipam/refusal.ts';
import { SortedMap } from '#core/ipam/sorted-map.ts';
import { sameAddress, type IpAddress } from '#core/model/ip.ts';

/** What a Service waits for. */
export interface Wait {
  readonly code: RefusalCode;
  /** Equal for interchangeable waiters; undefined when only a change of the Service or the pools can help. */
  readonly group: string | undefined;
  /** Pools of which an address would help. */
  readonly pools: readonly string[];
  /** The addresses it insists on; empty: any of the pools. */
  readonly addresses: readonly IpAddress[];
  /** Empty unless it could join others on an address. */
  readonly sharingKey: string;
}

interface Class {
  readonly wait: Wait;
  /** Age and key → key. */
  readonly members: SortedMap<string, string>;
}

export interface Waiter {
  /** Service key. */
  readonly key: string;
  /** RFC 3339; older ones come first. */
  readonly since: string;
  readonly wait: Wait;
}

const orderOf = ({ key, since }: Waiter): string => ageRank(since, key);

function helps(opening: Opening, wait: Wait): boolean {
  const here =
    wait.addresses.length > 0
      ? wait.addresses.some((address) => sameAddress(address, opening.address))
      : wait.pools.includes(opening.pool);
  return here && (opening.free || (wait.sharingKey !== '' && wait.sharingKey === opening.sharingKey));
}

export class Waiting {
  readonly #waiters = new Map<string, Waiter>();
  readonly #classes = new Map<string, Class>();

  get size(): number {
    return this.#waiters.size;
  }

  get(key: string): Wait | undefined {
    return this.#waiters.get(key)?.wait;
  }

  /** How many wait, by reason. */
  counts(): Map<RefusalCode, number> {
    const counts = new Map<RefusalCode, number>();
    for (const { wait } of this.#waiters.values()) counts.set(wait.code, (counts.get(wait.code) ?? 0) + 1);
    return counts;
  }

  /**
   * Records the outcome for a Service: what it waits for, or undefined when it waits no more. Returns the key
   * of the next of its class if the Service left one: what had woken this one may still help that one.
   */
  settle(key: string, since: string, wait: Wait | undefined): string | undefined {
    const before = this.#waiters.get(key);
    if (wait !== undefined && before?.since === since && before.wait.group === wait.group) {
      this.#waiters.set(key, { key, since, wait });
      return undefined;
    }
    if (before !== undefined) this.#leave(before);
    if (wait !== undefined) this.#enter({ key, since, wait });
    return before?.wait.group === undefined ? undefined : this.#head(before.wait.group);
  }

  /** The waiters among these keys, each once, the oldest first, whichever class it is of. */
  byAge(keys: Iterable<string>): string[] {
    const waiters = [...new Set(keys)].flatMap((key) => this.#waiters.get(key) ?? []);
    return waiters.sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1)).map(({ key }) => key);
  }

  /** The oldest of each class that these changes may help. */
  wokenBy(openings: readonly Opening[]): string[] {
    const woken = new Set<string>();
    if (openings.length === 0) return [];
    for (const [group, { wait }] of this.#classes) {
      const head = openings.some((opening) => helps(opening, wait)) ? this.#head(group) : undefined;
      if (head !== undefined) woken.add(head);
    }
    return [...woken];
  }

  #head(group: string): string | undefined {
    return this.#classes.get(group)?.members.first()?.value;
  }

  #enter(waiter: Waiter): void {
    const { wait } = waiter;
    this.#waiters.set(waiter.key, waiter);
    if (wait.group === undefined) return;
    const found = this.#classes.get(wait.group) ?? { wait, members: new SortedMap<string, string>() };
    this.#classes.set(wait.group, found);
    found.members.set(orderOf(waiter), waiter.key);
  }

  #leave(waiter: Waiter): void {
    const { group } = waiter.wait;
    this.#waiters.delete(waiter.key);
    const found = group === undefined ? undefined : this.#classes.get(group);
    if (group === undefined || found === undefined) return;
    found.members.delete(orderOf(waiter));
    if (found.members.size === 0) this.#classes.delete(group);
  }
}
