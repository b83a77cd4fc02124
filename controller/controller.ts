/** The controller's loops and what connects them: stores to queues, queues to loops, loops to each other. */
import { isDeepStrictEqual } from 'node:util';
import { handles } from '#core/ipam/decide.ts';
import { Ipam, type Effects } from '#core/ipam/ipam.ts';
import { ALLOCATED_FROM_POOL } from '#core/api/annotations.ts';
import type { Problem } from '#core/model/config.ts';
import type { ServiceView } from '#core/model/views.ts';
import { AcceptanceLoop } from '#controller/loops/acceptance.ts';
import { acceptanceStores } from '#controller/loops/accepted-views.ts';
import { createCompiler } from '#controller/loops/compile.ts';
import { ConfigurationLoop } from '#controller/loops/configuration.ts';
import { reconcileConfigurationState } from '#controller/loops/configuration-state.ts';
import { Looks } from '#controller/loops/looks.ts';
import type { OwnerReference } from '#core/status/configuration-state-plan.ts';
import { OptionalReservations } from '#controller/loops/optional-reservations.ts';
import { POOL_STATUS_DELAY_MS, reconcilePoolStatus } from '#controller/loops/pool-status.ts';
import { RecentServices } from '#controller/loops/service-record.ts';
import { ServiceLoop } from '#controller/loops/services.ts';
import { Outage } from '#controller/outage.ts';
import { decisiveStores, startStores, type Stores } from '#controller/loops/views.ts';
import { controllerMetrics, type ControllerMetrics } from '#controller/metrics.ts';
import type { EventRecorder } from '#runtime/kube/events.ts';
import type { Transport } from '#runtime/kube/transport.ts';
import type { KubeClient, StoreChange } from '#runtime/kube/types.ts';
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
  /** What is in the Secrets of peers is not judged. */
  readonly secretPassthrough: boolean;
  /** Our pod, the owner of our ConfigurationState; asked until it is known. */
  readonly owner: () => Promise<OwnerReference | undefined>;
  /** False while another one may lead: after a pause of ours. Absent: there is only one. */
  readonly mayWrite?: () => boolean;
}

type Queues = Readonly<
  Record<
    'services' | 'configuration' | 'poolStatus' | 'reservations' | 'state' | 'reminders' | 'acceptance',
    WorkQueue
  >
>;

