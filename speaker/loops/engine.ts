/**
 * The speaker's one line of decisions: configuration, Services, apply. One key at a time, so every decision sees
 * one state. A change of the configuration, of the nodes or of the live speakers goes over all Services in
 * portions, so that a single urgent Service never waits for the whole.
 */
import { usesHolders, usesSpread, withSpread, type ServiceWithSlices } from '#core/announce/spread-plan.ts';
import type { DecisionContext } from '#core/announce/verdict.ts';
import type { EndpointSliceView, ServiceView } from '#core/model/views.ts';
import type { Logger } from '#runtime/log/logger.ts';
import type { Counter, Metrics } from '#runtime/metrics/types.ts';
import { systemClock } from '#runtime/queue/clock.ts';
import { createQueue } from '#runtime/queue/queue.ts';
import { done, type Outcome, type WorkQueue } from '#runtime/queue/types.ts';
import type { Store } from '#runtime/kube/types.ts';
import type { Announcer } from '#speaker/loops/announcer.ts';
import { updatesCounter } from '#speaker/metrics.ts';

const PORTION = 200;
/** Where changes come in numbers: how many times as long as the last hand-over to the ports took, the next one waits. */
const APPLY_REST = 2;
const priority = { urgent: 100, change: 50, sweep: 10 } as const;

export interface EngineOptions {
  readonly services: Store<ServiceView>;
  /** With index `service`. */
  readonly slices: Store<EndpointSliceView>;
  readonly announcer: Announcer;
  /** Compiles the stores' configuration objects; undefined while this node's own Node object is unknown. */
  readonly context: () => DecisionContext | undefined;
  /** True for Services this speaker handles (load balancer class). */
  readonly handles: (service: ServiceView) => boolean;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export class Engine {
  readonly #options: EngineOptions;
  readonly #queue: WorkQueue;
  readonly #updates: Counter;
  #context: DecisionContext | undefined;
  /** Services that the running sweep has still to decide. */
  readonly #todo = new Set<string>();
  #sweeping = false;
  /** Wait for a sweep that begins after they came; those of the running one. */
  readonly #waiting: (() => void)[] = [];
  #served: readonly (() => void)[] = [];
  /** All that there is is known. */
  #isOpen = false;
  #complete = false;
  /** When the ports may be handed something again. */
  #applyAt = Number.NEGATIVE_INFINITY;
  #resolveFirst!: () => void;
  /** Resolves after the first complete pass over all Services was handed to the ports. */
  readonly firstPass = new Promise<void>((resolve) => (this.#resolveFirst = resolve));

  constructor(options: EngineOptions) {
    this.#options = options;
    const { logger, metrics } = options;
    this.#updates = updatesCounter(metrics);
    this.#queue = createQueue({ name: 'decisions', handler: (key) => this.#handle(key), logger, metrics });
  }

  /** Begins to decide. What is told before is not decided on: with half of what there is all else would be withdrawn. */
  open(): void {
    this.#isOpen = true;
    this.configChanged();
  }

  /** Configuration objects, Nodes, Namespaces or Secrets changed. */
  configChanged(): void {
    this.#decideAllWith(priority.change);
  }

  /** As `configChanged`; resolves when all Services are decided again and handed to the ports. */
  decideAll(): Promise<void> {
    const decided = new Promise<void>((resolve) => void this.#waiting.push(resolve));
    this.configChanged();
    return decided;
  }

  /** The set of live speakers or the usable interfaces changed: a take-over may be due. */
  membersChanged(): void {
    this.#decideAllWith(priority.urgent);
  }

  /** What the speakers report that they hold changed. */
  reportsChanged(): void {
    if (this.#context !== undefined && usesHolders(this.#context)) this.membersChanged();
    else this.#options.announcer.reportsChanged();
  }

  serviceChanged(key: string): void {
    // Where loads are bounded one Service concerns all others.
    if (this.#complete && this.#context !== undefined && usesSpread(this.#context)) this.configChanged();
    else if (this.#complete) this.#queue.add(`service ${key}`, { priority: priority.change });
    else this.#todo.add(key);
  }

  /** Stops deciding; what is announced stays announced. */
  close(deadlineMs: number): Promise<void> {
    return this.#queue.drain(deadlineMs);
  }

  /** Takes all routes back and decides nothing any more; Layer 2 goes on until its port is closed. */
  async withdraw(deadlineMs: number): Promise<void> {
    await this.close(deadlineMs);
    if (this.#context !== undefined) this.#options.announcer.withdrawRoutes(this.#context);
  }

  #decideAllWith(urgency: number): void {
    if (this.#isOpen) this.#queue.add('config', { priority: urgency });
  }

  #handle(key: string): Outcome {
    if (key !== 'sweep') this.#updates.inc();
    if (key === 'config') this.#startSweep();
    else if (key === 'sweep') this.#sweep();
    else if (key === 'apply') this.#apply();
    else this.#single(key.slice('service '.length));
    return done;
  }

  #startSweep(): void {
    const context = this.#options.context();
    this.#context = context === undefined ? undefined : withSpread(context, this.#ours());
    if (this.#context === undefined) return;
    for (const key of this.#options.services.keys()) this.#todo.add(key);
    for (const key of this.#options.announcer.verdicts.keys()) this.#todo.add(key);
    this.#sweeping = true;
    this.#served = [...this.#served, ...this.#waiting.splice(0)];
    this.#sweep();
  }

  *#ours(): Generator<ServiceWithSlices> {
    const { services, slices, handles } = this.#options;
    for (const service of services.values())
      if (handles(service)) yield { service, slices: slices.byIndex('service', service.key) };
  }

  /** One portion; the last one hands everything to the ports. */
  #sweep(): void {
    if (!this.#sweeping) return;
    let count = 0;
    for (const key of this.#todo) {
      if (count === PORTION) {
        this.#queue.add('sweep', { priority: priority.sweep });
        return;
      }
      this.#decide(key);
      count += 1;
    }
    this.#sweeping = false;
    this.#apply();
    for (const serve of this.#served) serve();
    this.#served = [];
    this.#complete = true;
    this.#resolveFirst();
  }

  #single(key: string): void {
    const changed = this.#decide(key);
    if (!changed || !this.#complete) return;
    // The first change goes out at once. What costs by all that there is must not be done for each one of thousands.
    const wait = this.#applyAt - systemClock.now();
    if (wait <= 0) this.#apply();
    else this.#queue.add('apply', { priority: priority.urgent, after: wait });
  }

  #decide(key: string): boolean {
    this.#todo.delete(key);
    const { services, slices, announcer, handles } = this.#options;
    if (this.#context === undefined) return false;
    const service = services.get(key);
    const ours = service !== undefined && handles(service) ? service : undefined;
    return announcer.decide(key, this.#context, { service: ours, slices: slices.byIndex('service', key) });
  }

  #apply(): void {
    if (this.#context === undefined) return;
    const started = systemClock.now();
    this.#options.announcer.apply(this.#context);
    const ended = systemClock.now();
    this.#applyAt = ended + APPLY_REST * (ended - started);
  }
}
