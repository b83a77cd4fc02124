/**
 * IPReservation objects: what they say goes to the allocations, what Services ask for becomes objects, what has
 * expired is deleted. Where the kind is not installed, nothing of this happens.
 */
import { metallbResources } from '#core/api/resources.ts';
import type { IPReservationSpec } from '#core/api/ip-reservation.ts';
import type { Effects, Ipam } from '#core/ipam/ipam.ts';
import {
  automaticName,
  planReservation,
  reservationOf,
  wantedSpec,
  type ReservationPlan,
  type ReservationView,
} from '#core/ipam/reservation-plan.ts';
import { MANAGED_BY, MANAGER } from '#core/ipam/reservation-view.ts';
import type { ServiceView } from '#core/model/views.ts';
import { reservationStatus, type ReservationStatus } from '#core/status/reservation-status.ts';
import { transitionTime, wholeSeconds } from '#core/status/transition.ts';
import { reservationRefused } from '#core/status/service-events.ts';
import { unless } from '#runtime/kube/unless.ts';
import type { EventRecorder } from '#runtime/kube/events.ts';
import { KubeError, type KubeClient, type Store, type StoreChange } from '#runtime/kube/types.ts';
import type { Logger } from '#runtime/log/logger.ts';
import { done, type Outcome } from '#runtime/queue/types.ts';

export interface ReservationLoopOptions {
  readonly ipam: Ipam;
  readonly reservations: Store<ReservationView>;
  readonly services: Pick<Store<ServiceView>, 'get'>;
  readonly namespace: string;
  readonly client: Pick<KubeClient, 'create' | 'patch' | 'delete'>;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly logger: Logger;
  /** Whether a Service is of our load balancer class. */
  readonly handles: (service: ServiceView) => boolean;
  /** Looks at an object, or at one that is to be, by name. */
  readonly look: (name: string) => void;
  readonly onEffects: (effects: Effects) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A timer may be this long; a later look sets the next one. */
const LONGEST_WAIT_MS = 3_600_000;
/** How soon a reservation that others are in the way of is looked at again. */
const BLOCKED_MS = 30_000;
/** How soon a write that we have no right to is tried again. */
const REFUSED_MS = 30_000;
/** An object that was written just before its time is up is not looked at too early. */
const MARGIN_MS = 50;

export class ReservationLoop {
  readonly #options: ReservationLoopOptions;
  /** What Services asked for when they were last seen, until the object shows it. */
  readonly #wanted = new Map<string, IPReservationSpec>();
  /** Names of objects of which it was told that they may not be written. */
  readonly #refused = new Set<string>();

  constructor(options: ReservationLoopOptions) {
    this.#options = options;
  }

  /** Before anything is allocated: all objects are in force, all wishes are known. */
  takeOver(services: Iterable<ServiceView>): void {
    const { reservations, look } = this.#options;
    for (const view of reservations.values()) {
      this.#enforce(view.name, view.spec);
      look(view.name);
    }
    for (const service of services) this.serviceChanged({ key: service.key, old: undefined, now: service });
  }

