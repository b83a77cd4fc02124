/** Whether this node may announce a Service by BGP at all (speaker-bgp.md §1.3), with the reason when not. */
import { EXCLUDE_FROM_LOAD_BALANCERS } from '#core/api/labels.ts';
import { contradictingField, granted, uniteCommunities, weightOf, type Grant } from '#core/bgp/route.ts';
import type { BgpAdvertisement, BgpPeer, Config, Pool } from '#core/model/config.ts';
import { servingEndpoints } from '#core/model/endpoints.ts';
import type { Family } from '#core/model/ip.ts';
import { selectsAny } from '#core/model/selector.ts';
import type { GateReason } from '#core/model/service-gate.ts';
import type { EndpointSliceView, NodeView, ServiceView } from '#core/model/views.ts';

export type BgpReason =
  | GateReason
  | 'notOwner'
  | 'noMatchingAdvertisement'
  | 'conflictingAdvertisements'
  | 'nodeNetworkUnavailable'
  | 'nodeLabeledExcludeBalancers'
  | 'noLocalEndpoints'
  | 'noEndpoints'
  | 'nodeDraining';

/** An advertisement on this node, with the peers of this node it reaches. */
export interface NodeAdvertisement {
  readonly spec: BgpAdvertisement;
  /** The one `Grant` value for Services with so many endpoints on this node; where these do not count, for all of them. */
  readonly grant: (localEndpoints: number) => Grant;
}

/** Configuration and node, with what follows from the two alone worked out once. Make it with `bgpContext`. */
export interface BgpContext {
  readonly config: Config;
  readonly node: NodeView;
  readonly ignoreExcludeLb: boolean;
  /** Nodes known to be dead: their endpoints do not count. */
  readonly gone: ReadonlySet<string>;
  /** The peers this node has a session with, sorted by name. */
  readonly peers: readonly BgpPeer[];
  /** Advertisements that select this node, by the name of the pool they reach. */
  readonly advertisements: ReadonlyMap<string, readonly NodeAdvertisement[]>;
}

/** Prepares the context of one node. Make a new one when the configuration or the own node changes. */
export function bgpContext(
  config: Config,
  node: NodeView,
  ignoreExcludeLb: boolean,
  gone: ReadonlySet<string> = new Set(),
): BgpContext {
  const peers = config.peers.filter((peer) => selectsAny(peer.nodeSelectors, node.labels));
  const advertisements = new Map<string, NodeAdvertisement[]>();
  for (const spec of config.bgpAdvertisements) {
    if (!selectsAny(spec.nodeSelectors, node.labels)) continue;
    const names = peers.map(({ name }) => name).filter((name) => reaches(spec, name));
    const communities = uniteCommunities(spec.communities, []);
    const grant = { peers: names, ...granted(spec), communities };
    const advertisement = { spec, grant: spec.weightByEndpoints ? weighted(grant) : () => grant };
    for (const pool of spec.pools)
      advertisements.set(pool, [...(advertisements.get(pool) ?? []), advertisement]);
  }
  return { config, node, ignoreExcludeLb, gone, peers, advertisements };
}

function weighted(grant: Grant): NodeAdvertisement['grant'] {
  const byWeight = new Map<number, Grant>();
  return (localEndpoints) => {
    const weight = weightOf(localEndpoints);
    const known = byWeight.get(weight) ?? { ...grant, weight };
    byWeight.set(weight, known);
    return known;
  };
}

function reaches(advertisement: BgpAdvertisement, peer: string): boolean {
  return advertisement.peers.length === 0 || advertisement.peers.includes(peer);
}

interface Stop {
  readonly kind: 'stop';
  readonly reason: BgpReason;
  readonly message: string;
}

export type BgpGate =
  | {
      readonly kind: 'pass';
      readonly advertisements: readonly NodeAdvertisement[];
      /** Why the addresses of a family are not announced although those of the other are. */
      readonly unserved: ReadonlyMap<Family, Stop>;
    }
  | Stop;

