/**
 * Neighbor Discovery (RFC 4861): solicitations and advertisements in Ethernet frames, with their IPv6 header
 * and checksum. Frames that the RFC tells a receiver to discard decode to undefined.
 */
import { transportChecksum } from '#core/l2/checksum.ts';
import {
  ETHERTYPE_IPV6,
  HEADER_LENGTH,
  isGroupMac,
  isZero,
  readUint16,
  writeHeader,
} from '#core/l2/ethernet.ts';

const IPV6_LENGTH = 40;
const ICMP = HEADER_LENGTH + IPV6_LENGTH;
const TARGET = ICMP + 8;
const OPTIONS = TARGET + 16;
const FIXED_LENGTH = 24;
const ICMPV6 = 58;
const HOP_LIMIT = 255;
const SOLICITATION = 135;
const ADVERTISEMENT = 136;
const OPTION_SOURCE_LINK = 1;
const OPTION_TARGET_LINK = 2;

/** ff02::1 */
export const ALL_NODES: Uint8Array = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
export const UNSPECIFIED: Uint8Array = new Uint8Array(16);

interface NdpAddresses {
  /** Of the Ethernet header. */
  readonly etherDestination: Uint8Array;
  readonly etherSource: Uint8Array;
  /** Of the IPv6 header. */
  readonly destination: Uint8Array;
  readonly source: Uint8Array;
  readonly target: Uint8Array;
}

export interface NeighborSolicitation extends NdpAddresses {
  readonly kind: 'solicitation';
  /** Source Link-Layer Address option. */
  readonly link: Uint8Array | undefined;
}

export interface NeighborAdvertisement extends NdpAddresses {
  readonly kind: 'advertisement';
  readonly solicited: boolean;
  readonly override: boolean;
  /** Target Link-Layer Address option. */
  readonly link: Uint8Array | undefined;
}

export type NdpFrame = NeighborSolicitation | NeighborAdvertisement;

/** Reads a frame; undefined unless it is a valid solicitation or advertisement (RFC 4861 §7.1). Shares the frame's memory. */
export function decodeNdp(frame: Uint8Array): NdpFrame | undefined {
  if (!isNdp(frame)) return undefined;
  const length = readUint16(frame, HEADER_LENGTH + 4);
  const end = ICMP + length;
  if (length < FIXED_LENGTH || end > frame.length || transportChecksum(frame, ICMPV6, end) !== 0)
    return undefined;
  const options = readOptions(frame, end);
  if (options === undefined) return undefined;
  const addresses: NdpAddresses = {
    etherDestination: frame.subarray(0, 6),
    etherSource: frame.subarray(6, 12),
    source: frame.subarray(22, 38),
    destination: frame.subarray(38, 54),
    target: frame.subarray(TARGET, TARGET + 16),
  };
  if (addresses.target[0] === 0xff || addresses.source[0] === 0xff) return undefined;
  return frame[ICMP] === SOLICITATION
    ? solicitation(addresses, options.source)
    : advertisement(addresses, frame[ICMP + 4] ?? 0, options.target);
}

function isNdp(frame: Uint8Array): boolean {
  const type = frame[ICMP];
  return (
    frame.length >= OPTIONS &&
    readUint16(frame, 12) === ETHERTYPE_IPV6 &&
    (frame[HEADER_LENGTH] ?? 0) >> 4 === 6 &&
    frame[HEADER_LENGTH + 6] === ICMPV6 &&
    frame[HEADER_LENGTH + 7] === HOP_LIMIT &&
    (type === SOLICITATION || type === ADVERTISEMENT) &&
    frame[ICMP + 1] === 0
  );
}

function solicitation(
  addresses: NdpAddresses,
  link: Uint8Array | undefined,
): NeighborSolicitation | undefined {
  if (isZero(addresses.source)) {
    if (link !== undefined || !isSolicitedNode(addresses.destination)) return undefined;
  } else if (link !== undefined && isGroupMac(link)) return undefined;
  return { kind: 'solicitation', ...addresses, link };
}

