/**
 * IP addresses, prefixes and ranges as values. Text is parsed and printed here and nowhere else: addresses
 * are compared by value, printed in canonical form (RFC 5952 for IPv6), and an IPv4-mapped IPv6 address is
 * IPv4 everywhere (controller.md §10).
 */
import { IPv4, IPv6 } from 'ip-num';

export type Family = 'ipv4' | 'ipv6';

/** One address. `value` is the unsigned 32- or 128-bit number. */
export interface IpAddress {
  readonly family: Family;
  readonly value: bigint;
}

/** An inclusive range of addresses of one family, `first <= last`. */
export interface IpRange {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

/** A prefix; `base` has all host bits zero. `prefix` is 0..32 or 0..128. */
export interface Cidr {
  readonly family: Family;
  readonly base: bigint;
  readonly prefix: number;
}

const MAPPED = 0xffffn << 32n;
const IPV4_TEXT = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** Number of bits of an address of this family. */
export function familyBits(family: Family): number {
  return family === 'ipv4' ? 32 : 128;
}

/** Parses an IP literal: no blanks, no zone, no leading zeros in IPv4 octets. Returns undefined for anything else. */
export function parseAddress(text: string): IpAddress | undefined {
  if (IPV4_TEXT.test(text)) return { family: 'ipv4', value: new IPv4(text).getValue() };
  const value = parseIpv6(text);
  if (value === undefined) return undefined;
  return value >> 32n === MAPPED >> 32n
    ? { family: 'ipv4', value: value & 0xffffffffn }
    : { family: 'ipv6', value };
}

function parseIpv6(text: string): bigint | undefined {
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (tail?.[2] !== undefined) {
    if (!IPV4_TEXT.test(tail[2])) return undefined;
    const low = new IPv4(tail[2]).getValue();
    return parseIpv6(`${tail[1]}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`);
  }
  const halves = text.split('::');
  if (halves.length > 2 || !/^[0-9a-fA-F:]+$/.test(text)) return undefined;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  if (groups.flat().some((group) => !/^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  const missing = 8 - groups.flat().length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const full = [...(groups[0] ?? []), ...Array.from({ length: missing }, () => '0'), ...(groups[1] ?? [])];
  return new IPv6(full.map((group) => group.padStart(4, '0')).join(':')).getValue();
}

/** Canonical text: dotted IPv4; lower-case, longest-zero-run-compressed IPv6 (RFC 5952). */
export function formatAddress(address: IpAddress): string {
  if (address.family === 'ipv4') {
    const value = Number(address.value);
    return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
  }
  const groups = Array.from({ length: 8 }, (_, i) =>
    Number((address.value >> BigInt(112 - 16 * i)) & 0xffffn),
  );
  const run = longestZeroRun(groups);
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (run.length < 2) return hex(groups);
  return `${hex(groups.slice(0, run.start))}::${hex(groups.slice(run.start + run.length))}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  groups.forEach((group, index) => {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: index - length + 1, length };
  });
  return best;
}

/** Parses `address/length`; host bits are masked off; leading zeros in the length are accepted (controller.md §3.2). */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^([^/]+)\/(\d{1,4})$/.exec(text);
  const address = match?.[1] === undefined ? undefined : parseAddress(match[1]);
  if (address === undefined) return undefined;
  const mapped = address.family === 'ipv4' && match?.[1]?.includes(':') === true;
  const prefix = Number(match?.[2]) - (mapped ? 96 : 0);
  if (prefix < 0 || prefix > familyBits(address.family)) return undefined;
  return cidrOf(address, prefix);
}

/** Whether an IPv4 address ends in 0 or 255, which some old network equipment does not carry. */
export function isBuggy({ family, value }: IpAddress): boolean {
  return family === 'ipv4' && ((value & 0xffn) === 0n || (value & 0xffn) === 255n);
}

/** The prefix of the given length that contains the address. */
export function cidrOf(address: IpAddress, prefix: number): Cidr {
  const hostBits = BigInt(familyBits(address.family) - prefix);
  return { family: address.family, base: (address.value >> hostBits) << hostBits, prefix };
}

/** Texts that were asked for before: the same few thousand prefixes are printed at every change. */
const cidrTexts = new WeakMap<Cidr, string>();

export function formatCidr(cidr: Cidr): string {
  const known = cidrTexts.get(cidr);
  if (known !== undefined) return known;
  const text = `${formatAddress({ family: cidr.family, value: cidr.base })}/${cidr.prefix}`;
  cidrTexts.set(cidr, text);
  return text;
}

export function cidrRange(cidr: Cidr): IpRange {
  const size = 1n << BigInt(familyBits(cidr.family) - cidr.prefix);
  return { family: cidr.family, first: cidr.base, last: cidr.base + size - 1n };
}

export function rangeContains(range: IpRange, address: IpAddress): boolean {
  return range.family === address.family && range.first <= address.value && address.value <= range.last;
}

/** Whether two ranges have an address in common. */
export function rangesMeet(a: IpRange, b: IpRange): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

/** The fewest prefixes that cover the range exactly, in ascending order (controller.md §3.2). */
export function rangeCidrs(range: IpRange): Cidr[] {
  const bits = familyBits(range.family);
  const result: Cidr[] = [];
  let base = range.first;
  while (base <= range.last) {
    let host = 0;
    while (
      host < bits &&
      (base & ((2n << BigInt(host)) - 1n)) === 0n &&
      base + (2n << BigInt(host)) - 1n <= range.last
    )
      host += 1;
    result.push({ family: range.family, base, prefix: bits - host });
    base += 1n << BigInt(host);
  }
  return result;
}

export function sameAddress(a: IpAddress, b: IpAddress): boolean {
  return a.family === b.family && a.value === b.value;
}

/** Order for sorting: IPv4 before IPv6, then by value. */
export function compareAddresses(a: IpAddress, b: IpAddress): number {
  if (a.family !== b.family) return a.family === 'ipv4' ? -1 : 1;
  return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
}
