/** What is recorded on a Service, and the record that a decision wants there. */
import { ALLOCATED_FROM_POOL } from '#core/api/annotations.ts';
import { formatAddress, parseAddress, type IpAddress } from '#core/model/ip.ts';
import type { ServiceView } from '#core/model/views.ts';

/** Addresses of the status entries that have one; undefined for text that is no address. */
export function recordedAddresses(service: ServiceView): (IpAddress | undefined)[] {
  return service.ingress.filter((entry) => entry.ip !== '').map((entry) => parseAddress(entry.ip));
}

/**
 * Whether the Service's record is exactly this: the same addresses, in this order and in canonical text, and
 * the pool's name. `ipMode` is the API server's and does not count; foreign `hostname` and `ports` do
 * (controller.md §2.4, Q7). For no addresses `pool` is undefined.
 */
export function recordMatches(
  service: ServiceView,
  addresses: readonly IpAddress[],
  pool: string | undefined,
): boolean {
  return (
    service.annotations[ALLOCATED_FROM_POOL] === pool &&
    service.ingress.length === addresses.length &&
    service.ingress.every((entry, index) => {
      const address = addresses[index];
      return (
        address !== undefined &&
        entry.ip === formatAddress(address) &&
        entry.hostname === '' &&
        !entry.hasPorts
      );
    })
  );
}
