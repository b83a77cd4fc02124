/**
 * What to do with a received frame: answer it, or drop it with a reason (speaker-l2.md §5.6, §5.7, §6.3, §6.4).
 * Where the original falls short we follow the RFCs: probes for IPv6 are answered (the address is defended),
 * answers override, the source link-layer option may be missing, hop limit and checksum must be right.
 */
import { ARP_REPLY, ARP_REQUEST, decodeArp, encodeArp, type ArpFrame } from '#core/l2/arp.ts';
import {
  bytesKey,
  ETHERTYPE_ARP,
  isGroupMac,
  isZero,
  readUint16,
  sameBytes,
  BROADCAST,
} from '#core/l2/ethernet.ts';
import {
  ALL_NODES,
  decodeNdp,
  encodeNdp,
  multicastMac,
  type NeighborSolicitation,
  type NdpFrame,
} from '#core/l2/ndp.ts';

export interface HeldAddress {
  /** Canonical text. */
  readonly ip: string;
  readonly bytes: Uint8Array;
  /** Interfaces to answer on; undefined: all. */
  readonly interfaces: ReadonlySet<string> | undefined;
  /** Answer ICMP echo as well. */
  readonly ping?: boolean;
}

/** Held addresses by `bytesKey` of their bytes. */
export type Plan = ReadonlyMap<string, HeldAddress>;

export interface RespondingInterface {
  readonly name: string;
  readonly mac: Uint8Array;
  /** `bytesKey` of the addresses the kernel has on this interface: it answers for those itself. */
  readonly kernelAddresses: ReadonlySet<string>;
  /** `bytesKey` of the MAC addresses of all our interfaces: their frames are not questions. */
  readonly ownMacs: ReadonlySet<string>;
  /** Names of the interfaces on the same LAN that come first: where one of them may answer, this one does not. */
  readonly before: Readonly<Record<'arp' | 'ndp', readonly string[]>>;
}

export type DropReason =
  | 'malformed'
  | 'notRequest'
  | 'ownFrame'
  | 'ethernetDestination'
  | 'notHeld'
  | 'otherInterface'
  /** Another interface on the same LAN answers. */
  | 'otherCard'
  | 'kernelAddress';

export interface Reply {
  readonly kind: 'reply';
  readonly ip: string;
  readonly frame: Uint8Array;
  /** Another machine that shows by this frame that it uses the address too. */
  readonly claimant: Uint8Array | undefined;
  /** A machine that probes for the address (RFC 5227, RFC 4862): it wants to claim it as well. */
  readonly prober?: Uint8Array | undefined;
}

export interface Drop {
  readonly kind: 'drop';
  readonly reason: DropReason;
  /** The held address concerned, if any. */
  readonly ip: string | undefined;
  readonly claimant: Uint8Array | undefined;
  readonly prober?: undefined;
}

/** Decides about one frame received on `via`. Never throws, whatever the bytes. */
export function respond(frame: Uint8Array, plan: Plan, via: RespondingInterface): Reply | Drop {
  if (readUint16(frame, 12) === ETHERTYPE_ARP) {
    const arp = decodeArp(frame);
    return arp === undefined ? drop('malformed') : respondArp(arp, plan, via);
  }
  const ndp = decodeNdp(frame);
  return ndp === undefined ? drop('malformed') : respondNdp(ndp, plan, via);
}

function drop(reason: DropReason, ip?: string, claimant?: Uint8Array): Drop {
  return { kind: 'drop', reason, ip, claimant };
}

function respondArp(arp: ArpFrame, plan: Plan, via: RespondingInterface): Reply | Drop {
  if (isOwn(arp, via)) return drop('ownFrame');
  if (isGroupMac(arp.senderMac) || isZero(arp.senderMac)) return drop('malformed');
  const claimed = claimedBy(arp, plan, via);
  const claimant = claimed === undefined ? undefined : new Uint8Array(arp.senderMac);
  if (arp.operation !== ARP_REQUEST) return drop('notRequest', claimed?.ip, claimant);
  if (!isForUs(arp, via)) return drop('ethernetDestination');
  const held = plan.get(bytesKey(arp.targetIp));
  if (held === undefined) return drop('notHeld', claimed?.ip, claimant);
  const refused = refusal(held, via, 'arp');
  if (refused !== undefined) return drop(refused, held.ip);
  const prober = isZero(arp.senderIp) ? new Uint8Array(arp.senderMac) : undefined;
  return { kind: 'reply', ip: held.ip, frame: answerArp(arp, via), claimant, prober };
}

