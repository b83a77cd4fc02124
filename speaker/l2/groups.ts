/** The solicited-node groups of all addresses, joined on every station that answers NDP. */
import { bytesKey } from '#core/l2/ethernet.ts';
import { solicitedNode } from '#core/l2/ndp.ts';
import type { Problems } from '#speaker/l2/problems.ts';
import { GroupMemberships } from '#speaker/l2/sockets.ts';
import type { Station } from '#speaker/l2/station.ts';

const PART = 'ndp group';

export class Groups {
  readonly #memberships = new GroupMemberships();
  readonly #groups = new Map<string, { readonly group: Uint8Array; users: number }>();
  readonly #stations: () => Iterable<Station>;
  readonly #problems: Problems;

  constructor(stations: () => Iterable<Station>, problems: Problems) {
    this.#stations = stations;
    this.#problems = problems;
  }

  /** For an address of either family; IPv4 has no groups. */
  add(address: Uint8Array): void {
    if (address.length !== 16) return;
    const group = solicitedNode(address);
    const known = this.#groups.get(bytesKey(group));
    if (known !== undefined) known.users += 1;
    else {
      this.#groups.set(bytesKey(group), { group, users: 1 });
      for (const station of this.#stations()) this.#joinOn(station, group);
    }
  }

  remove(address: Uint8Array): void {
    const key = bytesKey(address.length === 16 ? solicitedNode(address) : new Uint8Array());
    const known = this.#groups.get(key);
    if (known === undefined) return;
    known.users -= 1;
    if (known.users > 0) return;
    this.#groups.delete(key);
    for (const station of this.#stations()) this.#memberships.leave(station.ifindex, known.group);
  }

  /** After a station began or ceased to answer NDP, and to try again what failed. */
  update(station: Station): void {
    for (const { group } of this.#groups.values()) {
      if (station.has('ndp')) this.#joinOn(station, group);
      else this.#memberships.leave(station.ifindex, group);
    }
  }

  #joinOn(station: Station, group: Uint8Array): void {
    if (!station.has('ndp')) return;
    try {
      this.#memberships.join(station.ifindex, group);
      this.#problems.solved(station, PART);
    } catch (error) {
      this.#problems.note(station, PART, error);
    }
  }

  close(): void {
    this.#memberships.close();
  }
}
