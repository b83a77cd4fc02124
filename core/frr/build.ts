/** From configuration, node and routes to the model of the FRR beside the speaker. */
import type { BgpContext } from '#core/bgp/gates.ts';
import type { Grant, Route } from '#core/bgp/route.ts';
import { isHostname, isRenderableProfile, neighborId, peerProblem } from '#core/frr/grammar.ts';
import { hash32, tagClasses } from '#core/frr/tags.ts';
import type { FrrModel, Network, RawLines, RouteClass, Router } from '#core/frr/model.ts';
import type { BgpPeer } from '#core/model/config.ts';
import { formatAddress, parseAddress, type Family } from '#core/model/ip.ts';
import type { NodeView } from '#core/model/views.ts';

export interface BuildOptions {
  /** Becomes FRR's host name; left out when it is not a valid one. */
  readonly hostname: string;
  /** FRR's word, see `frrLogLevel`. */
  readonly logLevel: string;
}

/** A BGPPeer that is left out of the model, with what the user has to change. */
export interface RefusedPeer {
  readonly peer: string;
  readonly message: string;
}

export interface BuiltModel {
  readonly model: FrrModel;
  readonly refused: readonly RefusedPeer[];
}

/** Families that a session with this peer carries (speaker-bgp.md §2.1). */
export function peerFamilies(peer: BgpPeer): readonly Family[] {
  if (peer.endpoint.kind === 'interface' || peer.dualStackAddressFamily) return ['ipv4', 'ipv6'];
  return [peer.endpoint.address.family];
}

/** What FRR_LOGGING_LEVEL may say: FRR's words, and `error`, which the original uses and FRR reads as `errors`. */
export const FRR_LOG_WORDS = [
  'emergencies',
  'alerts',
  'critical',
  'errors',
  'error',
  'warnings',
  'notifications',
  'informational',
  'debugging',
] as const;

export type FrrLogWord = (typeof FRR_LOG_WORDS)[number];

/** FRR's log level for the speaker's; `word`, when there is one, wins (speaker-bgp.md §3.1). */
export function frrLogLevel(level: string, word: FrrLogWord | '' = ''): string {
  if (word !== '') return word === 'error' ? 'errors' : word;
  const words: Readonly<Record<string, string>> = {
    all: 'debugging',
    debug: 'debugging',
    info: 'informational',
    warn: 'warnings',
    error: 'errors',
    none: 'emergencies',
  };
  return words[level] ?? 'informational';
}

/**
 * Makes the model of one node. Peers that cannot be written down, or that contradict an earlier one (by name)
 * of the same VRF, are refused one by one; everything else goes into the model.
 */
export function buildModel(context: BgpContext, routes: readonly Route[], options: BuildOptions): BuiltModel {
  const { peers, refused } = usablePeers(context.peers);
  const vrfs = [...new Set(peers.map((peer) => peer.vrf))].sort();
  const drafts = vrfs.map((vrf) =>
    draftRouter(
      peers.filter((peer) => peer.vrf === vrf),
      routes,
    ),
  );
  const tags = tagClasses(drafts.flatMap((draft) => [...draft.classes.keys()]));
  const fallbackId = routerId(peers, context.node);
  const routers = drafts.map((draft) => finishRouter(draft, tags, fallbackId));
  const raw: RawLines[] =
    context.config.frrExtras.trim() === ''
      ? []
      : [{ owner: 'ConfigMap bgpextras', text: context.config.frrExtras }];
  return {
    refused,
    model: {
      hostname: isHostname(options.hostname) ? options.hostname : '',
      logLevel: options.logLevel,
      bfdProfiles: context.config.bfdProfiles.filter(isRenderableProfile),
      routers,
      raw,
    },
  };
}

