/** The store of IPReservations, where there is such a kind and we may read it. */
import { metallbResources } from '#core/api/resources.ts';
import type { ReservationView } from '#core/ipam/reservation-plan.ts';
import { projectReservation } from '#core/ipam/reservation-view.ts';
import { optionalStore } from '#runtime/kube/optional-store.ts';
import type { Transport } from '#runtime/kube/transport.ts';
import type { KubeClient, Store } from '#runtime/kube/types.ts';
import type { WatchContext } from '#runtime/kube/watch-store.ts';

export interface ReservationStoreOptions {
  readonly transport: Transport;
  readonly client: Pick<KubeClient, 'list'>;
  readonly namespace: string;
  readonly context: WatchContext;
}

/** The store, complete; undefined (and one line in the log) when the kind is not installed or not allowed. */
export function reservationStore(
  options: ReservationStoreOptions,
): Promise<Store<ReservationView> | undefined> {
  const type = metallbResources.IPReservation;
  const { namespace, context } = options;
  const wanted = { type, namespace, project: projectReservation, feature: 'reservations are' };
  return optionalStore(options, wanted, context);
}
