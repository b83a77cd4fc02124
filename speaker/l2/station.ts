/** One interface that answers: its sockets and what a reply needs to know about it. */
import { bytesKey, ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, sameBytes } from '#core/l2/ethernet.ts';
import { arpFilter, echoFilter, ndpFilter, type Instruction } from '#core/l2/filter.ts';
import type { UsableInterface } from '#core/l2/interfaces.ts';
import type { HeldAddress, RespondingInterface } from '#core/l2/respond.ts';
import { PacketSocket } from '#speaker/l2/sockets.ts';

/** `echo4` and `echo6` exist only while an address is held that answers ICMP echo. */
export type Family = 'arp' | 'ndp' | 'echo4' | 'echo6';

/** Held addresses as the filters want them: IPv4 addresses, and the last 32 bits of IPv6 addresses. */
export type FilterKeys = Readonly<Record<Family, readonly number[]>>;

export const noKeys: FilterKeys = { arp: [], ndp: [], echo4: [], echo6: [] };

/** What the filters must let through for these addresses. */
export function filterKeys(held: Iterable<HeldAddress>): FilterKeys {
  const keys: Record<Family, number[]> = { arp: [], ndp: [], echo4: [], echo6: [] };
  for (const { bytes, ping } of held) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const isIpv4 = bytes.length === 4;
    const key = view.getUint32(isIpv4 ? 0 : 12);
    keys[isIpv4 ? 'arp' : 'ndp'].push(key);
    if (ping === true) keys[isIpv4 ? 'echo4' : 'echo6'].push(key);
  }
  return keys;
}

type Build = (ifindex: number, held: readonly number[], limit: number) => readonly Instruction[];

const sockets: Readonly<Record<Family, { readonly protocol: number; readonly build: Build }>> = {
  arp: { protocol: ETHERTYPE_ARP, build: arpFilter },
  ndp: { protocol: ETHERTYPE_IPV6, build: ndpFilter },
  echo4: { protocol: ETHERTYPE_IPV4, build: (...given) => echoFilter('ipv4', ...given) },
  echo6: { protocol: ETHERTYPE_IPV6, build: (...given) => echoFilter('ipv6', ...given) },
};
const families = Object.keys(sockets) as readonly Family[];

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

  get hasCarrier(): boolean {
    return this.#usable.carrier;
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
    this.#via = { ...viaOf(usable, ownMacs), before: this.#via.before };
    const opened = [this.#want('arp', keys), this.#want('ndp', keys)].includes(true);
    this.#wantEcho(keys);
    const moved = !sameBytes(before.link.mac, usable.link.mac) || (!before.carrier && usable.carrier);
    return opened || moved;
  }

  /** Names of the stations that answer in place of this one where they may. */
  setBefore(before: RespondingInterface['before']): void {
    this.#via = { ...this.#via, before };
  }

  #wantEcho(keys: FilterKeys): void {
    for (const family of ['echo4', 'echo6'] as const) this.#want(family, keys);
  }

  #wants(family: Family, keys: FilterKeys): boolean {
    const { arp, ndp } = this.#usable;
    if (family === 'arp' || family === 'ndp') return family === 'arp' ? arp : ndp;
    return keys[family].length > 0 && (family === 'echo4' ? arp : ndp);
  }

  /** Opens or closes a socket; true when it was opened. */
  #want(family: Family, keys: FilterKeys): boolean {
    const wanted = this.#wants(family, keys);
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
    const socket = new PacketSocket(this.ifindex, sockets[family].protocol);
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
    this.#wantEcho(keys);
    for (const family of families) {
      const socket = this.#sockets.get(family);
      if (socket !== undefined) this.#filter(family, socket, keys);
    }
  }

  #filter(family: Family, socket: PacketSocket, keys: FilterKeys): void {
    socket.setFilter((limit) => sockets[family].build(this.ifindex, keys[family], limit));
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
    before: { arp: [], ndp: [] },
  };
}
