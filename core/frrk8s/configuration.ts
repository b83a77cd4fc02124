/**
 * From the model of a node to the spec of its FRRConfiguration (speaker-bgp.md §8.1, §8.2): what a frr-k8s that
 * somebody else runs is asked to do. Everything is sorted and without duplicates, so that equal models are equal
 * objects. What the kind has no field for is told by `losses`; nothing goes into `spec.raw`.
 */
import { communitiesOf, type Grant } from '#core/bgp/route.ts';
import { peerFamilies, type RefusedPeer } from '#core/frr/build.ts';
import { neighborWord } from '#core/frr/grammar.ts';
import type { FrrModel, Router } from '#core/frr/model.ts';
import { compareText } from '#core/config/order.ts';
import type { BfdProfile, BgpCommunity, BgpPeer } from '#core/model/config.ts';
import { formatAddress, formatCidr, parseAddress, type Family } from '#core/model/ip.ts';
import type { Labels } from '#core/model/selector.ts';
import type { NodeView } from '#core/model/views.ts';
import { setsRouterId, type OtherConfiguration } from '#core/frrk8s/others.ts';

/** Absent fields have the default that the kind gives them. */
export interface FrrConfigurationSpec {
  readonly bgp: { readonly routers: readonly RouterSpec[]; readonly bfdProfiles: readonly ProfileSpec[] };
  readonly nodeSelector: { readonly matchLabels: Labels };
}

export interface RouterSpec {
  readonly asn: number;
  readonly id?: string;
  readonly vrf?: string;
  readonly neighbors: readonly NeighborSpec[];
  readonly prefixes: readonly string[];
}

export interface NeighborSpec {
  readonly address?: string;
  readonly interface?: string;
  readonly asn?: number;
  readonly dynamicASN?: string;
  readonly localASN?: number;
  readonly sourceaddress?: string;
  readonly port: number;
  /** Go durations. */
  readonly holdTime?: string;
  readonly keepaliveTime?: string;
  readonly connectTime?: string;
  readonly bfdProfile?: string;
  readonly enableGracefulRestart?: true;
  readonly ebgpMultiHop?: true;
  readonly dualStackAddressFamily?: true;
  readonly disableMP?: true;
  readonly password?: string;
  readonly passwordSecret?: { readonly name: string; readonly namespace?: string };
  readonly toAdvertise: AdvertiseSpec;
}

export interface AdvertiseSpec {
  readonly allowed: { readonly mode: 'filtered'; readonly prefixes: readonly string[] };
  readonly withLocalPref: readonly { readonly localPref: number; readonly prefixes: readonly string[] }[];
  readonly withCommunity: readonly { readonly community: string; readonly prefixes: readonly string[] }[];
}

export interface ProfileSpec {
  readonly name: string;
  readonly receiveInterval?: number;
  readonly transmitInterval?: number;
  readonly detectMultiplier?: number;
  readonly echoInterval?: number;
  readonly minimumTtl?: number;
  readonly echoMode: boolean;
  readonly passiveMode: boolean;
}

export interface ConfigurationContext {
  readonly node: NodeView;
  /** Passwords that are in Secrets go by reference; else in clear, since frr-k8s cannot read ours. */
  readonly passwords: 'reference' | 'clear';
  /** The FRRConfigurations beside ours. */
  readonly others: readonly OtherConfiguration[];
  /** Names of peers that are not to be written, because the API server took the object only without them. */
  readonly without?: ReadonlySet<string>;
}

export interface BuiltConfiguration {
  readonly spec: FrrConfigurationSpec;
  /** Peers that frr-k8s would refuse, and with them the whole object. */
  readonly refused: readonly RefusedPeer[];
  /** Names of the peers behind each router's neighbours, in the order of the spec. */
  readonly peers: readonly (readonly string[])[];
}

const HOSTNAME = 'kubernetes.io/hostname';
/** The kind says `format: int32`, and the API server goes by it. */
export const MAX_LOCAL_PREF = 2_147_483_647;

