/**
 * Which cards of this host are on one LAN: a card that hears a frame of another card is. Of those one answers for an
 * address, so that neighbours see one MAC address. Times are milliseconds of any steady clock.
 */
import { ARP_REQUEST, decodeArp, encodeArp } from '#core/l2/arp.ts';
import { BROADCAST, isZero } from '#core/l2/ethernet.ts';

/** Between two looks; a pair of cards that was not seen in three of them is on different LANs. */
export const LOOK_EVERY = 30_000;
/** Until everything that a look brings about has arrived. */
export const LOOK_SETTLES = 50;
const REMEMBERED = 2.5 * LOOK_EVERY;
/** Bytes of the mark; the other three of the field are the interface. */
export const MARK_LENGTH = 3;

/**
 * A broadcast that asks nobody anything: an ARP probe (RFC 5227) for 0.0.0.0. In the target's MAC address, which
 * means nothing in a request, stand the mark of the process and the index of the sending interface.
 */
export function lookFrame(mac: Uint8Array, mark: Uint8Array, ifindex: number): Uint8Array {
  const index = [ifindex >> 16, ifindex >> 8, ifindex].map((byte) => byte & 0xff);
  return encodeArp({
    destination: BROADCAST,
    source: mac,
    operation: ARP_REQUEST,
    senderMac: mac,
    senderIp: new Uint8Array(4),
    targetMac: Uint8Array.of(...mark, ...index),
    targetIp: new Uint8Array(4),
  });
}

/** The interface that sent such a frame of this process; undefined for any other frame. */
export function lookedFrom(frame: Uint8Array, mark: Uint8Array): number | undefined {
  const arp = decodeArp(frame);
  if (arp?.operation !== ARP_REQUEST || !isZero(arp.targetIp) || !isZero(arp.senderIp)) return undefined;
  if (!mark.every((byte, at) => arp.targetMac[at] === byte)) return undefined;
  const [high = 0, middle = 0, low = 0] = arp.targetMac.subarray(MARK_LENGTH);
  return (high << 16) | (middle << 8) | low;
}

/** What was heard so far. Interfaces are indexes. */
export class SameLan {
  readonly #heard = new Map<number, Map<number, number>>();

  /** One of the two heard the other; true when that is new. */
  heard(a: number, b: number, now: number): boolean {
    if (a === b) return false;
    const isNew = this.#heard.get(a)?.has(b) !== true;
    this.#of(a).set(b, now);
    this.#of(b).set(a, now);
    return isNew;
  }

  #of(index: number): Map<number, number> {
    let others = this.#heard.get(index);
    if (others === undefined) this.#heard.set(index, (others = new Map()));
    return others;
  }

  /** The interface is down, without carrier, or gone; true when it was on a LAN with another one. */
  forget(index: number): boolean {
    const others = this.#heard.get(index);
    this.#heard.delete(index);
    for (const other of others?.keys() ?? []) this.#heard.get(other)?.delete(index);
    return others !== undefined && others.size > 0;
  }

  /** Forgets pairs that were not heard for long; true when there were any. */
  expire(now: number): boolean {
    let any = false;
    for (const others of this.#heard.values())
      for (const [other, at] of others)
        if (now - at > REMEMBERED) {
          others.delete(other);
          any = true;
        }
    return any;
  }

  /** All interfaces on the LAN of this one, itself included. */
  lanOf(index: number): ReadonlySet<number> {
    const lan = new Set([index]);
    for (const member of lan) for (const other of this.#heard.get(member)?.keys() ?? []) lan.add(other);
    return lan;
  }
}
