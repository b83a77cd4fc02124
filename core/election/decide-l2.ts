/** Whether this speaker answers for a Service's addresses, and why (speaker-l2.md §2.5, §3). */
import { elect, type Candidate, type Digests } from '#core/election/elect.ts';
import {
  chooseLeader,
  contenders,
  failoverMode,
  preceding,
  type Contest,
  type ContestView,
} from '#core/election/leader.ts';
import {
  ineligible,
  preferenceScore,
  reachesNode,
  reachesService,
  type Ineligible,
} from '#core/election/eligible.ts';
import type { Placeable } from '#core/election/spread.ts';
import type { L2Advertisement } from '#core/model/config.ts';
import { servingEndpoints, type Serving } from '#core/model/endpoints.ts';
import { formatAddress, type IpAddress } from '#core/model/ip.ts';
import type { EndpointSliceView, NodeView, ServiceView } from '#core/model/views.ts';

/** Annotations that let Services share an address; both spellings count, whatever their value. */
const SHARING = ['metallb.io/allow-shared-ip', 'metallb.universe.tf/allow-shared-ip'];

const NO_ENDPOINT = 'no endpoint of the Service can serve';

/** What all decisions of one moment have in common. */
export interface L2Context {
  /** The node of this speaker. */
  readonly me: string;
  readonly advertisements: readonly L2Advertisement[];
  readonly nodes: ReadonlyMap<string, NodeView>;
  /** Nodes whose speakers are alive; undefined: liveness is switched off and every known Node counts (§4.7). */
  readonly alive: ReadonlySet<string> | undefined;
  readonly ignoreExcludeLabel: boolean;
  /** Nodes known to be dead: their endpoints do not count. */
  readonly gone?: ReadonlySet<string>;
  /**
   * Names of the interfaces a node can really answer on (up, with carrier), as its speaker reports them;
   * undefined for a node that does not report. A node that has none of the wanted ones is passed over while
   * another candidate has one.
   */
  readonly usableInterfaces?: (node: string) => ReadonlySet<string> | undefined;
  /** Nodes that hold an address, by the key of its election; undefined: nobody tells, every mode is Default. */
  readonly holders?: (key: string) => readonly string[];
  /** The places of all Services of mode Spread; see `spreadItem`. */
  readonly spread?: ReadonlyMap<string, string>;
  /** Addresses of the nodes themselves: canonical text → node. */
  readonly nodeAddresses?: ReadonlyMap<string, string>;
  /** Kept by the caller from decision to decision, it spares most of the hashing. */
  readonly digests?: Digests;
}

/** One Service that passed the gate: a load balancer whose addresses all lie in `pool`. */
export interface L2Request {
  readonly service: ServiceView;
  readonly pool: string;
  /** As in status; the first is the key of the election. */
  readonly addresses: readonly IpAddress[];
  readonly slices: Iterable<EndpointSliceView>;
}

/** `announced` or the reason with which an announcement is withdrawn; the names are MetalLB's. */
export type L2Reason = 'announced' | 'notOwner' | 'noMatchingAdvertisement' | 'sharedIPWithServiceSelector';

export interface L2Decision {
  readonly announce: boolean;
  readonly reason: L2Reason;
  /** What led to the reason, in words for events and `explain`. */
  readonly detail: string;
  /** The node that announces; undefined when none does (or when the decision did not come that far). */
  readonly node: string | undefined;
  /** Why no node at all announces, in the same words on every node; undefined: one does, or Layer 2 is not asked to. */
  readonly nobody: string | undefined;
  /** Interfaces to answer on when `announce`, or that this node lacks when it is passed over; undefined: all usable ones. Sorted. */
  readonly interfaces: readonly string[] | undefined;
  /** Answer ICMP echo too. */
  readonly ping: boolean;
  /** Eligible nodes in the order in which they would take over. */
  readonly candidates: readonly Candidate[];
  /** Nodes that may not announce, each with the first reason. */
  readonly ineligible: readonly { readonly node: string; readonly reason: Ineligible }[];
  /** Candidates that would lead but have none of the wanted interfaces usable. */
  readonly passedOver: readonly string[];
  /** When `announce`: nodes to let it go to as soon as they hold it too, see `preceding`; undefined: liveness is off. */
  readonly yieldTo: readonly string[] | undefined;
}