/** Makes the spec. Profiles that no peer uses are written too, as the original does. */
export function frrConfiguration(model: FrrModel, context: ConfigurationContext): BuiltConfiguration {
  const refused: RefusedPeer[] = [];
  const drafts = model.routers
    .map((router) => ({ router, neighbors: sortedPeers(router.neighbors, context, refused) }))
    .filter(({ neighbors }) => neighbors.length > 0);
  const name = context.node.labels[HOSTNAME] ?? context.node.name;
  return {
    refused,
    peers: drafts.map(({ neighbors }) => neighbors.map((peer) => peer.name)),
    spec: {
      bgp: {
        routers: drafts.map(({ router, neighbors }) => routerSpec(router, neighbors, context)),
        bfdProfiles: model.bfdProfiles.toSorted((a, b) => compareText(a.name, b.name)).map(profileSpec),
      },
      nodeSelector: { matchLabels: { [HOSTNAME]: name } },
    },
  };
}

function sortedPeers(
  peers: readonly BgpPeer[],
  { without }: ConfigurationContext,
  refused: RefusedPeer[],
): BgpPeer[] {
  const taken = peers.filter((peer) => {
    if (without?.has(peer.name) === true) return false;
    const message = unacceptable(peer);
    if (message !== undefined) refused.push({ peer: peer.name, message });
    return message === undefined;
  });
  return taken.sort((a, b) => compareText(sortKey(a), sortKey(b)));
}

/** #127: one such neighbour, and the daemon takes nothing of the node any more. */
function unacceptable({ localAsn, remoteAs, myAsn }: BgpPeer): string | undefined {
  const isOwnAs = remoteAs.kind === 'asn' && remoteAs.asn === myAsn;
  return localAsn !== undefined && isOwnAs
    ? `frr-k8s has no spec.localASN for a peer in our own AS ${myAsn}: remove localASN, or correct peerASN`
    : undefined;
}

/** The original's order: `<asn or dynamic>@<peer>-<myASN>@<source>` (§8.1). */
function sortKey(peer: BgpPeer): string {
  const { remoteAs, myAsn, sourceAddress } = peer;
  const remote = remoteAs.kind === 'asn' ? String(remoteAs.asn) : remoteAs.kind;
  const source = sourceAddress === undefined ? '' : formatAddress(sourceAddress);
  return `${remote}@${neighborWord(peer)}-${myAsn}@${source}`;
}

function routerSpec(router: Router, peers: readonly BgpPeer[], context: ConfigurationContext): RouterSpec {
  const neighbors = peers.map((peer) => neighborSpec(router, peer, context));
  const prefixes = new Set(neighbors.flatMap(({ toAdvertise }) => toAdvertise.allowed.prefixes));
  return {
    asn: router.asn,
    ...present('id', identifier(router, context)),
    ...present('vrf', router.vrf === '' ? undefined : router.vrf),
    neighbors,
    prefixes: [...prefixes].sort(),
  };
}

/**
 * The BGP identifier: what a peer asks for. Where nobody asks FRR finds one itself, except on a node without IPv4
 * (W21): there it is ours, unless an FRRConfiguration of the user has one, which would contradict it (§8.4).
 */
function identifier(router: Router, { node, others }: ConfigurationContext): string | undefined {
  const isAsked = router.neighbors.some(({ routerId }) => routerId !== undefined);
  const hasIpv4 = node.internalIPs.some((text) => parseAddress(text)?.family === 'ipv4');
  if (isAsked) return router.routerId;
  return hasIpv4 || others.some((other) => setsRouterId(other, node, router.vrf))
    ? undefined
    : router.routerId;
}

