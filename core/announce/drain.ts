/**
 * Emptying a node of BGP traffic before it goes (RFC 8326, issue 6 item 8): its routes get the community
 * graceful-shutdown, so that routers move the traffic while the paths still work, and are withdrawn a while later. The
 * last path to an address is never taken away, and neither is it marked. Each Service is decided alone and at each
 * look: a path that becomes the last one is announced as ever again.
 */
import type { BgpVerdict } from '#core/bgp/advertise.ts';
import type { Grant } from '#core/bgp/route.ts';
import { servingEndpoints } from '#core/model/endpoints.ts';
import type { EndpointSliceView, ServiceView } from '#core/model/views.ts';

/** `label`: the Node carries metallb.io/drain; `stopping`: this speaker was told to end. */
export type DrainCause = 'label' | 'stopping';

export interface DrainSituation {
  readonly node: string;
  /** Undefined: the node is not to be emptied. */
  readonly cause: DrainCause | undefined;
  /** Milliseconds between marking a route and withdrawing it. 0: draining is switched off. */
  readonly waitMs: number;
  /** The other nodes that go on announcing the Service's addresses by BGP, sorted; none unless they have each address. */
  readonly others: () => readonly string[];
  /** Monotonic, in milliseconds. */
  readonly now: number;
}

/** What became of the Services that this node would announce, while it is emptied. */
export interface DrainCounts {
  /** Marked, still announced. */
  readonly leaving: number;
  readonly withdrawn: number;
  /** This node is the last one: announced as ever. */
  readonly kept: number;
}

/**
 * Of the nodes that announce a Service those that do so for addresses which this node announces; nobody, when one of
 * these addresses would be left without a path. With policy Local a node without an endpoint of a family leaves the
 * addresses of that family out, and its status does not say so.
 */
export function successors(
  nodes: readonly string[],
  verdict: BgpVerdict,
  { service, slices }: { service: ServiceView; slices: readonly EndpointSliceView[] },
): readonly string[] {
  if (verdict.kind !== 'announce' || service.externalTrafficPolicy !== 'Local') return nodes;
  const families = [...new Set(verdict.addresses.map(({ family }) => family))];
  const perFamily = families.map((family) => {
    const { perNode } = servingEndpoints(slices, new Set(), family);
    return nodes.filter((node) => perNode.has(node));
  });
  if (perFamily.some((found) => found.length === 0)) return [];
  return nodes.filter((node) => perFamily.some((found) => found.includes(node)));
}

type Stage = keyof DrainCounts;

interface Progress {
  readonly stage: Stage;
  /** When the route was marked. */
  readonly since: number;
}

export class Drain {
  readonly #progress = new Map<string, Progress>();
  /** One marked grant for each grant, for grants are compared by identity first. */
  readonly #marked = new WeakMap<Grant, Grant>();

  /** What is to be announced of a Service whose verdict without draining is `verdict`. */
  apply(serviceKey: string, verdict: BgpVerdict, situation: DrainSituation): BgpVerdict {
    const { node, cause, waitMs, now } = situation;
    if (verdict.kind !== 'announce' || cause === undefined || waitMs === 0) {
      this.#progress.delete(serviceKey);
      return verdict;
    }
    const others = situation.others();
    const why = cause === 'label' ? 'it is being emptied' : 'its speaker ends';
    if (others.length === 0) {
      this.#progress.set(serviceKey, { stage: 'kept', since: now });
      const message = `node ${node} goes on though ${why}: no other node announces all addresses of the Service`;
      return { ...verdict, drain: { kind: 'kept', message } };
    }
    const known = this.#progress.get(serviceKey);
    const since = known === undefined || known.stage === 'kept' ? now : known.since;
    const stage = now - since < waitMs ? 'leaving' : 'withdrawn';
    this.#progress.set(serviceKey, { stage, since });
    const message = `node ${node} gives it up, since ${why}; it is announced by ${others.join(', ')}`;
    if (stage === 'withdrawn') return { kind: 'withhold', reason: 'nodeDraining', message };
    const announcements = verdict.announcements.map((each) => ({ ...each, grant: this.#mark(each.grant) }));
    return { ...verdict, announcements, drain: { kind: 'leaving', message } };
  }

  /** The Service is gone. */
  forget(serviceKey: string): void {
    this.#progress.delete(serviceKey);
  }

  /** Milliseconds until a marked route is to be withdrawn; undefined: none is marked. */
  nextIn(waitMs: number, now: number): number | undefined {
    const due = [...this.#progress.values()].filter(({ stage }) => stage === 'leaving');
    if (due.length === 0) return undefined;
    return Math.max(0, Math.min(...due.map(({ since }) => since)) + waitMs - now);
  }

  get counts(): DrainCounts {
    const counts = { leaving: 0, withdrawn: 0, kept: 0 };
    for (const { stage } of this.#progress.values()) counts[stage] += 1;
    return counts;
  }

  #mark(grant: Grant): Grant {
    const known = this.#marked.get(grant) ?? { ...grant, shutdown: true as const };
    this.#marked.set(grant, known);
    return known;
  }
}
