/** The controller's loops and what connects them: stores to queues, queues to loops, loops to each other. */
import { isDeepStrictEqual } from 'node:util';
import { ageRank, compareAge } from '#core/ipam/age.ts';
import { handles } from '#core/ipam/decide.ts';
import { Ipam, type Effects } from '#core/ipam/ipam.ts';
import type { ReservationView } from '#core/ipam/reservation-plan.ts';
import { ALLOCATED_FROM_POOL } from '#core/api/annotations.ts';
import type { Problem } from '#core/model/config.ts';
import type { ServiceView } from '#core/model/views.ts';
import { createCompiler } from '#controller/loops/compile.ts';
import { ConfigurationLoop } from '#controller/loops/configuration.ts';
import { reconcileConfigurationState } from '#controller/loops/configuration-state.ts';
import type { OwnerReference } from '#core/status/configuration-state-plan.ts';
import { POOL_STATUS_DELAY_MS, reconcilePoolStatus } from '#controller/loops/pool-status.ts';
import { RecentServices } from '#controller/loops/service-record.ts';
import { reservationStore } from '#controller/loops/reservation-store.ts';
import { ReservationLoop } from '#controller/loops/reservations.ts';
import { ServiceLoop } from '#controller/loops/services.ts';
import { Outage } from '#controller/outage.ts';
import { decisiveStores, startStores, type Stores } from '#controller/loops/views.ts';
import { controllerMetrics } from '#controller/metrics.ts';
import type { EventRecorder } from '#runtime/kube/events.ts';
import type { Transport } from '#runtime/kube/transport.ts';
import type { KubeClient, Store, StoreChange } from '#runtime/kube/types.ts';
import type { Logger } from '#runtime/log/logger.ts';
import type { Metrics } from '#runtime/metrics/types.ts';
import { createQueue } from '#runtime/queue/queue.ts';
import { done, type Handler, type Outcome, type WorkQueue } from '#runtime/queue/types.ts';

export interface ControllerOptions {
  readonly transport: Transport;
  readonly client: KubeClient;
  readonly events: EventRecorder;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly namespace: string;
  readonly lbClass: string;
  /** Our pod, the owner of our ConfigurationState; asked until it is known. */
  readonly owner: () => Promise<OwnerReference | undefined>;
  /** False while another one may lead: after a pause of ours. Absent: there is only one. */
  readonly mayWrite?: () => boolean;
}

/** Writes of different Services go side by side. */
const SERVICE_WRITERS = 16;
/** Objects that are applied together are compiled together. */
const CONFIGURATION_DELAY_MS = 20;
/** Without the lease: it is renewed or we end within this order of time. */
const LEASE_PAUSE_MS = 200;
/** What users do to a Service, and what follows from it, goes before looking at all of them. */
const PRIORITY = { change: 50, all: 10, reminder: 0 } as const;
const STATE_KEY = 'controller';
const REMINDER_LOOK_MS = 60_000;

export class Controller {
  readonly #options: ControllerOptions;
  readonly #ipam: Ipam;
  readonly #stores: Stores;
  readonly #recent = new RecentServices();
  readonly #outage: Outage;
  readonly #services: ServiceLoop;
  readonly #configuration: ConfigurationLoop;
  readonly #queues: Readonly<
    Record<'services' | 'configuration' | 'poolStatus' | 'reservations' | 'state' | 'reminders', WorkQueue>
  >;
  /** Undefined while the kind IPReservation is not there. */
  #reservations: ReservationLoop | undefined;
  /** Keys that a look at all has not come to yet. */
  readonly #toLookAt = new Set<string>();
  #active = false;
  /** The first of these looks: ready is who has finished it, and stays so in the next ones. */
  #firstPass: 'to come' | 'under way' | 'done' = 'to come';
  #problems: readonly Problem[] | undefined;

