/** What is compiled, and for whom. */
import type { ConfigKind, Ingested } from '#core/api/ingest.ts';
import { compareText } from '#core/config/order.ts';
import type { Parsed } from '#core/config/parse.ts';
import type { Problem } from '#core/model/config.ts';
import type { NamespaceView, NodeView, SecretView } from '#core/model/views.ts';

/** All configuration objects of our namespace, as parsed at ingestion, and what their rules look at. */
export interface ClusterResources {
  readonly namespace: string;
  readonly pools: readonly Parsed<'IPAddressPool'>[];
  readonly l2Advertisements: readonly Parsed<'L2Advertisement'>[];
  readonly bgpAdvertisements: readonly Parsed<'BGPAdvertisement'>[];
  readonly peers: readonly Parsed<'BGPPeer'>[];
  readonly bfdProfiles: readonly Parsed<'BFDProfile'>[];
  readonly communities: readonly Parsed<'Community'>[];
  readonly namespaces: readonly NamespaceView[];
  readonly nodes: readonly NodeView[];
  /** Of our namespace. */
  readonly secrets: readonly SecretView[];
  /** Passwords in Secrets are looked up by an external frr-k8s: rules PEER-16 to PEER-18 are off (`--frrk8s-secret-passthrough`). */
  readonly secretPassthrough?: boolean;
  /** ConfigMap `bgpextras`, key `extras`; empty when absent. */
  readonly frrExtras: string;
}

/**
 * For whom: the controller reads pools and communities only; a speaker reads the peers and BGP advertisements that
 * select its node; `cluster` takes everything (webhook, command line).
 */
export type Scope =
  | { readonly kind: 'controller' }
  | { readonly kind: 'speaker'; readonly node: NodeView }
  | { readonly kind: 'cluster' };

/** The resources of an empty namespace, to be spread into. */
export function noResources(namespace: string): ClusterResources {
  return {
    namespace,
    pools: [],
    l2Advertisements: [],
    bgpAdvertisements: [],
    peers: [],
    bfdProfiles: [],
    communities: [],
    namespaces: [],
    nodes: [],
    secrets: [],
    frrExtras: '',
  };
}

/** Objects that fit their schema, and the problems of the others, by name. */
export function split<K extends ConfigKind>(
  parsed: readonly Parsed<K>[],
): { objects: Ingested<K>[]; problems: Problem[] } {
  const sorted = [...parsed].sort((a, b) => compareText(a.ref.name, b.ref.name));
  return {
    objects: sorted.flatMap((entry) => (entry.ok ? [entry.object] : [])),
    problems: sorted.flatMap((entry) => (entry.ok ? [] : entry.problems)),
  };
}

