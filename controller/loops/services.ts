/**
 * Services: from a key to a decision, its Events and one write (controller.md §2.4). Deciding is synchronous and
 * for all Services together; writes go side by side, so that a slow or failing one delays nobody else.
 */
import type { Decision } from '#core/ipam/decide.ts';
import type { Effects, Ipam } from '#core/ipam/ipam.ts';
import { projectService } from '#core/model/projections.ts';
import type { ServiceView } from '#core/model/views.ts';
import { AppError } from '#core/errors.ts';
import type { ControllerMetrics } from '#controller/metrics.ts';
import { withRecord, type RecentServices } from '#controller/loops/service-record.ts';
import type { EventRecorder } from '#runtime/kube/events.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { KubeError, type KubeClient, type KubeObject, type Store } from '#runtime/kube/types.ts';
import { isOlder } from '#runtime/kube/versions.ts';
import type { Logger } from '#runtime/log/logger.ts';
import { done, type Outcome } from '#runtime/queue/types.ts';

export interface ServiceLoopOptions {
  readonly ipam: Ipam;
  readonly services: Pick<Store<ServiceView>, 'get'>;
  readonly recent: RecentServices;
  readonly client: Pick<KubeClient, 'get' | 'replace'>;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly metrics: ControllerMetrics;
  readonly logger: Logger;
  /** Told whom to look at next, and which pools' counters changed. */
  readonly onEffects: (effects: Effects) => void;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Asked right before each write: what was decided before a pause may no longer be ours to decide. */
  readonly mayWrite: () => boolean;
}

/** Events are deleted after an hour (`--event-ttl`): as long as a Service waits, the reason is told anew before that. */
const REMIND_MS = 50 * 60_000;
const REMINDERS_AT_ONCE = 500;

export class ServiceLoop {
  readonly #options: ServiceLoopOptions;
  /** What we wrote and the store has not shown us yet: a decision must not be made on what came before it. */
  readonly #written = new Map<string, ServiceView>();
  /** Services that were read at the take-over and that the store has not shown at all yet. */
  readonly #unseen = new Set<string>();
  /** Since when a Service could have had an address: heard of it, or what it waited for came. */
  readonly #since = new Map<string, number>();
  /** When it was last told why a Service waits. */
  readonly #told = new Map<string, number>();

  constructor(options: ServiceLoopOptions) {
    this.#options = options;
  }

