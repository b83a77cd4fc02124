/** Which of the host's interfaces answer, and for which family (speaker-l2.md §5.2). */
import type { InterfaceAddress, Link } from '#core/l2/netlink.ts';

const IFF_UP = 0x1;
const IFF_BROADCAST = 0x2;
const IFF_LOOPBACK = 0x8;
const IFF_NOARP = 0x80;
const IFF_LOWER_UP = 0x10000;

/** The interfaces of the host, as netlink tells them. */
export interface HostLinks {
  readonly links: ReadonlyMap<number, Link>;
  readonly addresses: readonly InterfaceAddress[];
}

export type NotAnswering = 'down' | 'enslaved' | 'noArp' | 'noEthernetAddress';

export interface UsableInterface {
  readonly link: Link;
  /** Why it answers nothing; undefined: it answers. */
  readonly not: NotAnswering | undefined;
  /** Answers ARP (an IPv4 address of its own is not required). */
  readonly arp: boolean;
  /** Answers NDP: IPv6 is switched on there (it has an IPv6 address, whether it passed duplicate detection or not). */
  readonly ndp: boolean;
  /** Administratively up and with carrier. */
  readonly carrier: boolean;
  /** All addresses the kernel has on it. */
  readonly addresses: readonly Uint8Array[];
}

/**
 * Interfaces that never answer unless somebody says otherwise, as regular expressions in the original's order: bridges,
 * virtual links and tunnels of container networks (operator-packaging.md §2.10).
 */
export const usualExclusions: readonly string[] = [
  '^docker.*',
  '^cbr.*',
  '^dummy.*',
  '^virbr.*',
  '^lxcbr.*',
  '^veth.*',
  '^lo$',
  '^cali.*',
  '^tunl.*',
  '^flannel.*',
  '^kube-ipvs.*',
  '^cni.*',
  '^nodelocaldns.*',
  '^lxc.*',
];

/**
 * The patterns of the exclusion list as one function; each matches anywhere in a name, an empty one matches
 * every name. A pattern that is no regular expression is returned as its error.
 */
export function compileExclusions(
  patterns: readonly string[],
): ((name: string) => boolean) | { error: string } {
  const compiled: RegExp[] = [];
  for (const pattern of patterns) {
    try {
      compiled.push(new RegExp(pattern));
    } catch (error) {
      return { error: `announcedInterfacesToExclude: ${String(error)}` };
    }
  }
  return (name) => compiled.some((expression) => expression.test(name));
}

/** All interfaces that are not excluded, sorted by name, with what each can do. */
export function usableInterfaces(host: HostLinks, excluded: (name: string) => boolean): UsableInterface[] {
  return [...host.links.values()]
    .filter((link) => !excluded(link.name))
    .map((link) => describe(link, host))
    .sort((a, b) => (a.link.name < b.link.name ? -1 : 1));
}

function describe(link: Link, host: HostLinks): UsableInterface {
  const own = host.addresses.filter((address) => address.index === link.index);
  const not = notAnswering(link);
  return {
    link,
    not,
    arp: not === undefined && (link.flags & IFF_BROADCAST) !== 0,
    ndp: not === undefined && own.some(({ bytes }) => bytes.length === 16),
    carrier: (link.flags & IFF_UP) !== 0 && (link.flags & IFF_LOWER_UP) !== 0,
    addresses: own.map(({ bytes }) => bytes),
  };
}

function notAnswering(link: Link): NotAnswering | undefined {
  if ((link.flags & IFF_UP) === 0) return 'down';
  // A member of a VRF keeps its own LAN; a port of a bond, bridge, team or Open vSwitch has none.
  if (link.master !== 0 && link.slaveKind !== 'vrf') return 'enslaved';
  if ((link.flags & IFF_NOARP) !== 0) return 'noArp';
  return link.mac.length === 6 && (link.flags & IFF_LOOPBACK) === 0 ? undefined : 'noEthernetAddress';
}