  /** Synchronous, so that a Service that goes has its addresses reserved before they are free. */
  serviceChanged({ key, old, now }: StoreChange<ServiceView>): void {
    const view = now ?? old;
    if (view === undefined) return;
    const name = automaticName(view);
    this.#note(name, view, now);
    const { ipam, look } = this.#options;
    const named = ipam.allocations.reservations.of(key).map((reservation) => reservation.name);
    for (const one of new Set([...named, ...(this.#wanted.has(name) ? [name] : [])])) look(one);
  }

  /** Remembers the wish of a Service. One that is gone, or was a load balancer, still has the wish that it had. */
  #note(name: string, view: ServiceView, now: ServiceView | undefined): void {
    const stored = this.#stored(name);
    const wanted = this.#options.handles(view) ? wantedSpec(view) : undefined;
    if (wanted !== undefined && stored?.automatic !== false) this.#want(name, wanted, stored);
    else if (now?.type === 'LoadBalancer' && now.ingress.length > 0 && this.#wanted.delete(name))
      this.#enforce(name, stored?.spec);
  }

  #want(name: string, wanted: IPReservationSpec, stored: ReservationView | undefined): void {
    if (this.#shows(stored, wanted)) return;
    this.#wanted.set(name, wanted);
    this.#enforce(name, wanted);
  }

  /** The store's content changed. */
  objectChanged({ old, now }: StoreChange<ReservationView>): void {
    const name = now?.name ?? old?.name ?? '';
    const wanted = this.#wanted.get(name);
    if (
      now !== undefined &&
      (wanted === undefined || this.#shows(now, wanted) || now.spec.expiresAt !== undefined)
    )
      this.#wanted.delete(name);
    this.#enforce(name, this.#wanted.get(name) ?? now?.spec);
    this.#options.look(name);
  }

  /** Pools changed: what became of each reservation may be another thing. */
  lookAtAll(): void {
    for (const { name } of this.#options.reservations.values()) this.#options.look(name);
  }

  /** The handler of the queue `reservations`; keys are names of objects. */
  async reconcile(name: string, signal: AbortSignal): Promise<Outcome> {
    const object = this.#stored(name);
    const plan = planReservation({
      object,
      service: this.#service(object?.spec ?? this.#wanted.get(name)),
      wanted: this.#wanted.get(name),
      now: this.#options.now(),
    });
    const blocked = await this.#allowed(name, plan.kind, this.#apply(name, object, plan, signal));
    if (blocked === undefined) return { kind: 'after', ms: REFUSED_MS };
    const afterMs = plan.kind === 'keep' ? plan.afterMs : undefined;
    if (afterMs === undefined && !blocked) return done;
    const longest = blocked ? BLOCKED_MS : LONGEST_WAIT_MS;
    return { kind: 'after', ms: Math.min((afterMs ?? longest) + MARGIN_MS, longest) };
  }

  /** What the call gives; undefined when we have no right to it, which is told once. */
  async #allowed(
    name: string,
    kind: ReservationPlan['kind'],
    call: Promise<boolean>,
  ): Promise<boolean | undefined> {
    try {
      const result = await call;
      // What is only kept may not have been written at all.
      if (kind !== 'keep') this.#refused.delete(name);
      return result;
    } catch (error) {
      if (!(error instanceof KubeError && error.status === 403)) throw error;
      if (!this.#refused.has(name)) this.#tellRefusal(name, error);
      this.#refused.add(name);
      return undefined;
    }
  }

  #tellRefusal(name: string, error: KubeError): void {
    const { events, logger } = this.#options;
    logger.error('an IPReservation cannot be written; addresses are given all the same', { name, error });
    const service = this.#service(this.#stored(name)?.spec ?? this.#wanted.get(name));
    if (service === undefined) return;
    const { namespace, name: of, uid } = service;
    events.record(
      { apiVersion: 'v1', kind: 'Service', namespace, name: of, uid },
      reservationRefused(name, error.message),
    );
  }

  /** True when others are in the way of the reservation. */
  async #apply(
    name: string,
    object: ReservationView | undefined,
    plan: ReservationPlan,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (plan.kind === 'keep') return object !== undefined && this.#tell(object, signal);
    if (plan.kind === 'create') await this.#create(name, plan.spec, signal);
    else if (object !== undefined && plan.kind === 'replace') await this.#replace(object, plan.spec, signal);
    else if (object !== undefined) await this.#delete(object, signal);
    this.#options.logger.info('reservation', { name, do: plan.kind, reason: plan.reason });
    return false;
  }

  #stored(name: string): ReservationView | undefined {
    return this.#options.reservations.get(`${this.#options.namespace}/${name}`);
  }

  #service(spec: IPReservationSpec | undefined): ServiceView | undefined {
    const service = spec && this.#options.services.get(`${spec.service.namespace}/${spec.service.name}`);
    return service !== undefined && this.#options.handles(service) ? service : undefined;
  }

  #shows(stored: ReservationView | undefined, wanted: IPReservationSpec): boolean {
    return stored !== undefined && stored.spec.addresses.join() === wanted.addresses.join();
  }

  #enforce(name: string, spec: IPReservationSpec | undefined): void {
    const reservation = spec && reservationOf(name, spec);
    this.#options.onEffects(
      this.#options.ipam.reserve(name, typeof reservation === 'string' ? undefined : reservation),
    );
  }

  async #create(name: string, spec: IPReservationSpec, signal: AbortSignal): Promise<void> {
    const { namespace, client } = this.#options;
    const metadata = { name, namespace, labels: { [MANAGED_BY]: MANAGER } };
    const type = metallbResources.IPReservation;
    const object = { apiVersion: `${type.group}/${type.version}`, kind: type.kind, metadata, spec };
    await unless(409, client.create(type, object, { signal }));
  }

  async #replace(object: ReservationView, spec: IPReservationSpec, signal: AbortSignal): Promise<void> {
    const { expiresAt = null, ...rest } = spec;
    const body = { metadata: { resourceVersion: object.resourceVersion }, spec: { ...rest, expiresAt } };
    await unless(404, this.#options.client.patch(this.#ref(object), body, { signal }));
  }

  async #delete(object: ReservationView, signal: AbortSignal): Promise<void> {
    const { uid, resourceVersion } = object;
    await unless(404, this.#options.client.delete(this.#ref(object), { uid, resourceVersion, signal }));
  }

  /** Writes the status if it differs; true when others are in the way of the reservation. */
  async #tell(object: ReservationView, signal: AbortSignal): Promise<boolean> {
    const { ipam, client, now } = this.#options;
    const wanted = reservationStatus(reservationOf(object.name, object.spec), ipam.allocations);
    const stored = (object.status ?? {}) as { pool?: string; conditions?: readonly Record<string, string>[] };
    const before = stored.conditions?.find(({ type }) => type === 'Reserved');
    const blocked = wanted.reason === 'InUseByOthers';
    if (stored.pool === wanted.pool && before !== undefined && sameCondition(before, wanted)) return blocked;
    const { pool = null, status, reason, message } = wanted;
    const lastTransitionTime = transitionTime(before, status, wholeSeconds(new Date(now())));
    const conditions = [{ type: 'Reserved', status, reason, message, lastTransitionTime }];
    const body = { status: { pool, conditions } };
    await unless(404, client.patch(this.#ref(object), body, { subresource: 'status', signal }));
    return blocked;
  }

  #ref({ name }: ReservationView) {
    return { type: metallbResources.IPReservation, namespace: this.#options.namespace, name };
  }
}

function sameCondition(stored: Readonly<Record<string, string>>, wanted: ReservationStatus): boolean {
  return (
    stored['status'] === wanted.status &&
    stored['reason'] === wanted.reason &&
    stored['message'] === wanted.message
  );
}