function usablePeers(candidates: readonly BgpPeer[]): { peers: BgpPeer[]; refused: RefusedPeer[] } {
  const peers: BgpPeer[] = [];
  const refused: RefusedPeer[] = [];
  for (const peer of candidates) {
    const twin = peers.find((other) => neighborId(other) === neighborId(peer));
    const router = peers.find((other) => other.vrf === peer.vrf);
    const message =
      peerProblem(peer) ??
      (twin === undefined ? undefined : `BGPPeer ${twin.name} already uses ${neighborId(peer)}`) ??
      (router === undefined || router.myAsn === peer.myAsn
        ? undefined
        : `spec.myASN ${peer.myAsn} differs from ${router.myAsn} of BGPPeer ${router.name} in the same VRF`);
    if (message === undefined) peers.push(peer);
    else refused.push({ peer: peer.name, message });
  }
  return { peers, refused };
}

interface RouterDraft {
  readonly neighbors: readonly BgpPeer[];
  /** Key of the class → its grants. */
  readonly classes: ReadonlyMap<string, readonly Grant[]>;
  readonly networks: readonly { readonly prefix: Network['prefix']; readonly key: string }[];
}

function draftRouter(neighbors: readonly BgpPeer[], routes: readonly Route[]): RouterDraft {
  const families = new Map(neighbors.map((peer) => [peer.name, peerFamilies(peer)]));
  const classes = new Map<string, readonly Grant[]>();
  const networks: { prefix: Network['prefix']; key: string }[] = [];
  const memo = new Map<Grant, Grant>();
  const keys = new Map<Grant, string>();
  for (const route of routes) {
    const grants = route.grants
      .map((grant) => restrict(grant, families, memo))
      .filter((grant) => grant.peers.length > 0);
    const reached = grants.some((grant) =>
      grant.peers.some((peer) => families.get(peer)?.includes(route.prefix.family)),
    );
    if (!reached) continue;
    const [only] = grants;
    const key = grants.length === 1 && only !== undefined ? keyOf(only, keys) : JSON.stringify(grants);
    classes.set(key, grants);
    networks.push({ prefix: route.prefix, key });
  }
  return { neighbors, classes, networks };
}

/** The key of a class with one grant; worked out once per grant, for thousands of routes share few. */
function keyOf(grant: Grant, keys: Map<Grant, string>): string {
  const key = keys.get(grant) ?? JSON.stringify([grant]);
  keys.set(grant, key);
  return key;
}

/** The grant with only the neighbours of one router. */
function restrict(grant: Grant, neighbors: ReadonlyMap<string, unknown>, memo: Map<Grant, Grant>): Grant {
  const known = memo.get(grant) ?? { ...grant, peers: grant.peers.filter((peer) => neighbors.has(peer)) };
  memo.set(grant, known);
  return known;
}

function finishRouter(draft: RouterDraft, tags: ReadonlyMap<string, number>, fallbackId: string): Router {
  const tagOf = (key: string): number => tags.get(key) ?? 0;
  const classes: RouteClass[] = [...draft.classes].map(([key, grants]) => ({ tag: tagOf(key), grants }));
  const own = draft.neighbors.find((peer) => peer.routerId !== undefined)?.routerId;
  return {
    asn: draft.neighbors[0]?.myAsn ?? 0,
    vrf: draft.neighbors[0]?.vrf ?? '',
    routerId: own === undefined ? fallbackId : formatAddress(own),
    neighbors: draft.neighbors,
    networks: draft.networks.map(({ prefix, key }) => ({ prefix, tag: tagOf(key) })),
    classes: classes.sort((a, b) => a.tag - b.tag),
  };
}

/**
 * The node's BGP identifier: what a peer asks for, else an IPv4 address of the node, else one derived from
 * the node's name, so that it exists on IPv6-only nodes and survives restarts (W21, field case A12).
 */
function routerId(peers: readonly BgpPeer[], node: NodeView): string {
  const asked = peers.find((peer) => peer.routerId !== undefined)?.routerId;
  if (asked !== undefined) return formatAddress(asked);
  const own = node.internalIPs.map((text) => parseAddress(text)).find((ip) => ip?.family === 'ipv4');
  if (own !== undefined) return formatAddress(own);
  const hash = hash32(node.name);
  const first = 1 + ((hash >>> 24) % 222);
  return [first < 127 ? first : first + 1, (hash >>> 16) & 255, (hash >>> 8) & 255, hash & 255].join('.');
}
