/** What is announced by BGP, before any router's syntax. */
import type { BgpAdvertisement, BgpCommunity } from '#core/model/config.ts';
import type { Cidr } from '#core/model/ip.ts';

/** The attributes with which some peers get a route. */
export interface Grant {
  /** Names of BGPPeers, sorted. */
  readonly peers: readonly string[];
  /** 0: not set. */
  readonly localPref: number;
  /** Absent: not set. */
  readonly med?: number;
  /** Additional times of our AS number in the path, for neighbours in another AS. Absent: none. */
  readonly asPathPrepend?: number;
  /** Sorted as in `compareCommunities`, without duplicates. */
  readonly communities: readonly BgpCommunity[];
  /** Share of the traffic that this node is to get beside others, as a link bandwidth in Mbit/s. Absent: not told. */
  readonly weight?: number;
  /** The path is about to go (RFC 8326): routers are to prefer any other one. */
  readonly shutdown?: true;
}

/** What FRR can put into a route. */
const MAX_WEIGHT = 25_600;

/**
 * The weight of a node by its endpoints of a Service: one each. A node without any, which announces with policy Cluster
 * and passes traffic on, has the smallest.
 */
export function weightOf(localEndpoints: number): number {
  return Math.min(Math.max(localEndpoints, 1), MAX_WEIGHT);
}

/** Tells a router that a path is about to go: community graceful-shutdown (RFC 8326). */
export const GRACEFUL_SHUTDOWN: BgpCommunity = { kind: 'standard', value: '65535:0' };

/** All communities that go with a route. */
export function communitiesOf({ communities, shutdown }: Grant): readonly BgpCommunity[] {
  return shutdown === true ? uniteCommunities(communities, [GRACEFUL_SHUTDOWN]) : communities;
}

/** What routes are preferred by. */
export type Preference = Pick<BgpAdvertisement, 'localPref' | 'med' | 'asPathPrepend'>;

export const PREFERENCE_FIELDS = ['localPref', 'med', 'asPathPrepend'] as const;

/** The preference as part of a grant. What is not set is absent, so that it has no part in a class's number. */
export function granted({ localPref, med, asPathPrepend }: Preference): Omit<Grant, 'peers' | 'communities'> {
  return { localPref, ...(med > 0 ? { med } : {}), ...(asPathPrepend > 0 ? { asPathPrepend } : {}) };
}

/** The first field in which two advertisements would give one route different values. */
export function contradictingField(a: Preference, b: Preference): keyof Preference | undefined {
  return PREFERENCE_FIELDS.find((field) => a[field] !== b[field]);
}

/** One prefix, and who gets it how. The peers of the grants are disjoint; grants are sorted by their first peer. */
export interface Route {
  readonly prefix: Cidr;
  readonly grants: readonly Grant[];
}

function parts(community: BgpCommunity): number[] {
  return community.value.split(':').map(Number);
}

/** Order of communities: standard before large, then by their numbers (the order in which FRR prints them). */
export function compareCommunities(a: BgpCommunity, b: BgpCommunity): number {
  if (a.kind !== b.kind) return a.kind === 'standard' ? -1 : 1;
  const [left, right] = [parts(a), parts(b)];
  const index = left.findIndex((part, i) => part !== right[i]);
  return index === -1 ? 0 : (left[index] ?? 0) - (right[index] ?? 0);
}

/** Both lists in one, sorted, each community once. */
export function uniteCommunities(a: readonly BgpCommunity[], b: readonly BgpCommunity[]): BgpCommunity[] {
  const byText = new Map(
    [...a, ...b].map((community) => [`${community.kind} ${community.value}`, community]),
  );
  return [...byText.values()].sort(compareCommunities);
}
