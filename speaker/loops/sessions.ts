/**
 * Looks at FRR's sessions every few seconds and after each change, has what differs repaired, and tells what was
 * seen. It never stands in the way of a change: it has a vtysh of its own, and a look that fails is only a look.
 */
import { BfdPatience } from '#core/frr/bfd-patience.ts';
import { parseAdvertised, parseNeighbors } from '#core/frr/parse.ts';
import { SessionReconciler, silentReports, type SessionReport } from '#core/frr/reconcile.ts';
import { compareRoutes, intendedSessions, type Target } from '#core/frr/sessions.ts';
import type { FrrModel } from '#core/frr/model.ts';
import {
  nothingTold,
  sessionEvents,
  type SessionEvent,
  type SessionTold,
} from '#core/status/session-events.ts';
import type { Logger } from '#runtime/log/logger.ts';
import type { Counter, Gauge, LabelValues, Metrics } from '#runtime/metrics/types.ts';
import type { Clock } from '#runtime/queue/types.ts';
import type { FrrPort } from '#speaker/ports.ts';

const EVERY_MS = 5_000;
/** FRR has sent a change by then, unless it has thousands to send. */
const AFTER_CHANGE_MS = 1_500;
const SILENT_AFTER_LOOKS = 2;
/** While starting: how often it looks, and how long it waits at most for routers that do not answer. */
const SETTLING_EVERY_MS = 1_500;
const SETTLING_MS = 20_000;

export interface SessionsOptions {
  readonly nodeName: string;
  readonly frr: FrrPort;
  /** Addresses of the node itself, canonical. */
  readonly ownAddresses: () => ReadonlySet<string>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Milliseconds between two looks. Default 5000. */
  readonly everyMs?: number;
  readonly onReports: (reports: readonly SessionReport[]) => void;
  readonly onEvent: (peer: string, event: SessionEvent) => void;
}

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #everyMs: number;
  readonly #reconciler = new SessionReconciler();
  readonly #patience = new BfdPatience();
  readonly #metrics: SessionMetrics;
  #told = new Map<string, SessionTold>();
  #model: FrrModel | undefined;
  #changedAt = 0;
  #failures = 0;
  #cancel: () => void = () => undefined;
  #dueAt = Infinity;
  #looking: Promise<void> | undefined;
  #isStarted = false;
  #isClosed = false;
  #unsettled: string | undefined = 'the BGP sessions were not looked at yet';
  #stopSettling: () => void = () => undefined;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#everyMs = options.everyMs ?? EVERY_MS;
    this.#metrics = new SessionMetrics(options.metrics, options.frr);
    options.frr.onState(() => this.#noteChange());
  }

  /** Begins to look. */
  start(): void {
    this.#isStarted = true;
    this.#stopSettling = this.#options.clock.schedule(SETTLING_MS, () => this.#settle());
    this.#due(this.#interval);
  }

  /**
   * After the start, which sessions are missing; undefined for good once all were established at the same time, or
   * 20 s have passed. A rollout that waits for it takes no node's routes away before those of the last one are back.
   */
  get unsettled(): string | undefined {
    return this.#unsettled;
  }

  #settle(): void {
    this.#unsettled = undefined;
    this.#stopSettling();
  }

  get #interval(): number {
    const isQuick = this.#unsettled !== undefined && this.#failures === 0;
    return isQuick ? Math.min(this.#everyMs, SETTLING_EVERY_MS) : this.#everyMs;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopSettling();
    this.#cancel();
    await this.#looking;
  }

  #noteChange(): void {
    const { frr, clock } = this.#options;
    if (frr.proved === undefined || frr.proved === this.#model) return;
    this.#model = frr.proved;
    this.#changedAt = clock.now();
    this.#due(AFTER_CHANGE_MS);
  }

  /** The earlier time wins, so that a stream of changes does not put off the look for ever. */
  #due(ms: number): void {
    const { clock } = this.#options;
    const at = clock.now() + ms;
    if (!this.#isStarted || this.#isClosed || at >= this.#dueAt) return;
    this.#cancel();
    this.#dueAt = at;
    this.#cancel = clock.schedule(ms, () => {
      this.#dueAt = Infinity;
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined;
        this.#due(this.#interval);
      });
    });
  }

  async #look(): Promise<void> {
    const { frr, clock, logger, ownAddresses } = this.#options;
    const model = frr.proved ?? this.#model;
    if (model === undefined) return;
    // While changes are under way the sessions can be told of, but not what they should have been sent.
    if (frr.proved === undefined) this.#changedAt = clock.now();
    try {
      const observed = parseNeighbors(await frr.show('show bgp vrf all neighbors json'));
      this.#failures = 0;
      const intended = intendedSessions(model, ownAddresses());
      const look = { now: clock.now(), changedAt: this.#changedAt, intended, observed };
      const plan = this.#reconciler.look(look);
      for (const target of plan.ask) await this.#compare(model, target);
      await this.#resend(plan.resend);
      this.#tell(plan.reports);
      await this.#waitForBfd(plan.reports);
    } catch (error) {
      logger.debug('FRR does not say how its sessions are', { error });
      this.#failures += 1;
      // FRR may be silent for a moment without anybody being told.
      if (this.#failures >= SILENT_AFTER_LOOKS)
        this.#tell(silentReports(intendedSessions(model, ownAddresses())));
    }
  }

  /** Sessions that FRR does not begin because of BFD are tried without it, and get it back when they are up. */
  async #waitForBfd(reports: readonly SessionReport[]): Promise<void> {
    const { frr, clock, logger } = this.#options;
    await frr.begin(this.#patience.stuck(reports));
    if (!this.#patience.look(clock.now(), reports)) return;
    const { without } = this.#patience;
    logger.info('sessions that FRR does not begin because BFD is down are tried without it', {
      peers: [...without],
    });
    frr.leaveOutBfd(without);
  }

  async #compare(model: FrrModel, target: Target): Promise<void> {
    const { frr, clock } = this.#options;
    const vrf = target.vrf === '' ? '' : `vrf ${target.vrf} `;
    const command = `show bgp ${vrf}${target.family} unicast neighbors ${target.neighbor} advertised-routes json`;
    const sent = parseAdvertised(await frr.show(command));
    // A change came in between: what was sent belongs to neither model.
    if (frr.proved === model)
      this.#reconciler.learned(target, compareRoutes(model, target, sent), clock.now());
  }

  async #resend(targets: readonly Target[]): Promise<void> {
    if (targets.length === 0) return;
    const { frr, logger } = this.#options;
    logger.warn('routes differ from what is intended; FRR sends them again', { targets });
    await frr.resend(targets);
    this.#metrics.countRepairs(targets.length);
  }

  #tell(reports: readonly SessionReport[]): void {
    const { nodeName, onReports, onEvent, logger } = this.#options;
    const before = this.#told;
    this.#told = new Map();
    for (const report of reports) {
      const { peer } = report.intended;
      const { events, told } = sessionEvents(before.get(peer) ?? nothingTold, report, nodeName);
      this.#told.set(peer, told);
      for (const event of events) {
        const level = event.type === 'Warning' ? 'warn' : 'info';
        logger[level](event.message, { event: event.reason, peer });
        onEvent(peer, event);
      }
    }
    this.#metrics.set(reports);
    onReports(reports);
    if (this.#unsettled !== undefined) this.#noteMissing(reports);
  }

  #noteMissing(reports: readonly SessionReport[]): void {
    const missing = reports.filter(({ observed }) => observed?.state !== 'Established');
    const names = missing.map(({ intended }) => intended.peer).join(', ');
    if (missing.length === 0) this.#settle();
    else this.#unsettled = `BGP sessions are not established yet: ${names}`;
  }
}

