/** The speaker without its process: stores, decisions, ports and writers wired together. */
import { conflictEvent } from '#core/announce/conflict.ts';
import { lacksInterfaces, type ServiceVerdict } from '#core/announce/verdict.ts';
import type { ServiceView } from '#core/model/views.ts';
import type { SessionStateView } from '#core/status/bgp-session-state.ts';
import type { OwnerReference } from '#core/status/configuration-state-plan.ts';
import { serviceOfStatus } from '#core/status/service-status.ts';
import type { SessionEvent } from '#core/status/session-events.ts';
import type { EventRecorder } from '#runtime/kube/events.ts';
import type { KubeClient, Store } from '#runtime/kube/types.ts';
import type { Logger } from '#runtime/log/logger.ts';
import type { Clock } from '#runtime/queue/types.ts';
import type { Metrics } from '#runtime/metrics/types.ts';
import { Announcer, type AnnouncerListener } from '#speaker/loops/announcer.ts';
import { ConfigurationStateLoop } from '#speaker/loops/configuration-state.ts';
import { Configuration, type Refusal } from '#speaker/loops/configuration.ts';
import { Draining, settled, type OtherSessions } from '#speaker/loops/draining.ts';
import { Engine } from '#speaker/loops/engine.ts';
import { followMembership } from '#speaker/loops/membership.ts';
import { Removal, type DaemonSetView } from '#speaker/loops/removal.ts';
import { SessionLooks } from '#speaker/loops/other-sessions.ts';
import { Sessions } from '#speaker/loops/sessions.ts';
import { SessionStates } from '#speaker/loops/session-states.ts';
import { ServiceStatusLoop } from '#speaker/loops/service-status.ts';
import { decisiveStores, type SpeakerStores } from '#speaker/loops/stores.ts';
import { missingInterfaces, Unannounced } from '#speaker/loops/unannounced.ts';
import { announcedGauge } from '#speaker/metrics.ts';
import type { BgpPort, FrrPort, FrrState, L2Conflict, L2Port, MembersPort } from '#speaker/ports.ts';

export interface SpeakerParts {
  readonly namespace: string;
  readonly nodeName: string;
  readonly lbClass: string;
  readonly ignoreExcludeLb: boolean;
  /** FRR's log level, see `frrLogLevel`. */
  readonly frrLog: string;
  readonly stores: SpeakerStores;
  readonly client: KubeClient;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly owner: () => Promise<OwnerReference | undefined>;
  /** What does BGP. */
  readonly bgp: BgpPort;
  /** The same, where it is the FRR beside us: its sessions are looked at. Undefined: an external frr-k8s. */
  readonly frr: FrrPort | undefined;
  /** Password Secrets are looked up by the external frr-k8s. */
  readonly secretPassthrough?: boolean;
  /** Between marking a route and withdrawing it, when this node is emptied. 0 or absent: it is never. */
  readonly gracefulShutdownSeconds?: number;
  /** Our own DaemonSet; absent: its end is not noticed. */
  readonly daemonSet?: Store<DaemonSetView> | undefined;
  readonly l2: L2Port;
  readonly members: MembersPort | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Where the metrics of FRR are. */
  readonly frrMetrics: Metrics;
  /** BGPSessionStates of this node; undefined: the kind is not installed. */
  readonly sessionStates: Store<SessionStateView>;
  /** Addresses of the node's own interfaces, canonical. */
  readonly ownAddresses: () => ReadonlySet<string>;
}

const DRAIN_MS = 1000;
/** Container `frr` lives two seconds longer than we are told to (operator/render/frr.ts): until then all has to be sent. */
const NEWS_WITHIN_MS = 1000;
const WITHDRAWN_WITHIN_MS = 1500;

export class Speaker {
  readonly configuration: Configuration;
  readonly #parts: SpeakerParts;
  readonly #engine: Engine;
  readonly #announcer: Announcer;
  readonly #states: ConfigurationStateLoop;
  readonly #statuses: ServiceStatusLoop;
  readonly #unannounced: Unannounced;
  readonly #draining: Draining;
  readonly #removal: Removal;
  /** Undefined: the sessions are those of an external frr-k8s. */
  readonly #sessions: Sessions | undefined;
  readonly #sessionStates: SessionStates;
  /** Refused while building the model, and refused by FRR itself. */
  readonly #refused = { model: [] as readonly Refusal[], engine: [] as readonly Refusal[] };
  #ready = false;

