/** What is announced by BGP, before any router's syntax. */
import type { BgpCommunity } from '#core/model/config.ts';
import type { Cidr } from '#core/model/ip.ts';

/** The attributes with which some peers get a route. */
export interface Grant {
  /** Names of BGPPeers, sorted. */
  readonly peers: readonly string[];
  /** 0: not set. */
  readonly localPref: number;
  /** Sorted as in `compareCommunities`, without duplicates. */
  readonly communities: readonly BgpCommunity[];
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
