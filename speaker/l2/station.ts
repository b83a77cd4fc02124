/** One interface that answers: its two sockets and what a reply needs to know about it. */
import { ETHERTYPE_ARP, ETHERTYPE_IPV6, bytesKey, sameBytes } from '#core/l2/ethernet.ts';
import { arpFilter, ndpFilter } from '#core/l2/filter.ts';
import type { UsableInterface } from '#core/l2/interfaces.ts';
import type { RespondingInterface } from '#core/l2/respond.ts';
import { PacketSocket } from '#speaker/l2/sockets.ts';

export type Family = 'arp' | 'ndp';

/** Held addresses as the filters want them: IPv4 addresses, and the last 32 bits of IPv6 addresses. */
export interface FilterKeys {
  readonly arp: readonly number[];
  readonly ndp: readonly number[];
}

export interface StationEvents {
  frame(station: Station, family: Family, frame: Uint8Array): void;
  /** A socket could not be opened or read. */
  problem(station: Station, family: Family, error: unknown): void;
}

export class Station {
  readonly ifindex: number;
  readonly #events: StationEvents;
  readonly #sockets = new Map<Family, PacketSocket>();
  #usable: UsableInterface;
  #via: RespondingInterface;

  constructor(usable: UsableInterface, events: StationEvents) {
    this.ifindex = usable.link.index;
    this.#events = events;
    this.#usable = usable;
    this.#via = viaOf(usable, new Set());
  }

  get name(): string {
    return this.#usable.link.name;
  }

  get via(): RespondingInterface {
    return this.#via;
  }

  has(family: Family): boolean {
    return this.#sockets.has(family);
  }

  /**
   * Takes the interface's present state: opens and closes sockets. True when neighbours should hear about it
   * (a socket is new, the carrier came back, the MAC address changed).
   */
  update(usable: UsableInterface, ownMacs: ReadonlySet<string>, keys: FilterKeys): boolean {
    const before = this.#usable;
    this.#usable = usable;
    this.#via = viaOf(usable, ownMacs);
    const opened = [this.#want('arp', usable.arp, keys), this.#want('ndp', usable.ndp, keys)].includes(true);
    const moved = !sameBytes(before.link.mac, usable.link.mac) || (!before.carrier && usable.carrier);
    return opened || moved;
  }

  #want(family: Family, wanted: boolean, keys: FilterKeys): boolean {
    const socket = this.#sockets.get(family);
    if (wanted === (socket !== undefined)) return false;
    if (socket !== undefined) {
      socket.close();
      this.#sockets.delete(family);
      return false;
    }
    try {
      this.#open(family, keys);
      return true;
    } catch (error) {
      this.#events.problem(this, family, error);
      return false;
    }
  }

  #open(family: Family, keys: FilterKeys): void {
    const socket = new PacketSocket(this.ifindex, family === 'arp' ? ETHERTYPE_ARP : ETHERTYPE_IPV6);
    try {
      this.#filter(family, socket, keys);
    } catch (error) {
      socket.close();
      throw error;
    }
    this.#sockets.set(family, socket);
    socket.start(
      (frame) => this.#events.frame(this, family, frame),
      (error) => this.#events.problem(this, family, error),
    );
  }

  /** Lets the kernel pass frames about these addresses. */
  setFilters(keys: FilterKeys): void {
    for (const [family, socket] of this.#sockets) this.#filter(family, socket, keys);
  }

  #filter(family: Family, socket: PacketSocket, keys: FilterKeys): void {
    const build = family === 'arp' ? arpFilter : ndpFilter;
    socket.setFilter((limit) => build(this.ifindex, keys[family], limit));
  }

  /** Throws SocketError when the frame cannot be sent, e.g. ENETDOWN. */
  send(family: Family, frame: Uint8Array): void {
    this.#sockets.get(family)?.send(frame);
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }
}

function viaOf(usable: UsableInterface, ownMacs: ReadonlySet<string>): RespondingInterface {
  return {
    name: usable.link.name,
    mac: usable.link.mac,
    kernelAddresses: new Set(usable.addresses.map(bytesKey)),
    ownMacs,
  };
}