/** What is intended for each session, and whether it is so. */
class SessionMetrics {
  readonly #inSync: Gauge;
  readonly #intended: Gauge;
  readonly #repairs: Counter;
  #present: readonly LabelValues[] = [];
  #repaired = 0;

  constructor(metrics: Metrics, frr: FrrPort) {
    const labels = ['peer', 'vrf'];
    this.#inSync = metrics.gauge({
      name: 'metallb_bgp_session_in_sync_bool',
      help: '1 while the session is established and the router was sent what it should have.',
      labels,
    });
    this.#intended = metrics.gauge({
      name: 'metallb_bgp_intended_prefixes_total',
      help: 'Prefixes that should be announced to the peer.',
      labels,
    });
    this.#repairs = metrics.counter({
      name: 'metallb_frr_repairs_total',
      help: 'Times that FRR did not have what it was given, by what was repaired: config or routes.',
      labels: ['what'],
    });
    metrics.onCollect(() => {
      this.#repairs.set({ what: 'config' }, frr.state.repairs);
      this.#repairs.set({ what: 'routes' }, this.#repaired);
    });
  }

  countRepairs(count: number): void {
    this.#repaired += count;
  }

  set(reports: readonly SessionReport[]): void {
    for (const labels of this.#present) {
      this.#inSync.remove(labels);
      this.#intended.remove(labels);
    }
    this.#present = reports.map(({ intended, observed, differences }) => {
      const { neighbor, port, vrf, routes } = intended;
      const labels = { peer: `${neighbor}:${port}`, vrf: vrf === '' ? 'default' : vrf };
      const isInSync = observed?.state === 'Established' && differences.length === 0;
      this.#inSync.set(labels, isInSync ? 1 : 0);
      this.#intended.set(
        labels,
        Object.values(routes).reduce((sum, each) => sum + each, 0),
      );
      return labels;
    });
  }
}
