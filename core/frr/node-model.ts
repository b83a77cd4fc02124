/**
 * The way of a speaker from the cluster to the model of its FRR, in one step and for any node: what `metallb render`
 * and `metallb diff` show. Decisions are those of the speaker's loops, made by the same functions.
 */
import { mergeRoutes, decideBgp, type BgpVerdict } from '#core/bgp/advertise.ts';
import { bgpContext, type BgpReason } from '#core/bgp/gates.ts';
import { compileKeeping, type LastGood } from '#core/config/keep.ts';
import type { ClusterResources } from '#core/config/resources.ts';
import { buildModel } from '#core/frr/build.ts';
import type { FrrModel } from '#core/frr/model.ts';
import type { Config, Problem } from '#core/model/config.ts';
import { formatAddress } from '#core/model/ip.ts';
import type { EndpointSliceView, NodeView, ServiceView } from '#core/model/views.ts';

/** All that a speaker decides by, except which other speakers live. */
export interface Snapshot {
  readonly resources: ClusterResources;
  readonly services: readonly ServiceView[];
  readonly slices: readonly EndpointSliceView[];
}

function withheldOf(service: string, verdict: BgpVerdict): Withheld[] {
  if (verdict.kind === 'announce')
    return verdict.unserved.map(({ address, reason, message }) => ({
      service,
      reason,
      message: `${formatAddress(address)}: ${message}`,
    }));
  const { reason, message } = verdict;
  return reason === 'notLoadBalancer' ? [] : [{ service, reason, message }];
}

/** The speaker's flags of these names. */
export interface SpeakerFlags {
  readonly lbClass: string;
  readonly ignoreExcludeLb: boolean;
  /** FRR's log level, see `frrLogLevel`. */
  readonly frrLog: string;
}

export interface Withheld {
  /** `namespace/name` */
  readonly service: string;
  readonly reason: BgpReason;
  readonly message: string;
}

export interface NodeModel {
  readonly model: FrrModel;
  /** What is in force on the node. */
  readonly config: Config;
  readonly problems: readonly Problem[];
  /** BGPPeers that cannot be written down for FRR. */
  readonly refused: readonly { readonly peer: string; readonly message: string }[];
  /** Services of type LoadBalancer of which this node announces nothing by BGP, or not all addresses. */
  readonly withheld: readonly Withheld[];
  readonly lastGood: LastGood;
}

/**
 * The model of one node. `lastGood` is what a speaker had in force before; an empty map stands for one that has just
 * been started.
 */
export function nodeModel(
  snapshot: Snapshot,
  node: NodeView,
  flags: SpeakerFlags,
  before: LastGood = new Map(),
): NodeModel {
  const { config, problems, lastGood } = compileKeeping(
    snapshot.resources,
    { kind: 'speaker', node },
    before,
  );
  const context = bgpContext(config, node, flags.ignoreExcludeLb);
  const slices = Map.groupBy(snapshot.slices, ({ serviceKey }) => serviceKey);
  const verdicts = snapshot.services
    .filter(({ loadBalancerClass }) => (loadBalancerClass ?? '') === flags.lbClass)
    .map((service) => ({ service, verdict: decideBgp(context, service, slices.get(service.key) ?? []) }));
  const routes = mergeRoutes(verdicts.map(({ verdict }) => verdict));
  const options = { hostname: node.name, logLevel: flags.frrLog };
  const withheld = verdicts.flatMap(({ service, verdict }) => withheldOf(service.key, verdict));
  return { ...buildModel(context, routes, options), config, problems, withheld, lastGood };
}