  constructor(options: ControllerOptions) {
    this.#options = options;
    const { transport, client, events, logger, signal, namespace, lbClass } = options;
    this.#ipam = new Ipam(lbClass);
    this.#outage = new Outage(logger, () => performance.now());
    const metrics = controllerMetrics(options.metrics, this.#ipam);
    this.#stores = startStores(
      transport,
      namespace,
      { logger, metrics: options.metrics, signal },
      (raw, view) => this.#recent.saw(raw, view),
    );
    this.#services = new ServiceLoop({
      ipam: this.#ipam,
      services: this.#stores.services,
      recent: this.#recent,
      client,
      events,
      metrics,
      logger: logger.child({ logger: 'services' }),
      onEffects: (effects) => this.#follow(effects),
      now: () => performance.now(),
      mayWrite: () => this.#mayWrite(),
    });
    this.#configuration = new ConfigurationLoop({
      ipam: this.#ipam,
      compile: createCompiler(this.#stores, namespace),
      services: () => this.#services.newest(this.#stores.services.values()),
      uidOf: (object) => this.#uidOf(object),
      events,
      metrics,
      logger: logger.child({ logger: 'configuration' }),
      onChange: (effects) => this.#lookAtAll(effects),
      onVerdict: (problems) => this.#report(problems),
    });
    this.#queues = {
      services: this.#queue('services', (key, stop) => this.#onService(key, stop), SERVICE_WRITERS),
      configuration: this.#queue('configuration', () => this.#onConfiguration()),
      poolStatus: this.#queue('pool-status', (name, stop) =>
        reconcilePoolStatus(name, stop, {
          ipam: this.#ipam,
          pools: this.#stores.pools,
          namespace,
          client,
          metrics,
        }),
      ),
      reservations: this.#queue(
        'reservations',
        (name, stop) => this.#reservations?.reconcile(name, stop) ?? done,
      ),
      reminders: this.#queue('reminders', () => this.#remind()),
      state: this.#queue('configuration-state', (_, stop) => this.#onState(stop)),
    };
    this.#listen();
  }

  /** Resolves when all stores are in that decisions read: without ConfigurationState there is no report, no more. */
  async synced(): Promise<void> {
    const stores = decisiveStores(this.#stores).map(([, store]) => store.synced);
    await Promise.all([...stores, this.#startReservations()]);
  }

  async #startReservations(): Promise<void> {
    const { transport, metrics, signal, namespace, logger } = this.#options;
    const { store, isThere } = reservationStore(transport, namespace, { logger, metrics, signal });
    void store.synced.then(() => this.#openReservations(store));
    await isThere;
  }

  /** At the start, or when the kind is installed later. */
  #openReservations(reservations: Store<ReservationView>): void {
    const { client, events, namespace, lbClass } = this.#options;
    const logger = this.#options.logger.child({ logger: 'reservations' });
    const loop = new ReservationLoop({
      ipam: this.#ipam,
      reservations,
      services: this.#stores.services,
      namespace,
      client,
      events,
      logger,
      handles: (service) => handles(service, lbClass),
      look: (name) => this.#queues.reservations.add(name),
      onEffects: (effects) => this.#follow(effects),
      now: () => Date.now(),
    });
    this.#reservations = loop;
    reservations.onChange((change) => {
      if (this.#active) loop.objectChanged(change);
    });
    if (this.#active) this.#takeOverReservations();
  }

  /** Why the controller is not ready; undefined when it is. A standby is ready when its stores are in. */
  notReady(): string | undefined {
    const waiting = decisiveStores(this.#stores).filter(([, store]) => !store.isSynced);
    if (waiting.length > 0) return `not synced yet: ${waiting.map(([name]) => name).join(', ')}`;
    if (!this.#active || this.#firstPass === 'done') return undefined;
    if (this.#firstPass === 'to come') return 'no configuration in force yet';
    return `first pass: ${this.#toLookAt.size} Services left`;
  }

  /**
   * Starts to decide and write: call it once, when the stores are in and no other controller acts. `fresh` are
   * Services read after the moment from which we are the only one.
   */
  activate(fresh: readonly ServiceView[]): void {
    this.#active = true;
    this.#services.takeOver(fresh);
    this.#takeOverReservations();
    this.#queues.configuration.add('configuration');
    this.#queues.state.add(STATE_KEY);
    this.#queues.reminders.add('waiting', { after: REMINDER_LOOK_MS });
  }

  #takeOverReservations(): void {
    this.#reservations?.takeOver(this.#services.newest(this.#stores.services.values()));
  }

  /** Stops taking work and waits for what runs. */
  async drain(deadlineMs: number): Promise<void> {
    await Promise.all(Object.values(this.#queues).map((queue) => queue.drain(deadlineMs)));
  }

  #queue(name: string, handler: Handler, concurrency = 1): WorkQueue {
    const { logger, metrics } = this.#options;
    const guarded = this.#outage.guard(handler);
    const whenActive: Handler = (key, signal) => {
      if (!this.#active) return done;
      return this.#mayWrite() ? guarded(key, signal) : { kind: 'after', ms: LEASE_PAUSE_MS };
    };
    return createQueue({ name, handler: whenActive, concurrency, logger, metrics });
  }

  #mayWrite(): boolean {
    return this.#options.mayWrite?.() ?? true;
  }

  #listen(): void {
    const { services, namespaces, pools, communities, configurationStates } = this.#stores;
    services.onChange((change) => {
      if (!this.#concerns(change)) return;
      if (this.#active) {
        this.#services.heard(change.now);
        this.#reservations?.serviceChanged(change);
      }
      this.#look(change.key, PRIORITY.change);
    });
    const configure = (): void =>
      this.#queues.configuration.add('configuration', { after: CONFIGURATION_DELAY_MS });
    namespaces.onChange(configure);
    communities.onChange(configure);
    pools.onChange(({ key, old, now }) => {
      const name = key.slice(this.#options.namespace.length + 1);
      this.#queues.poolStatus.add(name, { after: POOL_STATUS_DELAY_MS });
      if (!isDeepStrictEqual(old?.parsed, now?.parsed)) configure();
    });
    configurationStates.onChange(() => this.#queues.state.add(STATE_KEY));
    void configurationStates.synced.then(() => this.#queues.state.add(STATE_KEY));
  }

  /** Most Services of a cluster are no load balancers and never were. */
  #concerns({ key, old, now }: StoreChange<ServiceView>): boolean {
    const matters = (view: ServiceView | undefined): boolean =>
      view !== undefined &&
      (view.type === 'LoadBalancer' || view.ingress.length > 0 || ALLOCATED_FROM_POOL in view.annotations);
    return matters(old) || matters(now) || this.#ipam.allocations.bookings.has(key);
  }

  async #onService(key: string, signal: AbortSignal): Promise<Outcome> {
    try {
      return await this.#services.reconcile(key, signal);
    } finally {
      this.#toLookAt.delete(key);
      if (this.#toLookAt.size === 0 && this.#firstPass === 'under way') this.#firstPass = 'done';
      // What became of its reservations is another thing now; they may have been looked at before it.
      for (const { name } of this.#ipam.allocations.reservations.of(key)) this.#queues.reservations.add(name);
    }
  }

  #onConfiguration(): Outcome {
    this.#configuration.reconcile();
    return done;
  }

  async #onState(signal: AbortSignal): Promise<Outcome> {
    const { client, namespace, owner } = this.#options;
    return reconcileConfigurationState(signal, {
      client,
      states: this.#stores.configurationStates,
      namespace,
      owner: await owner(),
      problems: this.#problems,
      now: () => new Date(),
    });
  }

  #remind(): Outcome {
    for (const key of this.#services.remind()) this.#look(key, PRIORITY.reminder);
    return { kind: 'after', ms: REMINDER_LOOK_MS };
  }

  #look(key: string, priority: number): void {
    const since = this.#stores.services.get(key)?.creationTimestamp;
    this.#queues.services.add(key, {
      priority,
      ...(since === undefined ? {} : { rank: ageRank(since, key) }),
    });
  }

  #follow({ wake, pools }: Effects): void {
    // Who has lost an address is not waiting for another yet: while all are looked at, those who wait take their turn by age.
    const priority = this.#toLookAt.size > 0 ? PRIORITY.all : PRIORITY.change;
    for (const key of wake) this.#look(key, priority);
    for (const name of pools) this.#queues.poolStatus.add(name, { after: POOL_STATUS_DELAY_MS });
  }

  #lookAtAll(effects: Effects): void {
    const keys = this.#services
      .newest(this.#stores.services.values())
      .filter((view) => this.#concerns({ key: view.key, old: undefined, now: view }))
      .sort(compareAge)
      .map(({ key }) => key);
    if (this.#firstPass === 'to come') this.#firstPass = keys.length === 0 ? 'done' : 'under way';
    for (const key of keys) {
      this.#toLookAt.add(key);
      this.#look(key, PRIORITY.all);
    }
    this.#follow(effects);
    this.#reservations?.lookAtAll();
  }

  #report(problems: readonly Problem[]): void {
    this.#problems = problems;
    this.#queues.state.add(STATE_KEY);
  }

  #uidOf({ kind, namespace, name }: Problem['object']): string | undefined {
    const { pools, communities } = this.#stores;
    return (kind === 'Community' ? communities : pools).uidOf(`${namespace}/${name}`);
  }
}
