/**
 * From Services to routes (speaker-bgp.md §1). Each Service is decided alone and keeps its verdict until
 * something it depends on changes; the routes of the node are the verdicts merged.
 */
import { gateBgp, type BgpContext, type BgpReason, type NodeAdvertisement } from '#core/bgp/gates.ts';
import { granted, uniteCommunities, type Grant, type Route } from '#core/bgp/route.ts';
import { servingEndpoints } from '#core/model/endpoints.ts';
import { cidrOf, type Cidr, type Family, type IpAddress } from '#core/model/ip.ts';
import { gateService } from '#core/model/service-gate.ts';
import type { EndpointSliceView, ServiceView } from '#core/model/views.ts';

/** One prefix by one BGPAdvertisement. */
export interface Announcement {
  /** Name of the BGPAdvertisement it follows from. */
  readonly advertisement: string;
  readonly prefix: Cidr;
  readonly grant: Grant;
}

export interface Unserved {
  readonly address: IpAddress;
  readonly reason: BgpReason;
  readonly message: string;
}

export type BgpVerdict =
  | {
      readonly kind: 'announce';
      /** Those that are announced: an address without an endpoint of its family is not. */
      readonly addresses: readonly IpAddress[];
      /** The other addresses, each with the reason. */
      readonly unserved: readonly Unserved[];
      readonly announcements: readonly Announcement[];
      /** Names of this node's BGPPeers that get at least one of the prefixes offered, sorted. May be empty. */
      readonly peers: readonly string[];
      /** Set while the node is emptied: whether the routes are about to go, or stay as the last path; and why. */
      readonly drain?: { readonly kind: 'leaving' | 'kept'; readonly message: string };
    }
  | { readonly kind: 'withhold'; readonly reason: BgpReason; readonly message: string };

/** Decides one Service on this node: what is announced of it to whom, or why nothing is. */
export function decideBgp(
  context: BgpContext,
  service: ServiceView,
  slices: readonly EndpointSliceView[],
): BgpVerdict {
  const gate = gateService(service, context.config.pools);
  if (gate.kind === 'stop') return { kind: 'withhold', reason: gate.reason, message: gate.message };
  const families = new Set(gate.addresses.map(({ family }) => family));
  const bgp = gateBgp(context, gate.pool, service, { slices, families });
  if (bgp.kind === 'stop') return { kind: 'withhold', reason: bgp.reason, message: bgp.message };
  const addresses = gate.addresses.filter(({ family }) => !bgp.unserved.has(family));
  const unserved = gate.addresses.flatMap((address): Unserved[] => {
    const stop = bgp.unserved.get(address.family);
    return stop === undefined ? [] : [{ address, reason: stop.reason, message: stop.message }];
  });
  const local = localEndpoints(context, bgp.advertisements, slices);
  const announcements = bgp.advertisements.flatMap((ad) => announce(ad, addresses, local));
  const peers = [...new Set(announcements.flatMap(({ grant }) => grant.peers))].sort();
  return { kind: 'announce', addresses, unserved, announcements, peers };
}

/** How many endpoints this node has for addresses of a family, where advertisements ask for that. */
function localEndpoints(
  { node, gone }: BgpContext,
  advertisements: readonly NodeAdvertisement[],
  slices: readonly EndpointSliceView[],
): (family: Family) => number {
  if (!advertisements.some(({ spec }) => spec.weightByEndpoints)) return () => 0;
  return (family) => servingEndpoints(slices, gone, family).perNode.get(node.name) ?? 0;
}

/** The prefix that an address was last announced with: nearly always the same one for all its time. */
const prefixes = new WeakMap<IpAddress, Cidr>();

function prefixOf(address: IpAddress, length: number): Cidr {
  const last = prefixes.get(address);
  if (last?.prefix === length) return last;
  const prefix = cidrOf(address, length);
  prefixes.set(address, prefix);
  return prefix;
}

function announce(
  { spec, grant }: NodeAdvertisement,
  addresses: readonly IpAddress[],
  local: (family: Family) => number,
): Announcement[] {
  return addresses.map((address) => ({
    advertisement: spec.name,
    prefix: prefixOf(address, address.family === 'ipv4' ? spec.aggregationLength : spec.aggregationLengthV6),
    grant: grant(local(address.family)),
  }));
}

/** Order of routes: IPv4 first, then by base address, then the wider prefix first. */
export function comparePrefixes(a: Cidr, b: Cidr): number {
  if (a.family !== b.family) return a.family === 'ipv4' ? -1 : 1;
  if (a.base !== b.base) return a.base < b.base ? -1 : 1;
  return a.prefix - b.prefix;
}

/**
 * The routes of this node: one per prefix, however many Services and advertisements lead to it
 * (speaker-bgp.md §1.8). A peer gets the union of the communities, the highest local preference, the
 * lowest MED, the shortest path and the largest weight of the announcements that reach it; it is about to go when all
 * of them are. A prefix that no peer gets is left out.
 */
export function mergeRoutes(verdicts: Iterable<BgpVerdict>): Route[] {
  const byPrefix = new Map<string, { prefix: Cidr; grants: Set<Grant> }>();
  for (const verdict of verdicts) {
    if (verdict.kind !== 'announce') continue;
    for (const { prefix, grant } of verdict.announcements) {
      if (grant.peers.length === 0) continue;
      const key = `${prefix.family} ${prefix.base} ${prefix.prefix}`;
      const entry = byPrefix.get(key) ?? { prefix, grants: new Set<Grant>() };
      entry.grants.add(grant);
      byPrefix.set(key, entry);
    }
  }
  return [...byPrefix.values()]
    .map(({ prefix, grants }) => ({ prefix, grants: mergeGrants([...grants]) }))
    .sort((a, b) => comparePrefixes(a.prefix, b.prefix));
}

/** What each peer gets of a prefix that has several grants; they come back as few, with disjoint peers. */
export function mergeGrants(grants: readonly Grant[]): readonly Grant[] {
  if (grants.length === 1) return grants;
  const perPeer = new Map<string, Grant>();
  for (const grant of grants)
    for (const peer of grant.peers) perPeer.set(peer, join(perPeer.get(peer), grant));
  const byAttributes = new Map<string, { grant: Grant; peers: string[] }>();
  for (const [peer, grant] of perPeer) {
    const key = JSON.stringify({ ...grant, peers: [] });
    const entry = byAttributes.get(key) ?? { grant, peers: [] };
    entry.peers.push(peer);
    byAttributes.set(key, entry);
  }
  return [...byAttributes.values()]
    .map(({ grant, peers }) => ({ ...grant, peers: peers.sort() }))
    .sort((a, b) => ((a.peers[0] ?? '') < (b.peers[0] ?? '') ? -1 : 1));
}

function join(known: Grant | undefined, grant: Grant): Grant {
  if (known === undefined) return grant;
  return {
    peers: [],
    ...granted({
      localPref: Math.max(known.localPref, grant.localPref),
      med: Math.min(known.med ?? 0, grant.med ?? 0),
      asPathPrepend: Math.min(known.asPathPrepend ?? 0, grant.asPathPrepend ?? 0),
    }),
    communities: uniteCommunities(known.communities, grant.communities),
    ...heavier(known, grant),
    ...(known.shutdown === true && grant.shutdown === true ? { shutdown: true } : {}),
  };
}

function heavier({ weight: a = 0 }: Grant, { weight: b = 0 }: Grant): Pick<Grant, 'weight'> {
  return a === 0 && b === 0 ? {} : { weight: Math.max(a, b) };
}