function neighborSpec(router: Router, peer: BgpPeer, context: ConfigurationContext): NeighborSpec {
  const { endpoint, remoteAs, timers, connectTime, sourceAddress } = peer;
  return {
    ...(endpoint.kind === 'address'
      ? { address: formatAddress(endpoint.address) }
      : { interface: endpoint.name }),
    ...(remoteAs.kind === 'asn' ? { asn: remoteAs.asn } : { dynamicASN: remoteAs.kind }),
    ...present('localASN', peer.localAsn),
    ...present('sourceaddress', sourceAddress && formatAddress(sourceAddress)),
    port: peer.port,
    ...(timers && { holdTime: `${timers.hold}s`, keepaliveTime: `${timers.keepalive}s` }),
    ...present('connectTime', connectTime === undefined ? undefined : `${connectTime}s`),
    ...present('bfdProfile', peer.bfdProfile),
    ...(peer.gracefulRestart ? { enableGracefulRestart: true } : {}),
    ...(peer.ebgpMultiHop ? { ebgpMultiHop: true } : {}),
    ...(peer.dualStackAddressFamily ? { dualStackAddressFamily: true } : {}),
    ...(peer.disableMP ? { disableMP: true } : {}),
    ...secret(peer, context.passwords),
    toAdvertise: advertised(router, peer),
  };
}

/** #111: never both. */
function secret(
  { password, passwordSecret }: BgpPeer,
  passwords: ConfigurationContext['passwords'],
): Pick<NeighborSpec, 'password' | 'passwordSecret'> {
  if (passwordSecret !== undefined && passwords === 'reference') return { passwordSecret };
  return present('password', password);
}

function advertised(router: Router, peer: BgpPeer): AdvertiseSpec {
  const families: readonly Family[] = peerFamilies(peer);
  const grants = new Map<number, Grant>();
  for (const { tag, grants: all } of router.classes) {
    const grant = all.find(({ peers }) => peers.includes(peer.name));
    if (grant !== undefined) grants.set(tag, grant);
  }
  const allowed = new Set<string>();
  const byPreference = new Map<number, Set<string>>();
  const byCommunity = new Map<string, Set<string>>();
  for (const { prefix, tag } of router.networks) {
    const grant = grants.get(tag);
    if (grant === undefined || !families.includes(prefix.family)) continue;
    const text = formatCidr(prefix);
    allowed.add(text);
    if (grant.localPref > 0) into(byPreference, Math.min(grant.localPref, MAX_LOCAL_PREF), text);
    for (const community of communitiesOf(grant)) into(byCommunity, communityText(community), text);
  }
  return {
    allowed: { mode: 'filtered', prefixes: [...allowed].sort() },
    withLocalPref: [...byPreference]
      .sort(([a], [b]) => a - b)
      .map(([localPref, prefixes]) => ({ localPref, prefixes: [...prefixes].sort() })),
    withCommunity: [...byCommunity]
      .sort(([a], [b]) => compareText(a, b))
      .map(([community, prefixes]) => ({ community, prefixes: [...prefixes].sort() })),
  };
}

function into<K>(map: Map<K, Set<string>>, key: K, text: string): void {
  const known = map.get(key) ?? new Set<string>();
  map.set(key, known.add(text));
}

function communityText({ kind, value }: BgpCommunity): string {
  return kind === 'large' ? `large:${value}` : value;
}

function profileSpec(profile: BfdProfile): ProfileSpec {
  const { name, echoMode, passiveMode } = profile;
  return {
    name,
    ...present('receiveInterval', profile.receiveInterval),
    ...present('transmitInterval', profile.transmitInterval),
    ...present('detectMultiplier', profile.detectMultiplier),
    ...present('echoInterval', profile.echoInterval),
    ...present('minimumTtl', profile.minimumTtl),
    echoMode,
    passiveMode,
  };
}

function present<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>);
}

/** Everything about the neighbours and what they share, but not the routes they get: as text to compare. */
export function neighborsText({ bgp }: FrrConfigurationSpec): string {
  const routes: readonly string[] = ['prefixes', 'toAdvertise'];
  return JSON.stringify([bgp.routers, bgp.bfdProfiles], (key, value: unknown) =>
    routes.includes(key) ? undefined : value,
  );
}
