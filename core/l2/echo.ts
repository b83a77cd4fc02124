/**
 * ICMP echo for held addresses (RFC 792, RFC 4443 §4.1): the answer to a request that came to one of our cards. Only
 * whole datagrams without options are answered; everything else is dropped with a reason.
 */
import { sumOf, transportChecksum } from '#core/l2/checksum.ts';
import {
  bytesKey,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  HEADER_LENGTH,
  isGroupMac,
  isZero,
  readUint16,
  sameBytes,
} from '#core/l2/ethernet.ts';
import type { Drop, HeldAddress, Plan, Reply, RespondingInterface } from '#core/l2/respond.ts';

const IPV4_LENGTH = 20;
const IPV6_LENGTH = 40;
const ECHO_LENGTH = 8;
const ICMP = 1;
const ICMPV6 = 58;
const REQUEST = { ipv4: 8, ipv6: 128 } as const;
const REPLY = { ipv4: 0, ipv6: 129 } as const;
const HOP_LIMIT = 64;
const DONT_FRAGMENT = 0x40;

/** Where things are in a frame of one family. */
interface Shape {
  readonly family: 'ipv4' | 'ipv6';
  readonly source: number;
  readonly target: number;
  readonly addressLength: number;
  readonly icmp: number;
  /** End of the datagram. */
  readonly end: number;
}

/** Decides about one frame received on `via`. Never throws, whatever the bytes. */
export function respondEcho(frame: Uint8Array, plan: Plan, via: RespondingInterface): Reply | Drop {
  const shape = readUint16(frame, 12) === ETHERTYPE_IPV6 ? shapeOf6(frame) : shapeOf4(frame);
  if (shape === undefined || !isEcho(frame, shape)) return drop('malformed');
  if (!sameBytes(frame.subarray(0, 6), via.mac)) return drop('ethernetDestination');
  const held = plan.get(bytesKey(addressAt(frame, shape.target, shape)));
  if (held?.ping !== true) return drop('notHeld');
  const refused = refusal(held, via);
  if (refused !== undefined) return drop(refused, held.ip);
  if (!isPlainHost(frame, shape)) return drop('malformed', held.ip);
  return { kind: 'reply', ip: held.ip, frame: answer(frame, shape), claimant: undefined };
}

function drop(reason: Drop['reason'], ip?: string): Drop {
  return { kind: 'drop', reason, ip, claimant: undefined };
}

function refusal(held: HeldAddress, via: RespondingInterface): Drop['reason'] | undefined {
  if (held.interfaces !== undefined && !held.interfaces.has(via.name)) return 'otherInterface';
  return via.kernelAddresses.has(bytesKey(held.bytes)) ? 'kernelAddress' : undefined;
}

function shapeOf4(frame: Uint8Array): Shape | undefined {
  const end = HEADER_LENGTH + readUint16(frame, 16);
  const icmp = HEADER_LENGTH + IPV4_LENGTH;
  const isWhole = (readUint16(frame, 20) & 0x3fff) === 0;
  if (readUint16(frame, 12) !== ETHERTYPE_IPV4 || frame[14] !== 0x45 || frame[23] !== ICMP || !isWhole)
    return undefined;
  if (end > frame.length || end < icmp + ECHO_LENGTH) return undefined;
  if (sumOf(frame, HEADER_LENGTH, icmp) !== 0xffff) return undefined;
  return { family: 'ipv4', source: 26, target: 30, addressLength: 4, icmp, end };
}

function shapeOf6(frame: Uint8Array): Shape | undefined {
  const icmp = HEADER_LENGTH + IPV6_LENGTH;
  const end = icmp + readUint16(frame, 18);
  if ((frame[14] ?? 0) >> 4 !== 6 || frame[20] !== ICMPV6) return undefined;
  if (end > frame.length || end < icmp + ECHO_LENGTH) return undefined;
  return { family: 'ipv6', source: 22, target: 38, addressLength: 16, icmp, end };
}

function isEcho(frame: Uint8Array, shape: Shape): boolean {
  const { family, icmp } = shape;
  return frame[icmp] === REQUEST[family] && frame[icmp + 1] === 0 && checksumOf(frame, shape) === 0;
}

/** 0 for a message whose checksum is right. */
function checksumOf(frame: Uint8Array, { family, icmp, end }: Shape): number {
  return family === 'ipv6' ? transportChecksum(frame, ICMPV6, end) : ~sumOf(frame, icmp, end) & 0xffff;
}

function addressAt(frame: Uint8Array, offset: number, { addressLength }: Shape): Uint8Array {
  return frame.subarray(offset, offset + addressLength);
}

/** The sender is one host: no group, nobody, or everybody, neither as Ethernet nor as IP address. */
function isPlainHost(frame: Uint8Array, shape: Shape): boolean {
  const source = addressAt(frame, shape.source, shape);
  const first = source[0] ?? 0;
  const isGroup = shape.family === 'ipv4' ? first >= 224 || first === 127 : first === 0xff;
  return !isGroup && !isZero(source) && !isGroupMac(frame.subarray(6, 12));
}

function answer(frame: Uint8Array, shape: Shape): Uint8Array {
  const { family, source, target, icmp, end } = shape;
  // Not `slice`: a Buffer's shares its memory.
  const reply = new Uint8Array(frame.subarray(0, end));
  reply.set(frame.subarray(6, 12), 0);
  reply.set(frame.subarray(0, 6), 6);
  reply.set(addressAt(frame, target, shape), source);
  reply.set(addressAt(frame, source, shape), target);
  reply[icmp] = REPLY[family];
  reply.fill(0, icmp + 2, icmp + 4);
  if (family === 'ipv4') {
    reply.set([0, 0, DONT_FRAGMENT, 0, HOP_LIMIT, ICMP, 0, 0], 18);
    writeChecksum(reply, 24, ~sumOf(reply, HEADER_LENGTH, icmp) & 0xffff);
  } else reply[21] = HOP_LIMIT;
  writeChecksum(reply, icmp + 2, checksumOf(reply, shape));
  return reply;
}

function writeChecksum(frame: Uint8Array, offset: number, sum: number): void {
  frame[offset] = sum >> 8;
  frame[offset + 1] = sum & 0xff;
}
