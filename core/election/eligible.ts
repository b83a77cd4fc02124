/**
 * Which nodes may announce a Service by Layer 2: a chain of checks, each with its reason. The list below is
 * the documentation; a new condition is a new entry (speaker-l2.md §2.5 step 5 and 6).
 */
import { EXCLUDE_FROM_LOAD_BALANCERS } from '#core/api/labels.ts';
import type { L2Advertisement } from '#core/model/config.ts';
import type { Serving } from '#core/model/endpoints.ts';
import { selects, selectsAny } from '#core/model/selector.ts';
import type { NodeView, ServiceView } from '#core/model/views.ts';

/** What the checks look at for one Service. */
export interface EligibilityInput {
  readonly service: ServiceView;
  /** The L2Advertisements that reach the Service. */
  readonly advertisements: readonly L2Advertisement[];
  readonly serving: Serving;
  /** Nodes whose speakers are alive; undefined: liveness is switched off and every known Node counts (§4.7). */
  readonly alive: ReadonlySet<string> | undefined;
  readonly ignoreExcludeLabel: boolean;
  /** The node one of the Service's addresses belongs to, as an address of the node itself. */
  readonly home: string | undefined;
}

export type Ineligible =
  | 'speakerNotAlive'
  | 'networkUnavailable'
  | 'excludedByLabel'
  | 'addressOfOtherNode'
  | 'notSelectedByAdvertisement'
  | 'noLocalEndpoint';

interface Check {
  readonly reason: Ineligible;
  readonly fails: (node: NodeView, input: EligibilityInput) => boolean;
}

const checks: readonly Check[] = [
  {
    reason: 'speakerNotAlive',
    fails: (node, input) => input.alive !== undefined && !input.alive.has(node.name),
  },
  { reason: 'networkUnavailable', fails: (node) => node.networkUnavailable },
  {
    reason: 'excludedByLabel',
    fails: (node, input) =>
      !input.ignoreExcludeLabel && Object.hasOwn(node.labels, EXCLUDE_FROM_LOAD_BALANCERS),
  },
  {
    reason: 'addressOfOtherNode',
    fails: (node, input) => input.home !== undefined && input.home !== node.name,
  },
  {
    reason: 'notSelectedByAdvertisement',
    fails: (node, input) => !input.advertisements.some((ad) => reachesNode(ad, node)),
  },
  {
    reason: 'noLocalEndpoint',
    fails: (node, input) =>
      input.service.externalTrafficPolicy === 'Local' && !input.serving.perNode.has(node.name),
  },
];

/** The first reason why the node may not announce the Service; undefined when it may. */
export function ineligible(node: NodeView, input: EligibilityInput): Ineligible | undefined {
  return checks.find((check) => check.fails(node, input))?.reason;
}

/** True when the advertisement's node selectors take the node in (§2.3). */
export function reachesNode(advertisement: L2Advertisement, node: NodeView): boolean {
  return selectsAny(advertisement.nodeSelectors, node.labels);
}

/** True when the advertisement reaches the Service: its pool and, if it has service selectors, its labels (§2.5 step 2). */
export function reachesService(advertisement: L2Advertisement, pool: string, service: ServiceView): boolean {
  return advertisement.pools.includes(pool) && selectsAny(advertisement.serviceSelectors, service.labels);
}

/** Sum of the weights of all preferences for the node, over the advertisements that take the node in (§3.4). */
export function preferenceScore(node: NodeView, advertisements: readonly L2Advertisement[]): number {
  let score = 0;
  for (const advertisement of advertisements) {
    if (advertisement.preferredNodes.length === 0 || !reachesNode(advertisement, node)) continue;
    for (const { weight, preference } of advertisement.preferredNodes)
      if (selects(preference, node.labels)) score += weight;
  }
  return score;
}
