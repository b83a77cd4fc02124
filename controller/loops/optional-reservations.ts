/** Reservations where the kind IPReservation is installed, now or later: without it, nothing of this does anything. */
import { metallbResources } from '#core/api/resources.ts';
import type { ReservationView } from '#core/ipam/reservation-plan.ts';
import { projectReservation } from '#core/ipam/reservation-view.ts';
import type { ServiceView } from '#core/model/views.ts';
import { ReservationLoop, type ReservationLoopOptions } from '#controller/loops/reservations.ts';
import { optionalStore } from '#runtime/kube/optional-store.ts';
import type { Transport } from '#runtime/kube/transport.ts';
import type { Store, StoreChange } from '#runtime/kube/types.ts';
import type { WatchContext } from '#runtime/kube/watch-store.ts';
import { done, type Outcome } from '#runtime/queue/types.ts';

export interface OptionalReservationsOptions extends Omit<ReservationLoopOptions, 'reservations'> {
  /** All Services as they are now, for when the kind is installed later. */
  readonly newest: () => Iterable<ServiceView>;
}

export class OptionalReservations {
  readonly #options: OptionalReservationsOptions;
  #loop: ReservationLoop | undefined;
  #isActive = false;

  constructor(options: OptionalReservationsOptions) {
    this.#options = options;
  }

  /** Starts to watch; resolves when the reservations are in, or it is known that there are none to be had. */
  async watch(transport: Transport, context: WatchContext): Promise<void> {
    const { store, isThere } = optionalStore(
      transport,
      {
        type: metallbResources.IPReservation,
        namespace: this.#options.namespace,
        project: projectReservation,
        feature: 'reservations are',
      },
      context,
    );
    void store.synced.then(() => this.#open(store));
    await isThere;
  }

  #open(reservations: Store<ReservationView>): void {
    const loop = new ReservationLoop({ ...this.#options, reservations });
    this.#loop = loop;
    reservations.onChange((change) => {
      if (this.#isActive) loop.objectChanged(change);
    });
    if (this.#isActive) loop.takeOver(this.#options.newest());
  }

  /** From now on we decide: before anything is allocated, all objects are in force. */
  activate(): void {
    this.#isActive = true;
    this.#loop?.takeOver(this.#options.newest());
  }

  serviceChanged(change: StoreChange<ServiceView>): void {
    if (this.#isActive) this.#loop?.serviceChanged(change);
  }

  /** Pools changed: what became of each reservation may be another thing. */
  lookAtAll(): void {
    this.#loop?.lookAtAll();
  }

  /** The handler of the queue `reservations`; keys are names of objects. */
  async reconcile(name: string, signal: AbortSignal): Promise<Outcome> {
    return (await this.#loop?.reconcile(name, signal)) ?? done;
  }
}