function advertisement(
  addresses: NdpAddresses,
  flags: number,
  link: Uint8Array | undefined,
): NeighborAdvertisement | undefined {
  const solicited = (flags & 0x40) !== 0;
  if (solicited && addresses.destination[0] === 0xff) return undefined;
  return { kind: 'advertisement', ...addresses, solicited, override: (flags & 0x20) !== 0, link };
}

interface LinkOptions {
  readonly source: Uint8Array | undefined;
  readonly target: Uint8Array | undefined;
}

function readOptions(frame: Uint8Array, end: number): LinkOptions | undefined {
  let source: Uint8Array | undefined;
  let target: Uint8Array | undefined;
  for (let offset = OPTIONS; offset < end;) {
    const size = (frame[offset + 1] ?? 0) * 8;
    if (size === 0 || offset + size > end) return undefined;
    const link = frame.subarray(offset + 2, offset + 8);
    if (frame[offset] === OPTION_SOURCE_LINK) source ??= link;
    if (frame[offset] === OPTION_TARGET_LINK) target ??= link;
    offset += size;
  }
  return { source, target };
}

/** Writes the frame, with hop limit 255, checksum and the link-layer option if there is one. */
export function encodeNdp(ndp: NdpFrame): Uint8Array {
  const length = FIXED_LENGTH + (ndp.link === undefined ? 0 : 8);
  const frame = new Uint8Array(ICMP + length);
  writeHeader(frame, ndp.etherDestination, ndp.etherSource, ETHERTYPE_IPV6);
  frame.set([0x60, 0, 0, 0, length >> 8, length & 0xff, ICMPV6, HOP_LIMIT], HEADER_LENGTH);
  frame.set(ndp.source, 22);
  frame.set(ndp.destination, 38);
  const asks = ndp.kind === 'solicitation';
  frame[ICMP] = asks ? SOLICITATION : ADVERTISEMENT;
  if (!asks) frame[ICMP + 4] = (ndp.solicited ? 0x40 : 0) | (ndp.override ? 0x20 : 0);
  frame.set(ndp.target, TARGET);
  if (ndp.link !== undefined) {
    frame.set([asks ? OPTION_SOURCE_LINK : OPTION_TARGET_LINK, 1], OPTIONS);
    frame.set(ndp.link, OPTIONS + 2);
  }
  const sum = transportChecksum(frame, ICMPV6, frame.length);
  frame[ICMP + 2] = sum >> 8;
  frame[ICMP + 3] = sum & 0xff;
  return frame;
}

/** ff02::1:ff00:0/104 with the low 24 bits of the address (RFC 4291 §2.7.1). */
export function solicitedNode(address: Uint8Array): Uint8Array {
  const group = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0);
  group.set(address.subarray(13, 16), 13);
  return group;
}

function isSolicitedNode(address: Uint8Array): boolean {
  return solicitedNode(address).every((byte, index) => byte === address[index]);
}

/** 33:33 and the low 32 bits of the group (RFC 2464 §7). */
export function multicastMac(group: Uint8Array): Uint8Array {
  return Uint8Array.of(0x33, 0x33, ...group.subarray(12, 16));
}

/** The advertisement to all nodes of one gratuitous round (speaker-l2.md §6.4). */
export function unsolicitedAdvertisement(mac: Uint8Array, target: Uint8Array): Uint8Array {
  return encodeNdp({
    kind: 'advertisement',
    etherDestination: multicastMac(ALL_NODES),
    etherSource: mac,
    destination: ALL_NODES,
    source: target,
    target,
    solicited: false,
    override: true,
    link: mac,
  });
}

/** Asks whether somebody uses the address, without claiming it (RFC 4862 §5.4.2). */
export function ndpProbe(mac: Uint8Array, target: Uint8Array): Uint8Array {
  const group = solicitedNode(target);
  return encodeNdp({
    kind: 'solicitation',
    etherDestination: multicastMac(group),
    etherSource: mac,
    destination: group,
    source: UNSPECIFIED,
    target,
    link: undefined,
  });
}