  /** The store shows this version: from here on a Service without address counts as owed one. */
  heard(view: ServiceView | undefined): void {
    if (view?.type !== 'LoadBalancer' || view.ingress.length > 0 || this.#since.has(view.key)) return;
    if (this.#options.ipam.waiting.get(view.key) === undefined)
      this.#since.set(view.key, this.#options.now());
  }

  /** The handler of the queue `services`; keys are `namespace/name`. */
  async reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const { metrics } = this.#options;
    metrics.updates.inc();
    try {
      const view = await this.#existing(key, signal);
      if (view === undefined) this.#forget(key);
      else await this.#converge(view, signal);
    } catch (error) {
      if (!(error instanceof AppError && error.retry === 'soon')) metrics.updateErrors.inc();
      throw error;
    }
    return done;
  }

  /** All Services as newly as we know them. */
  newest(stored: Iterable<ServiceView>): ServiceView[] {
    const keys = [...[...stored].map((view) => view.key), ...this.#unseen];
    return [...new Set(keys)].flatMap((key) => this.#newest(key) ?? []);
  }

  /** Services as read at the take-over: each counts until the store has shown that version. */
  takeOver(views: readonly ServiceView[]): void {
    for (const view of views) {
      const stored = this.#options.services.get(view.key);
      if (stored === undefined) this.#unseen.add(view.key);
      if (stored === undefined || isOlder(stored.resourceVersion, view.resourceVersion))
        this.#written.set(view.key, view);
    }
  }

  /** Services that wait for so long that the reason has to be told again; look at them. */
  remind(): string[] {
    const before = this.#options.now() - REMIND_MS;
    const due = [...this.#told].filter(([, at]) => at <= before).map(([key]) => key);
    const keys = due.slice(0, REMINDERS_AT_ONCE);
    for (const key of keys) this.#options.ipam.sayAgain(key);
    return keys;
  }

  #newest(key: string): ServiceView | undefined {
    const stored = this.#options.services.get(key);
    const written = this.#written.get(key);
    if (written === undefined) return stored;
    if (stored === undefined && this.#unseen.has(key)) return written;
    this.#unseen.delete(key);
    const isLatest =
      stored === undefined ||
      stored.uid !== written.uid ||
      !isOlder(stored.resourceVersion, written.resourceVersion);
    if (isLatest) {
      this.#written.delete(key);
      return stored;
    }
    return written;
  }

  /** A Service that only the take-over has shown us may be gone again, and the store would never say so. */
  async #existing(key: string, signal: AbortSignal): Promise<ServiceView | undefined> {
    const view = this.#newest(key);
    if (view === undefined || !this.#unseen.has(key)) return view;
    if ((await this.#read(view, signal)) === undefined) this.#unseen.delete(key);
    return this.#newest(key);
  }

  #forget(key: string): void {
    this.#options.recent.forget(key);
    this.#written.delete(key);
    this.#since.delete(key);
    this.#told.delete(key);
    this.#options.onEffects(this.#options.ipam.forget(key));
  }

  async #converge(view: ServiceView, signal: AbortSignal): Promise<void> {
    const decision = this.#decide(view);
    if (!writes(decision)) return;
    const recent = this.#options.recent.take(view);
    if (recent !== undefined) return this.#write(view, recent, decision, signal);
    const raw = await this.#read(view, signal);
    if (raw === undefined) return;
    // The write rests on exactly the version that it replaces, and on the pools as they are after the wait.
    const fresh = projectService(raw);
    const again = this.#decide(fresh);
    if (writes(again)) await this.#write(fresh, raw, again, signal);
  }

  #decide(view: ServiceView): Decision {
    const { ipam, logger, onEffects, now } = this.#options;
    const { decision, ...effects } = ipam.decide(view);
    const { kind, reason } = decision;
    for (const event of decision.events) this.#options.events.record(involved(view), event);
    if (kind !== 'assign' || view.ingress.length > 0) this.#since.delete(view.key);
    else if (!this.#since.has(view.key)) this.#since.set(view.key, now());
    if (ipam.waiting.get(view.key) === undefined) this.#told.delete(view.key);
    else if (decision.events.length > 0) this.#told.set(view.key, now());
    const lost = decision.events.some(({ type }) => type === 'Warning');
    if (lost) logger.warn('no address for a Service', { key: view.key, kind, reason });
    else logger.debug('decided', { key: view.key, kind, reason });
    onEffects(effects);
    return decision;
  }

  /** The Service as it is now; undefined when it is gone, or another one has its name. */
  async #read(view: ServiceView, signal: AbortSignal): Promise<KubeObject | undefined> {
    try {
      const raw = await this.#options.client.get(refOf(view), signal);
      return raw.metadata.uid === view.uid ? raw : undefined;
    } catch (error) {
      if (error instanceof KubeError && error.status === 404) return undefined;
      throw retried(error);
    }
  }

  async #write(view: ServiceView, raw: KubeObject, decision: Decision, signal: AbortSignal): Promise<void> {
    const { client, ipam, logger, metrics, now, onEffects, mayWrite } = this.#options;
    if (!mayWrite()) throw new AppError('KUBE', `${view.key}: the lease is not ours now`, { retry: 'soon' });
    const object = withRecord(raw, decision);
    try {
      const answer = await client.replace(refOf(view), object, { subresource: 'status', signal });
      this.#written.set(view.key, projectService(answer));
    } catch (error) {
      if (error instanceof KubeError && error.status === 404) return;
      throw retried(error);
    }
    onEffects(ipam.recorded(view.key));
    metrics.statusWrites.inc({ kind: 'Service' });
    const since = this.#since.get(view.key);
    this.#since.delete(view.key);
    if (since !== undefined) metrics.allocationSeconds.observe({}, (now() - since) / 1000);
    const ingress = view.ingress.map(({ ip }) => ip);
    logger.info(decision.kind === 'assign' ? 'address assigned' : 'address cleared', {
      key: view.key,
      pool: decision.pool,
      before: ingress,
      after: projectService(object).ingress.map(({ ip }) => ip),
      reason: decision.reason,
    });
  }
}

function writes(decision: Decision): boolean {
  return decision.kind === 'assign' || decision.kind === 'clear';
}

/** A refused write is tried again too: rights and admission rules change without a change of the Service. */
function retried(error: unknown): unknown {
  if (!(error instanceof KubeError) || error.retry !== 'never') return error;
  return new AppError('KUBE', error.message, { retry: 'backoff', cause: error });
}

function refOf(view: ServiceView): { type: typeof kinds.Service; namespace: string; name: string } {
  return { type: kinds.Service, namespace: view.namespace, name: view.name };
}

function involved(view: ServiceView): Parameters<EventRecorder['record']>[0] {
  const { namespace, name, uid } = view;
  return { apiVersion: 'v1', kind: 'Service', namespace, name, uid };
}
