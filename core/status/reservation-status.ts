/** The status of an IPReservation: one condition, `Reserved`, and the pool of the addresses. */
import type { Allocations } from '#core/ipam/allocations.ts';
import type { Reservation } from '#core/ipam/reservations.ts';
import { formatAddress } from '#core/model/ip.ts';

export interface ReservationStatus {
  readonly pool: string | undefined;
  readonly status: 'True' | 'False';
  readonly reason: 'Reserved' | 'InUse' | 'InUseByOthers' | 'NotInPool' | 'Invalid';
  readonly message: string;
}

/** What became of a reservation; text: what is wrong with its spec. */
export function reservationStatus(
  reservation: Reservation | string,
  allocations: Allocations,
): ReservationStatus {
  if (typeof reservation === 'string')
    return { pool: undefined, status: 'False', reason: 'Invalid', message: reservation };
  const { addresses, owner } = reservation;
  const pool = allocations.poolOf(addresses)?.name;
  const list = addresses.map(formatAddress).join(', ');
  if (pool === undefined) {
    const message = `no single IPAddressPool hands out ${list}: the reservation waits for one`;
    return { pool, status: 'False', reason: 'NotInPool', message };
  }
  const users = addresses.flatMap((address) => (allocations.use(address)?.users ?? []).map(({ key }) => key));
  if (users.includes(owner)) return { pool, status: 'True', reason: 'InUse', message: `used by ${owner}` };
  if (users.length === 0)
    return { pool, status: 'True', reason: 'Reserved', message: `${list} waits for ${owner}` };
  const others = [...new Set(users)].slice(0, 10).join(', ');
  const message = `${list} is in use by ${others}, who may stay; it is kept for ${owner} from then on`;
  return { pool, status: 'False', reason: 'InUseByOthers', message };
}
