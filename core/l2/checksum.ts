/** The checksum of the Internet protocols (RFC 1071), over frames. */
import { readUint16 } from '#core/l2/ethernet.ts';

const IPV6_ADDRESSES = 22;
const IPV6_PAYLOAD = 54;

/** One's complement sum of the bytes from `start` to `end`, a missing last byte counting as zero; 16 bits. */
export function sumOf(frame: Uint8Array, start: number, end: number, initial = 0): number {
  let sum = initial;
  for (let offset = start; offset < end; offset += 2) sum += readUint16(frame, offset);
  if ((end - start) % 2 === 1) sum -= frame[end] ?? 0;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

/** Checksum over IPv6 pseudo header and message up to `end`; 0 for a message whose checksum is right. */
export function transportChecksum(frame: Uint8Array, protocol: number, end: number): number {
  return ~sumOf(frame, IPV6_ADDRESSES, end, end - IPV6_PAYLOAD + protocol) & 0xffff;
}
