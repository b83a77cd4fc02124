/**
 * Which of the candidates announces: the first one that can, unless the user pinned the address, emptied a node,
 * or chose a failover mode in which it stays where it is or loads are bounded. Every speaker comes to the same
 * result from the same view; who holds what they tell each other (core/members/reports.ts).
 */
import { L2_NODE, readAnnotation } from '#core/api/annotations.ts';
import { DRAIN } from '#core/api/labels.ts';
import type { FailoverMode, L2Advertisement } from '#core/model/config.ts';
import type { NodeView, ServiceView } from '#core/model/views.ts';

/** What the choice looks at. */
export interface Contest {
  readonly service: ServiceView;
  /** Key of the election: the canonical text of the Service's first address. */
  readonly key: string;
  readonly mode: FailoverMode;
  /** Names of the nodes that may announce, in the order of the election. */
  readonly candidates: readonly string[];
}

export interface ContestView {
  readonly nodes: ReadonlyMap<string, NodeView>;
  /** True when the node can answer on one of the wanted interfaces, as far as is known. */
  readonly usable: (node: string) => boolean;
  /** Nodes that hold the key, dead ones included; undefined: nobody tells. */
  readonly holders: ((key: string) => readonly string[]) | undefined;
  /** The plan for all Services of mode Spread: key → node. */
  readonly spread: ReadonlyMap<string, string> | undefined;
}

export interface Choice {
  readonly leader: string | undefined;
  /** Why it is not simply the first candidate, in words; empty when it is. */
  readonly because: string;
  /** Candidates that would lead but have none of the wanted interfaces usable. */
  readonly passedOver: readonly string[];
}

/** The advertisements of one Service may differ: Spread counts most, then Sticky. */
export function failoverMode(advertisements: readonly L2Advertisement[]): FailoverMode {
  const modes = new Set(advertisements.map(({ failover }) => failover));
  return (['Spread', 'Sticky'] as const).find((mode) => modes.has(mode)) ?? 'Default';
}

/** Chooses the leader. */
export function chooseLeader(contest: Contest, view: ContestView): Choice {
  const { able, passedOver } = ableCandidates(contest, view);
  const staying = undrained(able, view);
  const first = (staying.length > 0 ? staying : able)[0];
  const chosen = pinned(contest, staying) ?? byMode(contest, view, staying.length > 0 ? staying : able);
  if (chosen !== undefined) return { ...chosen, passedOver };
  const because =
    first !== able[0] ? `node ${able[0]} is being emptied (label ${DRAIN})` : whyPassed(passedOver);
  return { leader: first, because, passedOver };
}

/** The nodes among which an address of mode Spread is placed, best first. */
export function contenders(contest: Contest, view: ContestView): readonly string[] {
  const { able } = ableCandidates(contest, view);
  const staying = undrained(able, view);
  const pin = pinned(contest, staying);
  if (pin !== undefined) return [pin.leader];
  return staying.length > 0 ? staying : able;
}

/**
 * Nodes that come before `me`, the leader: as soon as one of them holds the address too, this one lets go. All that
 * might announce are `ranked`, dead ones included, in the order of the election. None in mode Spread, where it
 * depends on all other Services.
 */
export function preceding(
  contest: Contest,
  view: Pick<ContestView, 'nodes'>,
  { ranked, me }: { readonly ranked: readonly string[]; readonly me: string },
): readonly string[] {
  if (contest.mode === 'Spread') return [];
  const pin = readAnnotation(contest.service.annotations, L2_NODE);
  const grade = (node: string): number => {
    if (isDraining(view.nodes.get(node))) return 2;
    return node === pin ? 0 : 1;
  };
  const [mine, place] = [grade(me), ranked.indexOf(me)];
  return ranked.filter((node, at) => grade(node) < mine || (grade(node) === mine && at < place));
}

interface Chosen {
  readonly leader: string;
  readonly because: string;
}

/** All from the first one on that can answer; all of them when none can. */
function ableCandidates(
  { candidates }: Contest,
  { usable }: ContestView,
): { able: readonly string[]; passedOver: readonly string[] } {
  const able = candidates.filter((node) => usable(node));
  if (able.length === 0) return { able: candidates, passedOver: [] };
  return { able, passedOver: candidates.slice(0, candidates.indexOf(able[0] ?? '')) };
}

function undrained(able: readonly string[], { nodes }: ContestView): readonly string[] {
  return able.filter((name) => !isDraining(nodes.get(name)));
}

/** The node is being emptied: it announces by Layer 2 only what nobody else can. */
export function isDraining(node: NodeView | undefined): boolean {
  return node !== undefined && Object.hasOwn(node.labels, DRAIN);
}

function pinned({ service }: Contest, able: readonly string[]): Chosen | undefined {
  const node = readAnnotation(service.annotations, L2_NODE);
  if (node === undefined || !able.includes(node)) return undefined;
  return { leader: node, because: `the Service asks for node ${node} (annotation ${L2_NODE.name})` };
}

function byMode(contest: Contest, view: ContestView, able: readonly string[]): Chosen | undefined {
  const holders = view.holders?.(contest.key) ?? [];
  const holder = able.find((node) => holders.includes(node));
  if (contest.mode === 'Sticky' && holder !== undefined)
    return { leader: holder, because: `node ${holder} holds it and keeps it (failover Sticky)` };
  if (contest.mode !== 'Spread') return undefined;
  const placed = view.spread?.get(contest.key);
  if (placed === undefined || !able.includes(placed)) return undefined;
  return { leader: placed, because: `node ${placed} has room for it (failover Spread)` };
}

function whyPassed(passedOver: readonly string[]): string {
  return passedOver.length === 0
    ? ''
    : `${passedOver.length === 1 ? 'node' : 'nodes'} ${passedOver.join(', ')} cannot answer on a wanted interface`;
}
