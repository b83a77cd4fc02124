/**
 * Keeps the verdict of every Service and hands the ports what follows from all of them. Everything here is
 * synchronous: between two waits of the loops one consistent state of all stores is read and decided upon.
 */
import { firstClaims } from '#core/announce/first-claim.ts';
import { Handover, takersOf } from '#core/announce/handover.ts';
import { planL2 } from '#core/announce/l2-plan.ts';
import {
  announcedBy,
  compareVerdicts,
  decideAnnouncement,
  leftOut,
  withholdReason,
  type DecisionContext,
  type Protocol,
  type ServiceVerdict,
} from '#core/announce/verdict.ts';
import { RouteTable } from '#core/bgp/route-table.ts';
import { buildModel, type RefusedPeer } from '#core/frr/build.ts';
import type { EndpointSliceView, ServiceView } from '#core/model/views.ts';
import type { Logger } from '#runtime/log/logger.ts';
import type { Gauge } from '#runtime/metrics/types.ts';
import type { Clock } from '#runtime/queue/types.ts';
import type { Draining } from '#speaker/loops/draining.ts';
import type { BgpPort, L2Conflict, L2Port, MembersPort } from '#speaker/ports.ts';

/** Told about what began and ended, so that events and status objects follow. */
export interface AnnouncerListener {
  /** A protocol began to announce the Service, or goes on with other addresses, peers or interfaces. */
  onAnnounced(verdict: ServiceVerdict, protocol: Protocol): void;
  /** Each time it was decided on; undefined: it is gone. */
  onDecided(key: string, verdict: ServiceVerdict | undefined): void;
  /** Some announcement of the Service changed or ended. */
  onVerdict(key: string, verdict: ServiceVerdict | undefined): void;
  /** What follows from all verdicts was handed to the ports. */
  onPass(context: DecisionContext): void;
  onRefusedPeers(refused: readonly RefusedPeer[]): void;
}

export interface AnnouncerOptions {
  readonly nodeName: string;
  /** FRR's log level, see `frrLogLevel`. */
  readonly frrLog: string;
  readonly bgp: BgpPort;
  readonly l2: L2Port;
  /** Undefined: liveness is off; nothing is probed and nothing handed over. */
  readonly members: MembersPort | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** metallb_speaker_announced. */
  readonly announced: Gauge;
  readonly listener: AnnouncerListener;
  readonly draining: Draining;
}

interface Verdicts {
  readonly before: ServiceVerdict | undefined;
  readonly now: ServiceVerdict | undefined;
}