/** Writes of different Services go side by side. */
const SERVICE_WRITERS = 16;
/** Objects that are applied together are compiled together. */
const CONFIGURATION_DELAY_MS = 20;
/** Without the lease: it is renewed or we end within this order of time. */
const LEASE_PAUSE_MS = 200;
const ACCEPTANCE_WRITERS = 4;
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
  readonly #queues: Queues;
  readonly #reservations: OptionalReservations;
  readonly #looks: Looks;
  readonly #metrics: ControllerMetrics;
  /** Of whoever leads. */
  #acceptance: AcceptanceLoop | undefined;
  #active = false;
  #problems: readonly Problem[] | undefined;

  constructor(options: ControllerOptions) {
    this.#options = options;
    const { transport, client, events, logger, signal, namespace, lbClass } = options;
    this.#ipam = new Ipam(lbClass);
    this.#outage = new Outage(logger, () => performance.now());
    const metrics = controllerMetrics(options.metrics, this.#ipam);
    this.#metrics = metrics;
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
    this.#queues = this.#createQueues();
    this.#looks = new Looks(
      this.#queues.services,
      (key) => this.#stores.services.get(key)?.creationTimestamp,
    );
    this.#reservations = this.#createReservations();
    this.#listen();
  }

  #createQueues(): Queues {
    const { client, namespace } = this.#options;
    return {
      services: this.#queue('services', (key, stop) => this.#onService(key, stop), SERVICE_WRITERS),
      configuration: this.#queue('configuration', () => this.#onConfiguration()),
      poolStatus: this.#queue('pool-status', (name, stop) =>
        reconcilePoolStatus(name, stop, {
          ipam: this.#ipam,
          pools: this.#stores.pools,
          namespace,
          client,
          metrics: this.#metrics,
        }),
      ),
      reservations: this.#queue('reservations', (name, stop) => this.#reservations.reconcile(name, stop)),
      reminders: this.#queue('reminders', () => this.#remind()),
      state: this.#queue('configuration-state', (_, stop) => this.#onState(stop)),
      acceptance: this.#queue(
        'acceptance',
        (key, stop) => this.#acceptance?.reconcile(key, stop) ?? done,
        ACCEPTANCE_WRITERS,
      ),
    };
  }

  #createReservations(): OptionalReservations {
    const { client, events, logger, namespace, lbClass } = this.#options;
    return new OptionalReservations({
      ipam: this.#ipam,
      services: this.#stores.services,
      newest: () => this.#services.newest(this.#stores.services.values()),
      namespace,
      client,
      events,
      logger: logger.child({ logger: 'reservations' }),
      handles: (service) => handles(service, lbClass),
      look: (name) => this.#queues.reservations.add(name),
      onEffects: (effects) => this.#follow(effects),
      now: () => Date.now(),
    });
  }

  /** Resolves when all stores are in that decisions read: without ConfigurationState there is no report, no more. */
  async synced(): Promise<void> {
    const stores = decisiveStores(this.#stores).map(([, store]) => store.synced);
    const { transport, metrics, signal, logger } = this.#options;
    await Promise.all([...stores, this.#reservations.watch(transport, { logger, metrics, signal })]);
  }

  /** Why the controller is not ready; undefined when it is. A standby is ready when its stores are in. */
  notReady(): string | undefined {
    const waiting = decisiveStores(this.#stores).filter(([, store]) => !store.isSynced);
    if (waiting.length > 0) return `not synced yet: ${waiting.map(([name]) => name).join(', ')}`;
    return this.#active ? this.#looks.notDone() : undefined;
  }

  /**
   * Starts to decide and write: call it once, when the stores are in and no other controller acts. `fresh` are
   * Services read after the moment from which we are the only one.
   */
  activate(fresh: readonly ServiceView[]): void {
    this.#active = true;
    this.#services.takeOver(fresh);
    this.#reservations.activate();
    this.#queues.configuration.add('configuration');
    this.#queues.state.add(STATE_KEY);
    this.#queues.reminders.add('waiting', { after: REMINDER_LOOK_MS });
    this.#acceptance = this.#startAcceptance();
  }

  #startAcceptance(): AcceptanceLoop {
    const { transport, namespace, metrics, signal } = this.#options;
    const logger = this.#options.logger.child({ logger: 'acceptance' });
    const { communities, pools, namespaces } = this.#stores;
    return new AcceptanceLoop({
      ...this.#options,
      stores: acceptanceStores(transport, namespace, { logger, metrics, signal, communities }),
      pools,
      namespaces,
      writes: this.#metrics.statusWrites,
      logger,
      now: () => new Date(),
      queue: this.#queues.acceptance,
    });
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
      if (this.#active) this.#services.heard(change.now);
      this.#reservations.serviceChanged(change);
      this.#looks.at(change.key, 'change');
    });
    const configure = (): void => {
      this.#queues.configuration.add('configuration', { after: CONFIGURATION_DELAY_MS });
      this.#acceptance?.configurationChanged();
    };
    namespaces.onChange(configure);
    communities.onChange(({ old, now }) => {
      if (!isDeepStrictEqual(old?.parsed, now?.parsed)) configure();
    });
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
      this.#looks.done(key);
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
    for (const key of this.#services.remind()) this.#looks.at(key, 'reminder');
    return { kind: 'after', ms: REMINDER_LOOK_MS };
  }

  #follow({ wake, pools }: Effects): void {
    this.#looks.wake(wake);
    for (const name of pools) this.#queues.poolStatus.add(name, { after: POOL_STATUS_DELAY_MS });
  }

  #lookAtAll(effects: Effects): void {
    const services = this.#services.newest(this.#stores.services.values());
    this.#looks.atAll(
      services.filter((view) => this.#concerns({ key: view.key, old: undefined, now: view })),
    );
    this.#follow(effects);
    this.#reservations.lookAtAll();
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
