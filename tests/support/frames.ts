/** Frames as a client on the LAN sends them. */
import { encodeArp, type ArpFrame } from '#core/l2/arp.ts';
import { BROADCAST, parseAddressBytes, parseMac } from '#core/l2/ethernet.ts';
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