const none = {
  node: undefined,
  interfaces: undefined,
  ping: false,
  candidates: [],
  ineligible: [],
  passedOver: [],
  yieldTo: undefined,
};

/** Decides for one Service. The order of the checks is the one of speaker-l2.md §2.5. */
export function decideL2(context: L2Context, request: L2Request): L2Decision {
  const serving = servingEndpoints(request.slices, context.gone);
  const matching = context.advertisements.filter((ad) => reachesService(ad, request.pool, request.service));
  const refusal = refuse(context, request, { serving, matching });
  if (refusal !== undefined) return refusal;
  return electLeader(context, request, { serving, matching });
}

interface Gathered {
  readonly serving: Serving;
  readonly matching: readonly L2Advertisement[];
}

function refuse(context: L2Context, request: L2Request, found: Gathered): L2Decision | undefined {
  const stop = (reason: L2Reason, detail: string, nobody: string | undefined): L2Decision => ({
    ...none,
    announce: false,
    reason,
    detail,
    nobody: found.matching.length === 0 ? undefined : nobody,
  });
  if (found.serving.total === 0) return stop('notOwner', NO_ENDPOINT, NO_ENDPOINT);
  const shares = SHARING.some((name) => Object.hasOwn(request.service.annotations, name));
  const narrow = found.matching.find((ad) => ad.serviceSelectors.length > 0);
  if (shares && narrow !== undefined) {
    const detail = `the Service may share its address, which L2Advertisement ${narrow.name} with serviceSelectors does not allow`;
    return stop('sharedIPWithServiceSelector', detail, detail);
  }
  const mine = context.nodes.get(context.me);
  if (mine === undefined || !found.matching.some((ad) => reachesNode(ad, mine)))
    return stop(
      'noMatchingAdvertisement',
      found.matching.length === 0
        ? `no L2Advertisement reaches the Service in pool ${request.pool}`
        : `no L2Advertisement that reaches the Service selects node ${context.me}`,
      found.matching.length === 0 ? undefined : electLeader(context, request, found).nobody,
    );
  return undefined;
}

function electLeader(context: L2Context, request: L2Request, found: Gathered): L2Decision {
  const field = contestOf(context, request, found);
  const { contest, candidates, refused } = field;
  const { leader, because, passedOver } = chooseLeader(contest, contestView(context, found.matching));
  const announce = leader === context.me;
  const asked = announce || passedOver.includes(context.me);
  return {
    announce,
    reason: announce ? 'announced' : 'notOwner',
    detail: leader === undefined ? whyNobody(refused) : whyLeader(leader, candidates.length, because),
    node: leader,
    nobody: leader === undefined && takesPart(context) ? whyNobody(refused) : undefined,
    interfaces: asked ? interfacesFor(context, found.matching, context.me) : undefined,
    ping: announce && selecting(context, found.matching, context.me).some(({ answerPing }) => answerPing),
    candidates,
    ineligible: refused,
    passedOver,
    yieldTo: announce && context.alive !== undefined ? before(context, found.matching, field) : undefined,
  };
}

/**
 * The nodes that come before this one. Not those that lack a wanted interface but have another: when theirs is back
 * shows nowhere but in the next decision.
 */
function before(
  context: L2Context,
  matching: readonly L2Advertisement[],
  { contest, ranked }: Field,
): readonly string[] {
  const isElsewhere = (node: string): boolean =>
    (context.usableInterfaces?.(node)?.size ?? 0) > 0 && !hasUsable(context, matching, node);
  return preceding(contest, context, { ranked, me: context.me }).filter((node) => !isElsewhere(node));
}

/** False for a node that has just started or is cut off: it does not know about the others. */
function takesPart({ alive, me }: L2Context): boolean {
  return alive === undefined || alive.has(me);
}

function whyLeader(leader: string, candidates: number, because: string): string {
  return because === ''
    ? `node ${leader} is first of ${candidates}`
    : `node ${leader} of ${candidates}: ${because}`;
}

interface Field {
  readonly contest: Contest;
  readonly candidates: readonly Candidate[];
  readonly refused: readonly { readonly node: string; readonly reason: Ineligible }[];
  /** The candidates, and among them, in their places, those that only lack a live speaker. */
  readonly ranked: readonly string[];
}

