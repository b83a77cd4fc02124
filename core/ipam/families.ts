/** Address families of Services and of recorded addresses (controller.md §2.3, §2.6). */
import { parseAddress, type Family, type IpAddress } from '#core/model/ip.ts';
import type { ServiceView } from '#core/model/views.ts';

export type StackFamily = Family | 'dual';

/** One address → its family; two of different families → `dual`; anything else → undefined. */
export function familyOf(addresses: readonly (IpAddress | undefined)[]): StackFamily | undefined {
  const [first, second] = addresses;
  if (first === undefined || addresses.length > 2) return undefined;
  if (addresses.length === 1) return first.family;
  return second === undefined || second.family === first.family ? undefined : 'dual';
}

/** The family of the cluster IPs, not of `spec.ipFamilies`. Undefined without a usable one (e.g. `None`). */
export function serviceFamily(service: ServiceView): StackFamily | undefined {
  return familyOf(service.clusterIPs.map(parseAddress));
}

/** The family that `spec.ipFamilies` names first; IPv4 unless it says IPv6. */
export function primaryFamily(service: ServiceView): Family {
  return service.ipFamilies[0] === 'IPv6' ? 'ipv6' : 'ipv4';
}

export function otherFamily(family: Family): Family {
  return family === 'ipv4' ? 'ipv6' : 'ipv4';
}

/** True when addresses of this family no longer suit the Service (controller.md §2.6). */
export function familyChanged(
  recorded: StackFamily | undefined,
  wanted: StackFamily,
  policy: ServiceView['ipFamilyPolicy'],
): boolean {
  if (recorded === wanted) return false;
  const tolerated = recorded !== undefined && wanted === 'dual' && policy === 'PreferDualStack';
  return !tolerated;
}
