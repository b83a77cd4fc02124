/**
 * What the templates see. All decisions are made here: templates only place words. Nothing is rendered that
 * equals FRR's default, so that the file reads like FRR's own `show running-config` (speaker-bgp.md §4.8).
 */
import { communitiesOf, type Grant } from '#core/bgp/route.ts';
import { peerFamilies } from '#core/frr/build.ts';
import { frrAddress, frrPrefix, neighborId, neighborWord } from '#core/frr/grammar.ts';
import type { FrrModel, Router } from '#core/frr/model.ts';
import type { BfdProfile, BgpCommunity, BgpPeer } from '#core/model/config.ts';
import type { Family } from '#core/model/ip.ts';

/** One entry of a neighbour's outbound route-map. Null: no such line. */
export interface ClassEntry {
  readonly tag: number;
  /** As text, for 0 is a preference too. */
  readonly localPref: string | null;
  readonly med: number | null;
  /** Link bandwidth, Mbit/s. */
  readonly bandwidth: number | null;
  /** AS numbers put before the path. */
  readonly asPathPrepend: string | null;
  /** Words for one `set community` line, in FRR's spelling. */
  readonly communities: string | null;
  readonly largeCommunities: string | null;
}

export interface NeighborPolicy {
  readonly id: string;
  readonly entries: readonly ClassEntry[];
}

export interface NeighborLines {
  readonly peer: string;
  readonly id: string;
  readonly isInterface: boolean;
  readonly remoteAs: string;
  readonly localAs: number | null;
  readonly ebgpMultihop: boolean;
  readonly port: number | null;
  readonly timers: { readonly keepalive: number; readonly hold: number } | null;
  readonly connect: number | null;
  readonly password: string | null;
  readonly updateSource: string | null;
  readonly gracefulRestart: boolean;
  readonly bfdProfile: string | null;
  readonly disableConnectedCheck: boolean;
}

export interface AddressFamilyLines {
  readonly family: Family;
  readonly networks: readonly { readonly prefix: string; readonly tag: number }[];
  readonly neighbors: readonly { readonly peer: string; readonly id: string }[];
}

export interface RouterLines {
  readonly asn: number;
  readonly vrf: string | null;
  readonly routerId: string;
  readonly neighbors: readonly NeighborLines[];
  readonly addressFamilies: readonly AddressFamilyLines[];
}

export interface BfdProfileLines {
  readonly name: string;
  readonly receiveInterval: number | null;
  readonly transmitInterval: number | null;
  readonly detectMultiplier: number | null;
  readonly echoMode: boolean;
  readonly echoInterval: number | null;
  readonly passiveMode: boolean;
  readonly minimumTtl: number | null;
}

export interface RenderContext {
  readonly hostname: string | null;
  /** Null at debugging, which is FRR's default. */
  readonly logLevel: string | null;
  readonly debug: boolean;
  /** Tags of all classes, ascending. */
  readonly classes: readonly number[];
  readonly policies: readonly NeighborPolicy[];
  readonly routers: readonly RouterLines[];
  readonly bfdProfiles: readonly BfdProfileLines[];
  readonly raw: readonly { readonly owner: string; readonly text: string }[];
}

/** The words FRR prints for well-known communities. */
const WELL_KNOWN: Readonly<Record<string, string>> = {
  '65535:0': 'graceful-shutdown',
  '65535:1': 'accept-own',
  '65535:2': 'route-filter-translated-v4',
  '65535:3': 'route-filter-v4',
  '65535:4': 'route-filter-translated-v6',
  '65535:5': 'route-filter-v6',
  '65535:6': 'llgr-stale',
  '65535:7': 'no-llgr',
  '65535:8': 'accept-own-nexthop',
  '65535:666': 'blackhole',
  '65535:65281': 'no-export',
  '65535:65282': 'no-advertise',
  '65535:65283': 'local-AS',
  '65535:65284': 'no-peer',
};

/** Prepares a model for the templates. */
export function renderContext(model: FrrModel): RenderContext {
  const tags = new Set(model.routers.flatMap((router) => router.classes.map(({ tag }) => tag)));
  const isDebug = model.logLevel === 'debugging';
  return {
    hostname: model.hostname === '' ? null : model.hostname,
    logLevel: isDebug ? null : model.logLevel,
    debug: isDebug,
    classes: [...tags].sort((a, b) => a - b),
    policies: model.routers.flatMap((router) => router.neighbors.map((peer) => policy(router, peer))),
    routers: model.routers.map((router) => routerLines(router, model.withoutBfd)),
    bfdProfiles: model.bfdProfiles.map(profileLines),
    raw: model.raw,
  };
}

/** True when the peer's AS is the node's own. */
function isSameAs({ remoteAs, myAsn }: BgpPeer): boolean {
  return remoteAs.kind === 'internal' || (remoteAs.kind === 'asn' && remoteAs.asn === myAsn);
}