/** Applies the gate to a Service whose addresses lie in `pool` and are of these families. */
export function gateBgp(
  context: BgpContext,
  pool: Pool,
  service: ServiceView,
  endpoints: FamiliesOfEndpoints,
): BgpGate {
  const stop = (reason: BgpReason, message: string): Stop => ({ kind: 'stop', reason, message });
  const onNode = context.advertisements.get(pool.name) ?? [];
  if (onNode.length === 0)
    return stop('notOwner', `no BGPAdvertisement of pool ${pool.name} selects node ${context.node.name}`);
  const matching = onNode.filter(({ spec }) => selectsAny(spec.serviceSelectors, service.labels));
  if (matching.length === 0)
    return stop(
      'noMatchingAdvertisement',
      `no BGPAdvertisement of pool ${pool.name} on this node selects the Service`,
    );
  const conflict = preferenceConflict(
    matching.map(({ spec }) => spec),
    pool,
  );
  if (conflict !== undefined) return stop('conflictingAdvertisements', conflict);
  const node = gateNode(context);
  if (node !== undefined) return node;
  const unserved = gateEndpoints(context, service, endpoints);
  return 'kind' in unserved ? unserved : { kind: 'pass', advertisements: matching, unserved };
}

function gateNode({ node, ignoreExcludeLb }: BgpContext): Stop | undefined {
  if (node.networkUnavailable)
    return {
      kind: 'stop',
      reason: 'nodeNetworkUnavailable',
      message: `node ${node.name} has condition NetworkUnavailable`,
    };
  if (!ignoreExcludeLb && Object.hasOwn(node.labels, EXCLUDE_FROM_LOAD_BALANCERS))
    return {
      kind: 'stop',
      reason: 'nodeLabeledExcludeBalancers',
      message: `node ${node.name} carries label ${EXCLUDE_FROM_LOAD_BALANCERS}`,
    };
  return undefined;
}

interface FamiliesOfEndpoints {
  readonly slices: readonly EndpointSliceView[];
  readonly families: ReadonlySet<Family>;
}

const WORDS = { ipv4: 'IPv4 endpoint', ipv6: 'IPv6 endpoint' } as const;

/** Which families have no endpoint that traffic may go to from here, and why; or why none of them has. */
function gateEndpoints(
  { node, gone }: BgpContext,
  { externalTrafficPolicy }: ServiceView,
  { slices, families }: FamiliesOfEndpoints,
): ReadonlyMap<Family, Stop> | Stop {
  const isLocal = externalTrafficPolicy === 'Local';
  const stop = (what: string): Stop =>
    isLocal
      ? {
          kind: 'stop',
          reason: 'noLocalEndpoints',
          message: `externalTrafficPolicy is Local and no ${what} on node ${node.name} can serve`,
        }
      : { kind: 'stop', reason: 'noEndpoints', message: `no ${what} of the Service can serve` };
  const unserved = new Map<Family, Stop>();
  for (const family of families) {
    const { perNode, total } = servingEndpoints(slices, gone, family);
    if (isLocal ? !perNode.has(node.name) : total === 0) unserved.set(family, stop(WORDS[family]));
  }
  return unserved.size === families.size ? stop('endpoint') : unserved;
}

/** The first pair that asks for different preferences on one route to one peer (speaker-bgp.md §1.7). */
function preferenceConflict(ads: readonly BgpAdvertisement[], pool: Pool): string | undefined {
  for (const [index, a] of ads.entries()) {
    const b = ads.slice(index + 1).find((other) => !compatible(a, other, pool));
    const field = b && contradictingField(a, b);
    if (field !== undefined)
      return (
        `BGPAdvertisements ${a.name} (${field} ${a[field]}) and ${b?.name} (${field} ${b?.[field]}) ` +
        `select the same routes, node and peers: give them one ${field}, or different peers`
      );
  }
  return undefined;
}

/** True when two advertisements of one pool, both selecting this node, never disagree about one route. */
function compatible(a: BgpAdvertisement, b: BgpAdvertisement, pool: Pool): boolean {
  if (contradictingField(a, b) === undefined) return true;
  const families = new Set(pool.entries.map((entry) => entry.range.family));
  const apart = [...families].every((family) =>
    family === 'ipv4'
      ? a.aggregationLength !== b.aggregationLength
      : a.aggregationLengthV6 !== b.aggregationLengthV6,
  );
  if (apart) return true;
  return a.peers.length > 0 && b.peers.length > 0 && !a.peers.some((peer) => b.peers.includes(peer));
}
