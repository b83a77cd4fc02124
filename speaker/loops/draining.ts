/**
 * Empties this node of BGP traffic, where that is asked for (`--graceful-shutdown-seconds`): while its Node carries the
 * label, and before this speaker ends. Gathers who else announces a Service; core/announce/drain.ts decides.
 */
import { successors, Drain, type DrainCause } from '#core/announce/drain.ts';
import { DRAIN, NODE } from '#core/api/labels.ts';
import type { BgpVerdict } from '#core/bgp/advertise.ts';
import type { EndpointSliceView, NodeView, ServiceView } from '#core/model/views.ts';
import type { ServiceStatusView } from '#core/status/service-status.ts';
import type { Store } from '#runtime/kube/types.ts';
import type { Metrics } from '#runtime/metrics/types.ts';
import type { Clock } from '#runtime/queue/types.ts';
import type { SpeakerPod } from '#speaker/loops/stores.ts';
import type { BgpPort, MembersPort } from '#speaker/ports.ts';

/** Of the sessions of other nodes, as their speakers tell of them. */
export interface OtherSessions {
  /** Keeps looking until it is stopped. */
  start(): void;
  stop(): void;
  /** False until the first look. */
  readonly isKnown: boolean;
  /** Whether a node is known to have a session with one of these BGPPeers. */
  hasSession(node: string, peers: readonly string[]): boolean;
}

export interface DrainingOptions {
  readonly nodeName: string;
  /** 0: this node is never emptied. */
  readonly waitMs: number;
  readonly nodes: Store<NodeView>;
  /** ServiceBGPStatus, with index `service`. */
  readonly statuses: Store<ServiceStatusView>;
  /** Undefined where the mesh finds its members by Node. */
  readonly pods: Store<SpeakerPod> | undefined;
  readonly members: MembersPort | undefined;
  readonly bgp: BgpPort;
  readonly sessions: OtherSessions;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Everything has to be decided again. */
  readonly onChange: () => void;
  /** As `onChange`; resolves when it is done. */
  readonly decideAll: () => Promise<void>;
}

/** What the end may take beyond the wait itself: decisions, writes, and FRR's own time to send. */
const GRACE_MS = 3_000;
const LOOK_EVERY_MS = 100;
/** FRR sends a withdrawal within this. */
const SENT_WITHIN_MS = 500;

export class Draining {
  readonly #options: DrainingOptions;
  readonly #drain = new Drain();
  #stay: { readonly state: readonly unknown[]; readonly names: ReadonlySet<string> } | undefined;
  #isStopping = false;
  #isWatching = false;
  #cancel: () => void = () => undefined;

