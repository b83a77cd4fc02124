/** ARP for IPv4 over Ethernet (RFC 826): bytes to values and back. */
import {
  BROADCAST,
  ETHERTYPE_ARP,
  HEADER_LENGTH,
  MINIMUM_LENGTH,
  readUint16,
  writeHeader,
} from '#core/l2/ethernet.ts';

export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;

const PACKET_LENGTH = 28;
const ETHERNET = 1;
const IPV4 = 0x0800;

/** One ARP frame. MAC addresses have 6 bytes, IP addresses 4. */
export interface ArpFrame {
  /** Of the Ethernet header. */
  readonly destination: Uint8Array;
  readonly source: Uint8Array;
  readonly operation: number;
  readonly senderMac: Uint8Array;
  readonly senderIp: Uint8Array;
  readonly targetMac: Uint8Array;
  readonly targetIp: Uint8Array;
}

/** Reads a frame; undefined when it is no ARP for IPv4 over Ethernet or is cut short. The result shares the frame's memory. */
export function decodeArp(frame: Uint8Array): ArpFrame | undefined {
  if (frame.length < HEADER_LENGTH + PACKET_LENGTH) return undefined;
  if (readUint16(frame, 12) !== ETHERTYPE_ARP) return undefined;
  if (readUint16(frame, 14) !== ETHERNET || readUint16(frame, 16) !== IPV4) return undefined;
  if (frame[18] !== 6 || frame[19] !== 4) return undefined;
  return {
    destination: frame.subarray(0, 6),
    source: frame.subarray(6, 12),
    operation: readUint16(frame, 20),
    senderMac: frame.subarray(22, 28),
    senderIp: frame.subarray(28, 32),
    targetMac: frame.subarray(32, 38),
    targetIp: frame.subarray(38, 42),
  };
}

/** Writes a frame of 60 bytes. */
export function encodeArp(arp: ArpFrame): Uint8Array {
  const frame = new Uint8Array(MINIMUM_LENGTH);
  writeHeader(frame, arp.destination, arp.source, ETHERTYPE_ARP);
  frame.set([0, ETHERNET, IPV4 >> 8, IPV4 & 0xff, 6, 4, arp.operation >> 8, arp.operation & 0xff], 14);
  frame.set(arp.senderMac, 22);
  frame.set(arp.senderIp, 28);
  frame.set(arp.targetMac, 32);
  frame.set(arp.targetIp, 38);
  return frame;
}

/** The two broadcast frames of one gratuitous round: a request, then a reply (speaker-l2.md §5.7). */
export function gratuitousArp(mac: Uint8Array, ip: Uint8Array): readonly [Uint8Array, Uint8Array] {
  const announcement = (operation: number): Uint8Array =>
    encodeArp({
      destination: BROADCAST,
      source: mac,
      operation,
      senderMac: mac,
      senderIp: ip,
      targetMac: BROADCAST,
      targetIp: ip,
    });
  return [announcement(ARP_REQUEST), announcement(ARP_REPLY)];
}

/** A probe asks whether somebody uses the address, without claiming it (RFC 5227 §2.1.1). */
export function arpProbe(mac: Uint8Array, ip: Uint8Array): Uint8Array {
  return encodeArp({
    destination: BROADCAST,
    source: mac,
    operation: ARP_REQUEST,
    senderMac: mac,
    senderIp: new Uint8Array(4),
    targetMac: new Uint8Array(6),
    targetIp: ip,
  });
}