function isOwn(arp: ArpFrame, { ownMacs }: RespondingInterface): boolean {
  return ownMacs.has(bytesKey(arp.source)) || ownMacs.has(bytesKey(arp.senderMac));
}

/** The held address that the frame's sender gives as its own. */
function claimedBy(arp: ArpFrame, plan: Plan, via: RespondingInterface): HeldAddress | undefined {
  const claimed = plan.get(bytesKey(arp.senderIp));
  return claimed !== undefined && refusal(claimed, via, 'arp') === undefined ? claimed : undefined;
}

function isForUs(arp: ArpFrame, via: RespondingInterface): boolean {
  return sameBytes(arp.destination, BROADCAST) || sameBytes(arp.destination, via.mac);
}

function answerArp(arp: ArpFrame, via: RespondingInterface): Uint8Array {
  return encodeArp({
    destination: arp.senderMac,
    source: via.mac,
    operation: ARP_REPLY,
    senderMac: via.mac,
    senderIp: arp.targetIp,
    targetMac: arp.senderMac,
    targetIp: arp.senderIp,
  });
}

/** Why the address is not answered for on this interface, although it is held. */
function refusal(held: HeldAddress, via: RespondingInterface, family: 'arp' | 'ndp'): DropReason | undefined {
  if (!isAllowedOn(held, via.name)) return 'otherInterface';
  if (via.kernelAddresses.has(bytesKey(held.bytes))) return 'kernelAddress';
  return isLeftToOther(held, via, family) ? 'otherCard' : undefined;
}

/** The address may be answered for on an interface of this name. */
export function isAllowedOn({ interfaces }: HeldAddress, name: string): boolean {
  return interfaces === undefined || interfaces.has(name);
}

/** Another interface on the same LAN answers for the address. */
export function isLeftToOther(
  held: HeldAddress,
  { before }: RespondingInterface,
  family: 'arp' | 'ndp',
): boolean {
  return before[family].some((name) => isAllowedOn(held, name));
}

function respondNdp(ndp: NdpFrame, plan: Plan, via: RespondingInterface): Reply | Drop {
  if (via.ownMacs.has(bytesKey(ndp.etherSource))) return drop('ownFrame');
  const held = plan.get(bytesKey(ndp.target));
  if (held === undefined) return drop(ndp.kind === 'solicitation' ? 'notHeld' : 'notRequest');
  const refused = refusal(held, via, 'ndp');
  if (refused !== undefined) return drop(refused, held.ip);
  if (ndp.kind === 'advertisement')
    return drop('notRequest', held.ip, new Uint8Array(ndp.link ?? ndp.etherSource));
  if (!isGroupMac(ndp.etherDestination) && !sameBytes(ndp.etherDestination, via.mac))
    return drop('ethernetDestination', held.ip);
  if (ndp.link !== undefined && isZero(ndp.link)) return drop('malformed');
  const prober = isZero(ndp.source) ? new Uint8Array(ndp.etherSource) : undefined;
  return { kind: 'reply', ip: held.ip, frame: answerNdp(ndp, via), claimant: undefined, prober };
}

/**
 * From the address asked for, as its owner's kernel would do it (some tools ignore answers from another
 * source), to whoever asked; a probe (from `::`) is answered to all nodes, not solicited (RFC 4861 §7.2.4).
 */
function answerNdp(asked: NeighborSolicitation, via: RespondingInterface): Uint8Array {
  const probe = isZero(asked.source);
  return encodeNdp({
    kind: 'advertisement',
    etherDestination: probe ? multicastMac(ALL_NODES) : (asked.link ?? asked.etherSource),
    etherSource: via.mac,
    destination: probe ? ALL_NODES : asked.source,
    source: asked.target,
    target: asked.target,
    solicited: !probe,
    override: true,
    link: via.mac,
  });
}