function contestOf(context: L2Context, request: L2Request, found: Gathered): Field {
  const texts = request.addresses.map(formatAddress);
  const input = {
    service: request.service,
    advertisements: found.matching,
    serving: found.serving,
    alive: context.alive,
    ignoreExcludeLabel: context.ignoreExcludeLabel,
    home: texts.map((text) => context.nodeAddresses?.get(text)).find((node) => node !== undefined),
  };
  const entrants: Candidate[] = [];
  const refused: { node: string; reason: Ineligible }[] = [];
  for (const node of context.nodes.values()) {
    const reason = ineligible(node, input);
    const otherwise =
      reason === 'speakerNotAlive' ? ineligible(node, { ...input, alive: undefined }) : reason;
    if (otherwise === undefined)
      entrants.push({ node: node.name, score: preferenceScore(node, found.matching) });
    if (reason !== undefined) refused.push({ node: node.name, reason });
  }
  const [key] = texts;
  const ranked = key === undefined ? [] : elect(entrants, key, context.digests);
  const candidates = ranked.filter(({ node }) => context.alive?.has(node) !== false);
  const contest = {
    service: request.service,
    key: key ?? '',
    mode: failoverMode(found.matching),
    candidates: candidates.map(({ node }) => node),
  };
  return { contest, candidates, refused, ranked: ranked.map(({ node }) => node) };
}

function contestView(context: L2Context, matching: readonly L2Advertisement[]): ContestView {
  return {
    nodes: context.nodes,
    usable: (node) => hasUsable(context, matching, node),
    holders: context.holders,
    spread: context.spread,
  };
}

/** What the plan of mode Spread needs to know about a Service; undefined for a Service of another mode. */
export function spreadItem(context: L2Context, request: L2Request): Placeable | undefined {
  const matching = context.advertisements.filter((ad) => reachesService(ad, request.pool, request.service));
  if (failoverMode(matching) !== 'Spread') return undefined;
  const found = { matching, serving: servingEndpoints(request.slices, context.gone) };
  if (found.serving.total === 0) return undefined;
  const { contest } = contestOf(context, request, found);
  const order = contenders(contest, contestView(context, matching));
  return { key: contest.key, order, holders: context.holders?.(contest.key) ?? [] };
}

function hasUsable(context: L2Context, advertisements: readonly L2Advertisement[], node: string): boolean {
  const usable = context.usableInterfaces?.(node);
  if (usable === undefined) return true;
  const wanted = interfacesFor(context, advertisements, node);
  return wanted === undefined ? usable.size > 0 : wanted.some((name) => usable.has(name));
}

function selecting(
  context: L2Context,
  advertisements: readonly L2Advertisement[],
  name: string,
): readonly L2Advertisement[] {
  const node = context.nodes.get(name);
  return advertisements.filter((ad) => node !== undefined && reachesNode(ad, node));
}

/** The union of the interfaces of the advertisements that select the node; undefined when one of them names none (§2.7). */
function interfacesFor(
  context: L2Context,
  advertisements: readonly L2Advertisement[],
  name: string,
): readonly string[] | undefined {
  const mine = selecting(context, advertisements, name);
  if (mine.some((ad) => ad.interfaces.length === 0)) return undefined;
  return [...new Set(mine.flatMap((ad) => ad.interfaces))].sort();
}

const causes: Readonly<Record<Ineligible, string>> = {
  speakerNotAlive: 'no live speaker',
  networkUnavailable: 'condition NetworkUnavailable',
  excludedByLabel: 'label node.kubernetes.io/exclude-from-external-load-balancers',
  addressOfOtherNode: 'the address belongs to another node itself',
  notSelectedByAdvertisement: 'not selected by an L2Advertisement',
  noLocalEndpoint: 'no local endpoint that can serve (externalTrafficPolicy Local)',
};

function whyNobody(refused: L2Decision['ineligible']): string {
  const counts = new Map<Ineligible, number>();
  for (const { reason } of refused) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const parts = [...counts].map(([reason, count]) => `${causes[reason]} (${count})`).sort();
  return `no node may announce: ${parts.join(', ')}`;
}
