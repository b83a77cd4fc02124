/**
 * What one FRR should do, as values. `render` makes the full frr.conf of it. Everything is sorted, so equal
 * models are deep-equal and render byte-equal.
 * The model takes configuration from several sources, each with its owner (architecture, decision 12).
 */
import type { Grant } from '#core/bgp/route.ts';
import type { BfdProfile, BgpPeer } from '#core/model/config.ts';
import type { Cidr } from '#core/model/ip.ts';

/**
 * Routes with the same treatment everywhere: which neighbours get them, with which attributes. Adding a Service
 * touches only `network` lines; classes and neighbours change only when configuration does (decision 3).
 */
export interface RouteClass {
  /** 1..64000, derived from the content: the route tag, and the entry's number in each outbound route-map. */
  readonly tag: number;
  /** As in Route: disjoint peers, sorted by their first. Only neighbours of the class's own router. */
  readonly grants: readonly Grant[];
}

export interface Network {
  readonly prefix: Cidr;
  /** RouteClass.tag. */
  readonly tag: number;
}

export interface Router {
  readonly asn: number;
  /** Empty: default VRF. */
  readonly vrf: string;
  /** Dotted text; always set, also on nodes without IPv4. */
  readonly routerId: string;
  /** Sorted by name. */
  readonly neighbors: readonly BgpPeer[];
  /** Sorted by family and value. */
  readonly networks: readonly Network[];
  /** Sorted by tag. Tags are unique over all routers. */
  readonly classes: readonly RouteClass[];
}

/** Lines of somebody else that are appended verbatim: ConfigMap bgpextras, later FRRConfiguration raw parts. */
export interface RawLines {
  readonly owner: string;
  readonly text: string;
}

export interface FrrModel {
  readonly hostname: string;
  /** FRR's word: debugging | informational | warnings | errors | emergencies. */
  readonly logLevel: string;
  readonly bfdProfiles: readonly BfdProfile[];
  /** Sorted by VRF. */
  readonly routers: readonly Router[];
  readonly raw: readonly RawLines[];
  /** Names of neighbours that have a BFD profile and are to be tried without, see `BfdPatience`. Absent: none. */
  readonly withoutBfd?: ReadonlySet<string>;
}
