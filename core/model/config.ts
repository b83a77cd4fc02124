/**
 * The configuration in force: what `core/config/compile` makes of the users' objects, and what allocation,
 * election, BGP and the FRR renderer read. Everything here is valid by construction; lists are sorted by name
 * (code units) so that equal input gives deep-equal output.
 */
import type { Cidr, IpAddress, IpRange } from '#core/model/ip.ts';
import type { Labels, Selector } from '#core/model/selector.ts';

export interface ServiceAllocation {
  /** Smaller positive numbers first; 0 (unset) and negative numbers rank after all positive ones. */
  readonly priority: number;
  /**
   * Namespaces that may use the pool, already resolved from names and namespace selectors, sorted.
   * `undefined`: no namespace condition was given. An empty list blocks everyone (we close where the original
   * opens up, controller.md Q13).
   */
  readonly namespaces: readonly string[] | undefined;
  /** Those that `namespaces` was resolved from, to name them in a refusal. */
  readonly namespaceSelectors: readonly Selector[];
  /** ORed; empty: no condition on the Service's labels. */
  readonly serviceSelectors: readonly Selector[];
}

export interface PoolEntry {
  /** As written in `spec.addresses`. */
  readonly text: string;
  readonly range: IpRange;
  /** The fewest prefixes that cover the range, ascending. */
  readonly cidrs: readonly Cidr[];
}

/** Addresses that are never handed out; they may be outside the pool. */
export interface PoolExclusion {
  /** As written in `spec.excludedAddresses`. */
  readonly text: string;
  readonly range: IpRange;
}

export interface Pool {
  readonly name: string;
  readonly labels: Labels;
  /** In spec order: allocation walks them so. */
  readonly entries: readonly PoolEntry[];
  /** In spec order; they may overlap. */
  readonly excluded: readonly PoolExclusion[];
  readonly autoAssign: boolean;
  readonly avoidBuggyIPs: boolean;
  /** Present (even without conditions): a pinned pool. Absent: an open pool. */
  readonly serviceAllocation: ServiceAllocation | undefined;
}

export interface PreferredNodes {
  readonly weight: number;
  readonly preference: Selector;
}

/** What happens to an address when nodes come and go. */
export type FailoverMode = 'Default' | 'Sticky' | 'Spread';

export interface L2Advertisement {
  readonly name: string;
  /** Names of the pools it reaches (by name or label, all when it names none), sorted. */
  readonly pools: readonly string[];
  /** ORed; empty: all nodes. */
  readonly nodeSelectors: readonly Selector[];
  /** Sorted, without duplicates; empty: all interfaces. */
  readonly interfaces: readonly string[];
  readonly serviceSelectors: readonly Selector[];
  readonly preferredNodes: readonly PreferredNodes[];
  readonly failover: FailoverMode;
  /** ICMP echo is answered for the addresses. */
  readonly answerPing: boolean;
}

/** A community in FRR's notation: `a:b` (standard) or `a:b:c` (large). */
export interface BgpCommunity {
  readonly kind: 'standard' | 'large';
  readonly value: string;
}

/**
 * One object, or one of two parts of it with disjoint pools: where rule X-1 keeps the IPv6 pools from some peers,
 * the part with those pools names the other peers.
 */
export interface BgpAdvertisement {
  readonly name: string;
  readonly pools: readonly string[];
  readonly nodeSelectors: readonly Selector[];
  /** BGPPeer names; empty: all peers. Unknown names are kept and never match. */
  readonly peers: readonly string[];
  readonly serviceSelectors: readonly Selector[];
  readonly aggregationLength: number;
  readonly aggregationLengthV6: number;
  /** 0: not set. */
  readonly localPref: number;
  /** 0: not set, which is what a router sends anyway. */
  readonly med: number;
  /** Additional times of our AS number in the path; 0: none. */
  readonly asPathPrepend: number;
  /** Routes tell how many endpoints of the Service the node has. */
  readonly weightByEndpoints: boolean;
  /** Sorted by kind and value, without duplicates. */
  readonly communities: readonly BgpCommunity[];
}

export interface BfdProfile {
  readonly name: string;
  /** Milliseconds. */
  readonly receiveInterval: number | undefined;
  readonly transmitInterval: number | undefined;
  readonly detectMultiplier: number | undefined;
  readonly echoInterval: number | undefined;
  readonly echoMode: boolean;
  readonly passiveMode: boolean;
  readonly minimumTtl: number | undefined;
}

export type RemoteAs =
  { readonly kind: 'asn'; readonly asn: number } | { readonly kind: 'internal' | 'external' };

export type PeerEndpoint =
  | { readonly kind: 'address'; readonly address: IpAddress; readonly text: string }
  | { readonly kind: 'interface'; readonly name: string };

export interface SecretReference {
  readonly name: string;
  readonly namespace?: string;
}

export interface BgpPeer {
  readonly name: string;
  readonly myAsn: number;
  readonly remoteAs: RemoteAs;
  /** Presented to this neighbour instead of `myAsn` (local-as no-prepend replace-as). */
  readonly localAsn: number | undefined;
  readonly endpoint: PeerEndpoint;
  readonly sourceAddress: IpAddress | undefined;
  readonly port: number;
  /** Seconds; undefined: FRR's default. Both are set or neither. */
  readonly timers: { readonly hold: number; readonly keepalive: number } | undefined;
  /** Seconds. */
  readonly connectTime: number | undefined;
  readonly routerId: IpAddress | undefined;
  readonly nodeSelectors: readonly Selector[];
  /** Clear text, resolved from `password` or the Secret. Never logged. */
  readonly password: string | undefined;
  /** The Secret the password is in, as written; undefined: it is not in one. */
  readonly passwordSecret: SecretReference | undefined;
  readonly bfdProfile: string | undefined;
  readonly gracefulRestart: boolean;
  readonly ebgpMultiHop: boolean;
  /** Empty: the default VRF. */
  readonly vrf: string;
  readonly disableMP: boolean;
  readonly dualStackAddressFamily: boolean;
}

export interface Config {
  readonly pools: readonly Pool[];
  readonly l2Advertisements: readonly L2Advertisement[];
  readonly bgpAdvertisements: readonly BgpAdvertisement[];
  readonly peers: readonly BgpPeer[];
  readonly bfdProfiles: readonly BfdProfile[];
  /** ConfigMap `bgpextras`, key `extras`; empty when absent. */
  readonly frrExtras: string;
}

/**
 * One thing that is wrong with one object. The object it names is left out of the configuration, and so is
 * what depends on it; nothing else is.
 */
export interface Problem {
  /** The rule's identifier in api.md §6, e.g. `POOL-11`. */
  readonly code: string;
  readonly object: { readonly kind: string; readonly namespace: string; readonly name: string };
  /** JSON path below the object, e.g. `spec.addresses[1]`. */
  readonly field: string;
  /** What is wrong, with the value; contains the literal phrase of api.md §6.15 where there is one. */
  readonly message: string;
  /** What the user can do about it. */
  readonly remedy: string;
  /** Text for ConfigurationState.errorSummary after its prefix (api.md §8.5.1). */
  readonly summary: string;
}