/** A peer of our own AS to which we present another one sees an external session (#141). */
function isInternal(peer: BgpPeer): boolean {
  return isSameAs(peer) && peer.localAsn === undefined;
}

/** FRR makes an addressed peer of our own AS number a multihop one when it gets a local AS, and shows it (W53). */
function isMadeExternal({ remoteAs, myAsn, localAsn, endpoint }: BgpPeer): boolean {
  const isOwnAs = remoteAs.kind === 'asn' && remoteAs.asn === myAsn;
  return localAsn !== undefined && isOwnAs && endpoint.kind === 'address';
}

/** speaker-bgp.md §2.2: a single-hop external session that carries IPv6 only. */
function skipsConnectedCheck(peer: BgpPeer): boolean {
  const isIpv6Only = peerFamilies(peer).join() === 'ipv6';
  return isIpv6Only && !peer.ebgpMultiHop && !isSameAs(peer);
}

function policy(router: Router, peer: BgpPeer): NeighborPolicy {
  const entries = router.classes.flatMap(({ tag, grants }): ClassEntry[] => {
    const grant = grants.find((each) => each.peers.includes(peer.name));
    if (grant === undefined) return [];
    const communities = communitiesOf(grant);
    return [
      {
        tag,
        localPref: isInternal(peer) ? preferenceOf(grant) : null,
        med: grant.med ?? null,
        bandwidth: grant.weight ?? null,
        asPathPrepend: prepended(peer, grant.asPathPrepend ?? 0),
        communities: words(communities, 'standard'),
        largeCommunities: words(communities, 'large'),
      },
    ];
  });
  return { id: neighborId(peer), entries };
}

/** Inside our AS the preference says that a path is about to go (RFC 8326 §5); elsewhere the router goes by the community. */
function preferenceOf({ localPref, shutdown }: Grant): string | null {
  if (shutdown === true) return '0';
  return localPref > 0 ? String(localPref) : null;
}

/** A neighbour of our own AS would take its own number in the path for a loop. */
function prepended(peer: BgpPeer, times: number): string | null {
  if (times === 0 || isInternal(peer)) return null;
  return Array.from({ length: times }, () => String(peer.localAsn ?? peer.myAsn)).join(' ');
}

function words(communities: readonly BgpCommunity[], kind: BgpCommunity['kind']): string | null {
  const values = communities
    .filter((each) => each.kind === kind)
    .map(({ value }) => WELL_KNOWN[value] ?? value);
  return values.length === 0 ? null : values.join(' ');
}

function routerLines(router: Router, withoutBfd?: ReadonlySet<string>): RouterLines {
  const families: readonly Family[] = ['ipv4', 'ipv6'];
  return {
    asn: router.asn,
    vrf: router.vrf === '' ? null : router.vrf,
    routerId: router.routerId,
    neighbors: router.neighbors.map((peer) => {
      const lines = neighborLines(peer);
      return withoutBfd?.has(peer.name) === true ? { ...lines, bfdProfile: null } : lines;
    }),
    addressFamilies: families
      .map((family) => ({
        family,
        networks: router.networks
          .filter(({ prefix }) => prefix.family === family)
          .map(({ prefix, tag }) => ({ prefix: frrPrefix(prefix), tag })),
        neighbors: router.neighbors
          .filter((peer) => peerFamilies(peer).includes(family))
          .map((peer) => ({ peer: neighborWord(peer), id: neighborId(peer) })),
      }))
      .filter(({ neighbors }) => neighbors.length > 0),
  };
}

function neighborLines(peer: BgpPeer): NeighborLines {
  const { remoteAs } = peer;
  return {
    peer: neighborWord(peer),
    id: neighborId(peer),
    isInterface: peer.endpoint.kind === 'interface',
    remoteAs: remoteAs.kind === 'asn' ? String(remoteAs.asn) : remoteAs.kind,
    localAs: peer.localAsn ?? null,
    ebgpMultihop: peer.ebgpMultiHop || isMadeExternal(peer),
    port: peer.port === 179 ? null : peer.port,
    timers: peer.timers ?? null,
    connect: peer.connectTime ?? null,
    password: peer.password ?? null,
    updateSource: peer.sourceAddress === undefined ? null : frrAddress(peer.sourceAddress),
    gracefulRestart: peer.gracefulRestart,
    bfdProfile: peer.bfdProfile ?? null,
    disableConnectedCheck: skipsConnectedCheck(peer),
  };
}

function profileLines(profile: BfdProfile): BfdProfileLines {
  const unless = (value: number | undefined, standard: number): number | null =>
    value === undefined || value === standard ? null : value;
  return {
    name: profile.name,
    receiveInterval: unless(profile.receiveInterval, 300),
    transmitInterval: unless(profile.transmitInterval, 300),
    detectMultiplier: unless(profile.detectMultiplier, 3),
    echoMode: profile.echoMode,
    echoInterval: unless(profile.echoInterval, 50),
    passiveMode: profile.passiveMode,
    minimumTtl: unless(profile.minimumTtl, 254),
  };
}