  constructor(parts: SpeakerParts) {
    this.#parts = parts;
    const { stores, logger, metrics, bgp, frr, l2, members, nodeName, frrLog } = parts;
    this.#states = new ConfigurationStateLoop({ ...parts, states: stores.states });
    this.configuration = new Configuration({
      ...parts,
      isExternal: frr === undefined,
      onProblems: (problems) => this.#states.report(problems),
    });
    this.#unannounced = new Unannounced({
      nodeName,
      interfaces: () => l2.interfaces.map(({ name }) => name),
      clock: parts.clock,
      tell: (verdict, event) => parts.events.record(serviceOf(verdict), event),
    });
    this.#draining = this.#makeDraining();
    this.#removal = new Removal({ daemonSet: parts.daemonSet, clock: parts.clock });
    const listener = this.#listener();
    this.#announcer = new Announcer({
      nodeName,
      frrLog,
      bgp,
      l2,
      members,
      clock: parts.clock,
      logger,
      announced: announcedGauge(metrics),
      listener,
      draining: this.#draining,
    });
    this.#statuses = new ServiceStatusLoop({
      ...parts,
      stores: { ServiceL2Status: stores.l2Statuses, ServiceBGPStatus: stores.bgpStatuses },
      verdict: (key) => this.#announcer.verdicts.get(key),
    });
    this.#sessionStates = new SessionStates({ ...parts, store: parts.sessionStates });
    this.#sessions =
      frr &&
      new Sessions({
        ...parts,
        frr,
        metrics: parts.frrMetrics,
        onReports: (reports) => this.#sessionStates.report(reports),
        onEvent: (peer, event) => this.#tellSession(peer, event),
      });
    this.#engine = new Engine({
      services: stores.services,
      slices: stores.slices,
      announcer: this.#announcer,
      context: () => this.configuration.context(),
      handles: (service) => this.#handles(service),
      logger,
      metrics,
    });
  }

  #makeDraining(): Draining {
    const { stores, gracefulShutdownSeconds = 0 } = this.#parts;
    return new Draining({
      ...this.#parts,
      waitMs: gracefulShutdownSeconds * 1000,
      nodes: stores.nodes,
      statuses: stores.bgpStatuses,
      pods: stores.pods,
      sessions: this.#otherSessions(),
      onChange: () => this.#engine.configChanged(),
      decideAll: () => this.#engine.decideAll(),
    });
  }

  #otherSessions(): OtherSessions {
    // The states of sessions that an external frr-k8s writes are not ours to read.
    if (this.#parts.frr === undefined)
      return { start: () => undefined, stop: () => undefined, isKnown: true, hasSession: () => true };
    return new SessionLooks({ ...this.#parts, onChange: () => this.#engine.configChanged() });
  }

  /**
   * Has the traffic go elsewhere before this speaker ends, where that is asked for; when everything is removed, takes the
   * routes back. Not with an external frr-k8s: its routes stay while a speaker is replaced.
   */
  async drain(): Promise<void> {
    if (!this.#ready || this.#parts.frr === undefined) return;
    // Without graceful restart the end of the sessions is the end of the routes: there is nothing to wait for.
    const restarts = this.configuration.peers.some(({ gracefulRestart }) => gracefulRestart);
    if (await this.#removal.known(restarts ? NEWS_WITHIN_MS : 0)) await this.#withdraw();
    else await this.#draining.end();
  }

  async #withdraw(): Promise<void> {
    const { bgp, clock, logger } = this.#parts;
    logger.info('all speakers are removed: routes are withdrawn', { event: 'removed' });
    await this.#engine.withdraw(DRAIN_MS);
    await settled(bgp, clock, WITHDRAWN_WITHIN_MS);
  }

  /** Begins to decide when all stores are complete, and never stops with the API server. Resolves after the first pass. */
  async start(): Promise<void> {
    const { stores, bgp, members, l2, nodeName } = this.#parts;
    if (members !== undefined)
      followMembership({
        nodeName,
        members,
        l2,
        nodes: stores.nodes,
        pods: stores.pods,
        able: this.#engine.firstPass,
        onChange: () => this.#engine.membersChanged(),
        onReports: () => this.#engine.reportsChanged(),
      });
    l2.onConflict((conflict) => {
      this.#announcer.noteConflict(conflict);
      this.#tellConflict(conflict);
    });
    bgp.onState((state) => this.#noteRefused('engine', refusalsOf(state)));
    await Promise.all(decisiveStores(stores).map(({ synced }) => synced));
    this.#follow();
    this.#engine.open();
    await this.#engine.firstPass;
    this.#ready = true;
    this.#sessions?.start();
  }

  /** What is missing before this speaker works; undefined when nothing is. */
  notReady(): string | undefined {
    if (!this.#ready) return 'the first pass over all Services is not complete';
    if (this.#sessions !== undefined) return this.#sessions.unsettled;
    const { applied, desired, lastError } = this.#parts.bgp.state;
    const isWriting = desired > 0 && applied === 0 && lastError === undefined;
    return isWriting ? 'the FRRConfiguration of this node is not written yet' : undefined;
  }

  #follow(): void {
    const { services, slices, nodes, namespaces, secrets, extras, config } = this.#parts.stores;
    services.onChange(({ key }) => this.#engine.serviceChanged(key));
    slices.onChange(({ old, now }) => {
      for (const key of new Set([old?.serviceKey, now?.serviceKey]))
        if (key !== undefined) this.#engine.serviceChanged(key);
    });
    for (const store of [nodes, namespaces, secrets, extras, ...Object.values(config)])
      store.onChange(() => this.#engine.configChanged());
    const { bgpStatuses, pods } = this.#parts.stores;
    bgpStatuses.onChange(({ old, now }) => {
      const view = now ?? old;
      if (this.#draining.isActive && view !== undefined) this.#engine.serviceChanged(serviceOfStatus(view));
    });
    pods?.onChange(() => {
      if (this.#draining.isActive) this.#engine.configChanged();
    });
  }

  #handles(service: ServiceView): boolean {
    return (service.loadBalancerClass ?? '') === this.#parts.lbClass;
  }

  #listener(): AnnouncerListener {
    const { events, nodeName } = this.#parts;
    return {
      onAnnounced: (verdict, protocol) => {
        events.record(serviceOf(verdict), {
          type: 'Normal',
          reason: 'nodeAssigned',
          message: `announcing from node "${nodeName}" with protocol "${protocol}"`,
        });
        if (protocol === 'layer2') this.#warnOfInterfaces(verdict);
      },
      onDecided: (key, verdict) => this.#unannounced.note(key, verdict),
      onVerdict: (key) => this.#statuses.changed(key),
      onPass: ({ l2 }) => this.#statuses.passed(l2.alive),
      onRefusedPeers: (refused) => this.#noteRefused('model', refused),
    };
  }

  /** None of the interfaces an advertisement names exists here (speaker-l2.md §2.7). */
  #warnOfInterfaces(verdict: ServiceVerdict): void {
    const { events, l2, nodeName } = this.#parts;
    const present = l2.interfaces.map(({ name }) => name);
    if (!lacksInterfaces(verdict, present)) return;
    for (const ip of verdict.addresses)
      events.record(serviceOf(verdict), {
        type: 'Warning',
        reason: 'announceFailed',
        message: missingInterfaces(verdict, ip, nodeName),
      });
  }

  /** On each Service that has the address; the port says it once, and then at most every ten seconds. */
  #tellConflict(conflict: L2Conflict): void {
    const { events, nodeName } = this.#parts;
    for (const verdict of this.#announcer.verdicts.values())
      if (verdict.addresses.includes(conflict.ip))
        events.record(serviceOf(verdict), conflictEvent(conflict, nodeName));
  }

  #tellSession(peer: string, event: SessionEvent): void {
    const { events, namespace, stores } = this.#parts;
    const uid = stores.config.BGPPeer.uidOf(`${namespace}/${peer}`);
    events.record({ apiVersion: 'metallb.io/v1beta2', kind: 'BGPPeer', namespace, name: peer, uid }, event);
  }

  #noteRefused(where: 'model' | 'engine', refused: readonly Refusal[]): void {
    if (JSON.stringify(this.#refused[where]) === JSON.stringify(refused)) return;
    this.#refused[where] = refused;
    this.configuration.refused([...this.#refused.model, ...this.#refused.engine]);
  }

  /** Stops deciding and writing; what is announced stays until the ports are closed. */
  async close(): Promise<void> {
    await this.#engine.close(DRAIN_MS);
    this.#announcer.close();
    this.#unannounced.close();
    this.#draining.close();
    await this.#sessions?.close();
    const writers = [this.#states, this.#statuses, this.#sessionStates];
    await Promise.all(writers.map((writer) => writer.close(DRAIN_MS)));
  }
}

function refusalsOf({ refused, partial }: FrrState): readonly Refusal[] {
  return [...refused, ...partial.map((each) => ({ ...each, isPartial: true }))];
}

function serviceOf({ key, uid }: ServiceVerdict): {
  apiVersion: string;
  kind: string;
  namespace: string;
  name: string;
  uid: string;
} {
  const [namespace = '', name = ''] = key.split('/');
  return { apiVersion: 'v1', kind: 'Service', namespace, name, uid };
}
