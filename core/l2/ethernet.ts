/** Ethernet frames and the raw bytes of MAC and IP addresses. */
import { parseAddress, type IpAddress } from '#core/model/ip.ts';

export const HEADER_LENGTH = 14;
/** The shortest frame on the wire without its checksum; shorter ones are padded with zeros. */
export const MINIMUM_LENGTH = 60;
export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_IPV6 = 0x86dd;
export const BROADCAST: Uint8Array = new Uint8Array(6).fill(0xff);

/** Writes destination, source and type to the first 14 bytes. */
export function writeHeader(
  frame: Uint8Array,
  destination: Uint8Array,
  source: Uint8Array,
  type: number,
): void {
  frame.set(destination, 0);
  frame.set(source, 6);
  frame[12] = type >> 8;
  frame[13] = type & 0xff;
}

/** The big-endian 16-bit number at `offset`; 0 beyond the end. */
export function readUint16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** Lower-case hex without separators: the key under which addresses are looked up on the packet path. */
export function bytesKey(bytes: Uint8Array): string {
  let key = '';
  for (const byte of bytes) key += byte < 16 ? `0${byte.toString(16)}` : byte.toString(16);
  return key;
}

/** True for broadcast and multicast MAC addresses. */
export function isGroupMac(mac: Uint8Array): boolean {
  return ((mac[0] ?? 0) & 1) === 1;
}

export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** `02:00:5e:10:00:01`. */
export function formatMac(mac: Uint8Array): string {
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** Parses six octets separated by colons; undefined for anything else. */
export function parseMac(text: string): Uint8Array | undefined {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) return undefined;
  return Uint8Array.from(text.split(':'), (octet) => Number.parseInt(octet, 16));
}

/** The 4 or 16 bytes of an address in network order. */
export function addressBytes(address: IpAddress): Uint8Array {
  const bytes = new Uint8Array(address.family === 'ipv4' ? 4 : 16);
  let rest = address.value;
  for (let index = bytes.length - 1; index >= 0; index -= 1) {
    bytes[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** The bytes of an address given as text; undefined when it is no address. */
export function parseAddressBytes(text: string): Uint8Array | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : addressBytes(address);
}
