/** The store of IPReservations, where there is such a kind and we may read it. */
import { metallbResources } from '#core/api/resources.ts';
import type { ReservationView } from '#core/ipam/reservation-plan.ts';
import { projectReservation } from '#core/ipam/reservation-view.ts';
import { optionalStore, type OptionalStore } from '#runtime/kube/optional-store.ts';
import type { Transport } from '#runtime/kube/transport.ts';
import type { WatchContext } from '#runtime/kube/watch-store.ts';

export function reservationStore(
  transport: Transport,
  namespace: string,
  context: WatchContext,
): OptionalStore<ReservationView> {
  const type = metallbResources.IPReservation;
  return optionalStore(
    transport,
    { type, namespace, project: projectReservation, feature: 'reservations are' },
    context,
  );
}
