/** Frames as a client on the LAN sends them. */
import { encodeArp, type ArpFrame } from '#core/l2/arp.ts';
import { sumOf, transportChecksum } from '#core/l2/checksum.ts';
import { BROADCAST, parseAddressBytes, parseMac, writeHeader } from '#core/l2/ethernet.ts';
import { encodeNdp, multicastMac, solicitedNode, type NeighborSolicitation } from '#core/l2/ndp.ts';

export function mac(text: string): Uint8Array {
  const bytes = parseMac(text);
  if (bytes === undefined) throw new Error(`not a MAC address: ${text}`);
  return bytes;
}

export function ip(text: string): Uint8Array {
  const bytes = parseAddressBytes(text);
  if (bytes === undefined) throw new Error(`not an IP address: ${text}`);
  return bytes;
}

/** Bytes written as hex with blanks. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/[0-9a-f]{2}/gi) ?? [], (octet) => Number.parseInt(octet, 16));
}

export const CLIENT_MAC: Uint8Array = mac('02:00:00:00:00:01');

/** A broadcast ARP request from the client 192.0.2.1. */
export function arpRequest(target: string, fields: Partial<ArpFrame> = {}): Uint8Array {
  return encodeArp({
    destination: BROADCAST,
    source: CLIENT_MAC,
    operation: 1,
    senderMac: CLIENT_MAC,
    senderIp: ip('192.0.2.1'),
    targetMac: new Uint8Array(6),
    targetIp: ip(target),
    ...fields,
  });
}

/** A multicast neighbor solicitation from the client fe80::1. */
export function neighborSolicitation(target: string, fields: Partial<NeighborSolicitation> = {}): Uint8Array {
  const group = solicitedNode(ip(target));
  return encodeNdp({
    kind: 'solicitation',
    etherDestination: multicastMac(group),
    etherSource: CLIENT_MAC,
    destination: group,
    source: ip('fe80::1'),
    target: ip(target),
    link: CLIENT_MAC,
    ...fields,
  });
}

/** An ICMP echo request from the client (192.0.2.1 or fe80::1 unless told) with `size` bytes of data. */
export function echoRequest(target: string, destination: Uint8Array, size = 56, from?: string): Uint8Array {
  const isIpv6 = target.includes(':');
  const source = ip(from ?? (isIpv6 ? 'fe80::1' : '192.0.2.1'));
  const data = Array.from({ length: size }, (_, index) => 0x61 + (index % 26));
  const icmp = [isIpv6 ? 128 : 8, 0, 0, 0, 0x12, 0x34, 0, 7, ...data];
  const head = isIpv6
    ? [0x60, 0, 0, 0, 0, icmp.length, 58, 64, ...source, ...ip(target)]
    : [0x45, 0, 0, 20 + icmp.length, 0, 1, 0, 0, 64, 1, 0, 0, ...source, ...ip(target)];
  const frame = new Uint8Array(14 + head.length + icmp.length);
  writeHeader(frame, destination, CLIENT_MAC, isIpv6 ? 0x86dd : 0x0800);
  frame.set(head, 14);
  frame.set(icmp, 14 + head.length);
  const view = new DataView(frame.buffer);
  if (isIpv6) view.setUint16(56, transportChecksum(frame, 58, frame.length));
  else {
    view.setUint16(24, ~sumOf(frame, 14, 34) & 0xffff);
    view.setUint16(36, ~sumOf(frame, 34, frame.length) & 0xffff);
  }
  return frame;
}
