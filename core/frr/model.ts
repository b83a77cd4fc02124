/**
 * What one FRR should do, as values. `render` makes the full frr.conf of it, `diff` the few lines that lead
 * from one model to the next. Everything is sorted, so equal models are deep-equal and render byte-equal.
 * The model takes configuration from several sources, each with its owner (architecture, decision 12).
 */
import type { BfdProfile, BgpCommunity, BgpPeer } from '#core/model/config.ts';
import type { Cidr } from '#core/model/ip.ts';

/**
 * Routes with the same treatment everywhere: which neighbours get them, with which attributes. Adding a Service
 * touches only `network` lines; classes and neighbours change only when configuration does (decision 3).
 */
export interface RouteClass {
  /** Stable identifier derived from the content; also the route tag (1..4294967295). */
  readonly tag: number;
  /** Sorted names of the BGPPeers that receive routes of this class. */
  readonly peers: readonly string[];
  readonly localPref: number;
  readonly communities: readonly BgpCommunity[];
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
  readonly neighbors: readonly BgpPeer[];
  /** Sorted by family and value. */
  readonly networks: readonly Network[];
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
}