  constructor(options: DrainingOptions) {
    this.#options = options;
    const { metrics } = options;
    const services = metrics.gauge({
      name: 'metallb_bgp_draining_services',
      help: 'Services of this node while it is emptied: marked (leaving), withdrawn, or kept as the last path.',
      labels: ['state'],
    });
    metrics.onCollect(() => {
      for (const [state, count] of Object.entries(this.#drain.counts)) services.set({ state }, count);
    });
  }

  /** Whether a change of who announces a Service matters. */
  get isActive(): boolean {
    return this.#cause !== undefined;
  }

  get #cause(): DrainCause | undefined {
    const { waitMs, nodes, nodeName } = this.#options;
    if (waitMs === 0) return undefined;
    if (this.#isStopping) return 'stopping';
    return Object.hasOwn(nodes.get(nodeName)?.labels ?? {}, DRAIN) ? 'label' : undefined;
  }

  /** What is to be announced of a Service whose verdict without draining is `verdict`. */
  apply(
    verdict: BgpVerdict,
    about: { readonly service: ServiceView; readonly slices: readonly EndpointSliceView[] },
  ): BgpVerdict {
    const { nodeName, waitMs, clock } = this.#options;
    const { key } = about.service;
    const others = (): readonly string[] => successors(this.#others(key), verdict, about);
    const situation = { node: nodeName, cause: this.#cause, waitMs, others, now: clock.now() };
    return this.#drain.apply(key, verdict, situation);
  }

  forget(serviceKey: string): void {
    this.#drain.forget(serviceKey);
  }

  /** After decisions: looks at the sessions of others while it matters, and decides again when a wait is over. */
  plan(): void {
    const { clock, waitMs, onChange, sessions } = this.#options;
    if (this.isActive && !this.#isWatching) sessions.start();
    if (!this.isActive && this.#isWatching) sessions.stop();
    this.#isWatching = this.isActive;
    this.#cancel();
    const next = this.#drain.nextIn(waitMs, clock.now());
    this.#cancel = next === undefined ? () => undefined : clock.schedule(next, onChange);
  }

  /** The nodes that announce the Service and stay. */
  #others(serviceKey: string): readonly string[] {
    const { nodeName, statuses, sessions } = this.#options;
    const found = statuses.byIndex('service', serviceKey).flatMap(({ labels, items }) => {
      const node = labels[NODE] ?? '';
      const stays = node !== nodeName && items.length > 0 && this.#staying().has(node);
      return stays && sessions.hasSession(node, items) ? [node] : [];
    });
    return [...new Set(found)].sort();
  }

  /** Nodes that live and are not about to go themselves; worked out once for each state of the stores. */
  #staying(): ReadonlySet<string> {
    const { nodes, pods, members } = this.#options;
    const state = [nodes.version, pods?.version, members?.alive];
    if (this.#stay?.state.every((part, i) => part === state[i]) === true) return this.#stay.names;
    const going = goingNodes(pods?.values() ?? []);
    const names = [...nodes.values()]
      .filter(({ labels }) => !Object.hasOwn(labels, DRAIN))
      .map(({ name }) => name)
      .filter((name) => !going.has(name) && members?.alive.has(name) !== false);
    this.#stay = { state, names: new Set(names) };
    return this.#stay.names;
  }

  /** Empties the node before the speaker ends; resolves when that is done, or cannot be. */
  async end(): Promise<void> {
    const { waitMs, clock, bgp, sessions, decideAll } = this.#options;
    if (waitMs === 0) return;
    this.#isStopping = true;
    const until = clock.now() + waitMs + GRACE_MS;
    await Promise.race([decideAll(), pause(clock, GRACE_MS)]);
    const isGoingOn = (): boolean => this.#drain.counts.leaving > 0 || !isApplied(bgp) || !sessions.isKnown;
    await waitWhile(isGoingOn, clock, until);
    if (this.#drain.counts.withdrawn > 0) await pause(clock, SENT_WITHIN_MS);
  }

  close(): void {
    this.#cancel();
    if (this.#isWatching) this.#options.sessions.stop();
  }
}

/** Resolves when FRR has sent what it was last asked for, as far as can be known, or after that many milliseconds. */
export async function settled(bgp: BgpPort, clock: Clock, withinMs: number): Promise<void> {
  await waitWhile(() => !isApplied(bgp), clock, clock.now() + withinMs);
  await pause(clock, SENT_WITHIN_MS);
}

function isApplied({ state }: BgpPort): boolean {
  return state.applied === state.desired;
}

async function waitWhile(isGoingOn: () => boolean, clock: Clock, until: number): Promise<void> {
  while (isGoingOn() && clock.now() < until) await pause(clock, LOOK_EVERY_MS);
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.schedule(ms, resolve));
}

/** Nodes whose speakers were all told to end. */
function goingNodes(pods: Iterable<SpeakerPod>): ReadonlySet<string> {
  const all = [...pods];
  const staying = new Set(all.filter(({ isLeaving }) => !isLeaving).map(({ nodeName }) => nodeName));
  return new Set(all.map(({ nodeName }) => nodeName).filter((name) => !staying.has(name)));
}