export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #verdicts = new Map<string, ServiceVerdict>();
  readonly #routes = new RouteTable();
  readonly #handover = new Handover();
  /** Held addresses nobody was known to hold before; they are probed. */
  readonly #first = new Set<string>();
  /** Addresses that another machine used when we wanted them. */
  readonly #contested = new Set<string>();
  #cancelAgain: () => void = () => undefined;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
  }

  /** All verdicts, for status objects and `explain`. */
  get verdicts(): ReadonlyMap<string, ServiceVerdict> {
    return this.#verdicts;
  }

  /**
   * Decides one Service; `service` undefined: it is gone or none of ours. Returns true when what is announced
   * changed, so that `apply` is due.
   */
  decide(
    key: string,
    context: DecisionContext,
    found: { service: ServiceView | undefined; slices: readonly EndpointSliceView[] },
  ): boolean {
    const before = this.#verdicts.get(key);
    const now = this.#decide(key, context, found);
    if (now === undefined) this.#verdicts.delete(key);
    else this.#verdicts.set(key, now);
    this.#noteDrain(before, now);
    const { started, stopped, adjusted } = compareVerdicts(before, now);
    for (const protocol of stopped) this.#withdrawn(key, protocol, { before, now });
    for (const protocol of started) if (now !== undefined) this.#started(protocol, before, now);
    if (adjusted || [...started, ...stopped].includes('bgp')) this.#routes.set(key, now?.bgp);
    const changed = started.length + stopped.length > 0;
    if (changed) this.#options.listener.onVerdict(key, now);
    this.#options.listener.onDecided(key, now);
    return changed || adjusted;
  }

  #decide(
    key: string,
    context: DecisionContext,
    { service, slices }: { service: ServiceView | undefined; slices: readonly EndpointSliceView[] },
  ): ServiceVerdict | undefined {
    const { draining } = this.#options;
    if (service === undefined) {
      draining.forget(key);
      return undefined;
    }
    const verdict = decideAnnouncement(context, service, slices);
    return { ...verdict, bgp: draining.apply(verdict.bgp, { service, slices }) };
  }

  #noteDrain(before: ServiceVerdict | undefined, now: ServiceVerdict | undefined): void {
    const drain = now?.bgp.kind === 'announce' ? now.bgp.drain : undefined;
    const known = before?.bgp.kind === 'announce' ? before.bgp.drain : undefined;
    if (drain === undefined || drain.kind === known?.kind) return;
    const { logger } = this.#options;
    const event = drain.kind === 'leaving' ? 'serviceLeaving' : 'serviceKept';
    logger.info('node is emptied', { event, service: now?.key, protocol: 'bgp', detail: drain.message });
  }

  /** Another machine uses an address: it is probed the next time too, also a moment after it was let go. */
  noteConflict({ ip, state }: L2Conflict): void {
    if (state === 'withheld') this.#contested.add(ip);
    else this.#contested.delete(ip);
  }

  /** What others hold is new: an address that is being handed over may be let go. */
  reportsChanged(): void {
    if (this.#handover.isPending) this.#applyL2();
  }

  #started(protocol: Protocol, before: ServiceVerdict | undefined, now: ServiceVerdict): void {
    const { announced, listener, logger, nodeName } = this.#options;
    const labels = { service: now.key, protocol, node: nodeName };
    const [ips, without] = [announcedBy(now, protocol), leftOut(now, protocol)];
    for (const ip of announcedBy(before, protocol).filter((address) => !ips.includes(address)))
      announced.remove({ ...labels, ip });
    if (protocol === 'layer2') this.#noteFirst(before, now);
    for (const ip of ips) announced.set({ ...labels, ip }, 1);
    logger.info('service has IP, announcing', {
      event: 'serviceAnnounced',
      service: now.key,
      protocol,
      ips,
      ...(without.length === 0 ? {} : { without }),
    });
    listener.onAnnounced(now, protocol);
  }

  #noteFirst(before: ServiceVerdict | undefined, now: ServiceVerdict): void {
    const { members } = this.#options;
    if (members === undefined) return;
    const wasOurs = (ip: string): boolean => members.wasHeld(ip) && !this.#contested.has(ip);
    for (const ip of firstClaims(before, now, wasOurs)) {
      this.#first.add(ip);
      this.#contested.delete(ip);
    }
  }

  #withdrawn(key: string, protocol: Protocol, { before, now }: Verdicts): void {
    const { announced, logger, nodeName } = this.#options;
    const ips = announcedBy(before, protocol);
    for (const ip of ips) announced.remove({ service: key, protocol, node: nodeName, ip });
    const why =
      now === undefined
        ? { reason: 'serviceDeleted', message: 'the Service is gone' }
        : withholdReason(now, protocol);
    logger.info('withdrawing service announcement', {
      event: 'serviceWithdrawn',
      service: key,
      protocol,
      ips,
      reason: why?.reason,
      detail: why?.message,
    });
  }

  /** Hands both ports the whole of what follows from the verdicts. Never called before the first complete pass. */
  apply(context: DecisionContext): void {
    const { listener } = this.#options;
    this.#applyL2();
    listener.onRefusedPeers(this.#applyBgp(context, this.#routes));
    listener.onPass(context);
    this.#options.draining.plan();
  }

  #applyL2(): void {
    const { l2, members, nodeName, clock } = this.#options;
    this.#cancelAgain();
    const wanted = planL2(this.#verdicts.values(), this.#first);
    const ours = new Set(wanted.map(({ ip }) => ip));
    for (const ip of this.#first) if (!ours.has(ip)) this.#first.delete(ip);
    // Worked out only when something is let go.
    let takers: ReadonlyMap<string, string> | undefined;
    const takerOf = (ip: string): string | undefined => {
      takers ??= takersOf(this.#verdicts.values(), nodeName);
      return takers.get(ip);
    };
    const { entries, again } = this.#handover.plan({
      now: clock.now(),
      wanted,
      taker: (ip) => (members === undefined ? undefined : takerOf(ip)),
      holds: (node, ip) => members?.heldBy(ip).includes(node) === true,
    });
    l2.setPlan(entries);
    // Also what is being handed over: until another holds it this node answers, and all others that come later do not.
    members?.setHeld(entries.map(({ ip }) => ip));
    if (again !== undefined) this.#cancelAgain = clock.schedule(again - clock.now(), () => this.#applyL2());
  }

  /** Has BGP announce nothing any more, with all sessions as they are. */
  withdrawRoutes(context: DecisionContext): void {
    this.#applyBgp(context, new RouteTable());
  }

  /** Returns the peers that are left out. */
  #applyBgp(context: DecisionContext, { routes }: RouteTable): readonly RefusedPeer[] {
    const { bgp, nodeName, frrLog } = this.#options;
    const { model, refused } = buildModel(context.bgp, routes, { hostname: nodeName, logLevel: frrLog });
    bgp.setDesired(model);
    return refused;
  }

  /** Nothing is looked at again. */
  close(): void {
    this.#cancelAgain();
  }
}
