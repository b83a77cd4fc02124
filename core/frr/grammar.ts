/**
 * The grammar of each word that goes into the router's configuration. What passes here can neither end a word
 * nor a line; what does not pass is refused by name and left out (speaker-bgp.md §3.6, W15, W20).
 */
import type { BfdProfile, BgpPeer } from '#core/model/config.ts';
import { formatAddress, parseAddress, type Cidr, type IpAddress } from '#core/model/ip.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const MAX_INTERFACE = 15;
const MAX_PROFILE = 63;
const MAX_PASSWORD = 80;
const MAX_ASN = 4_294_967_295;

function isInterfaceName(name: string): boolean {
  return NAME.test(name) && name.length <= MAX_INTERFACE && parseAddress(name) === undefined;
}

function isBetween(value: number, low: number, high: number): boolean {
  return Number.isInteger(value) && value >= low && value <= high;
}

/** An address as FRR prints it: `::198.51.100.10` where RFC 5952 has `::c633:640a`. */
export function frrAddress(address: IpAddress): string {
  const { family, value } = address;
  const holdsIpv4 = family === 'ipv6' && value >> 32n === 0n && value >> 16n !== 0n;
  return holdsIpv4 ? `::${formatAddress({ family: 'ipv4', value })}` : formatAddress(address);
}

/** Texts that were asked for before: all prefixes are written at every change. */
const prefixTexts = new WeakMap<Cidr, string>();

/** A prefix as FRR prints it. */
export function frrPrefix(cidr: Cidr): string {
  const { family, base, prefix } = cidr;
  const text = prefixTexts.get(cidr) ?? `${frrAddress({ family, value: base })}/${prefix}`;
  prefixTexts.set(cidr, text);
  return text;
}

/** `<address or interface>`: how FRR calls the neighbour. */
export function neighborWord({ endpoint }: BgpPeer): string {
  return endpoint.kind === 'address' ? frrAddress(endpoint.address) : endpoint.name;
}

/** The neighbour's identity, after which its route-maps are named: `<address or interface>[-<vrf>]` (§3.2). */
export function neighborId(peer: BgpPeer): string {
  return peer.vrf === '' ? neighborWord(peer) : `${neighborWord(peer)}-${peer.vrf}`;
}

type Rule = readonly [broken: (peer: BgpPeer) => boolean, message: string];

const peerRules: readonly Rule[] = [
  [
    ({ endpoint }) => endpoint.kind === 'interface' && !isInterfaceName(endpoint.name),
    'spec.interface must be an interface name: letters, digits, ".", "_", "-", at most 15 characters',
  ],
  [
    ({ vrf }) => vrf !== '' && (!isInterfaceName(vrf) || vrf === 'default' || vrf === 'all'),
    'spec.vrf must be a VRF name: letters, digits, ".", "_", "-", at most 15 characters, not "default"',
  ],
  [({ myAsn }) => !isBetween(myAsn, 1, MAX_ASN), 'spec.myASN must be 1..4294967295'],
  [
    ({ remoteAs }) => remoteAs.kind === 'asn' && !isBetween(remoteAs.asn, 1, MAX_ASN),
    'spec.peerASN must be 1..4294967295',
  ],
  [
    ({ localAsn, myAsn }) =>
      localAsn !== undefined && (!isBetween(localAsn, 1, MAX_ASN) || localAsn === myAsn),
    'spec.localASN must be 1..4294967295 and differ from spec.myASN',
  ],
  [({ port }) => !isBetween(port, 1, 65_535), 'spec.peerPort must be 1..65535'],
  [
    ({ timers }) =>
      timers !== undefined && !(isBetween(timers.hold, 0, 65_535) && isBetween(timers.keepalive, 0, 65_535)),
    'spec.holdTime and spec.keepaliveTime must be 0..65535 seconds',
  ],
  [
    ({ connectTime }) => connectTime !== undefined && !isBetween(connectTime, 1, 65_535),
    'spec.connectTime must be 1..65535 seconds',
  ],
  [({ routerId }) => routerId?.family === 'ipv6', 'spec.routerID must be an IPv4 address'],
  [
    ({ password }) => password !== undefined && !/^[\x21-\x7e]{1,80}$/.test(password),
    `the password must be 1..${MAX_PASSWORD} printable ASCII characters without blanks`,
  ],
  [
    ({ bfdProfile }) => bfdProfile !== undefined && !isProfileName(bfdProfile),
    `spec.bfdProfile must be a profile name of at most ${MAX_PROFILE} characters`,
  ],
];

/** What keeps this peer out of FRR's configuration; undefined when nothing does. Never contains the password. */
export function peerProblem(peer: BgpPeer): string | undefined {
  return peerRules.find(([broken]) => broken(peer))?.[1];
}

function isProfileName(name: string): boolean {
  return NAME.test(name) && name.length <= MAX_PROFILE;
}

/** True when the profile can be written into FRR's configuration. */
export function isRenderableProfile(profile: BfdProfile): boolean {
  const interval = (value: number | undefined): boolean =>
    value === undefined || isBetween(value, 10, 4_294_967);
  return (
    isProfileName(profile.name) &&
    interval(profile.receiveInterval) &&
    interval(profile.transmitInterval) &&
    interval(profile.echoInterval) &&
    (profile.detectMultiplier === undefined || isBetween(profile.detectMultiplier, 1, 255)) &&
    (profile.minimumTtl === undefined || isBetween(profile.minimumTtl, 1, 254))
  );
}

/** True for what FRR takes as a host name here: an RFC 1123 name. */
export function isHostname(text: string): boolean {
  return NAME.test(text) && text.length <= 253;
}
