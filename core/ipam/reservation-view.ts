/** From an IPReservation of the API server to what is kept of it. */
import { ipReservationV1beta1 } from '#core/api/ip-reservation.ts';
import type { ReservationView } from '#core/ipam/reservation-plan.ts';
import type { RawObject } from '#core/model/projections.ts';

/** Objects that the controller writes itself carry this label. */
export const MANAGED_BY = 'app.kubernetes.io/managed-by';
export const MANAGER = 'metallb-controller';

/** Undefined for an object that does not fit its schema: it was stored under another one. */
export function projectReservation(raw: RawObject): ReservationView | undefined {
  const result = ipReservationV1beta1.safeParse(raw);
  if (!result.success) return undefined;
  const { metadata, spec, status } = result.data;
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    automatic: metadata.labels?.[MANAGED_BY] === MANAGER,
    spec,
    status,
  };
}
