/** What a Service asks for: addresses, a pool, a sharing key (controller.md §2.2). */
import {
  ADDRESS_POOL,
  ALLOW_SHARED_IP,
  LEGACY_ANNOTATION_PREFIX,
  LOAD_BALANCER_IPS,
  readAnnotation,
  type AnnotationName,
} from '#core/api/annotations.ts';
import { familyOf } from '#core/ipam/families.ts';
import { quoted } from '#core/ipam/refusal.ts';
import { backendKeyOf, portsOf, type Claim } from '#core/ipam/sharing.ts';
import { parseAddress, type IpAddress } from '#core/model/ip.ts';
import type { ServiceView } from '#core/model/views.ts';

export type AddressRequest =
  | { readonly kind: 'none' }
  | { readonly kind: 'addresses'; readonly addresses: readonly IpAddress[] }
  | { readonly kind: 'invalid'; readonly message: string };

/** The new spelling wins when its key is present, even with an empty value; absent counts as empty. */
function annotation(service: ServiceView, name: AnnotationName): string {
  return readAnnotation(service.annotations, name) ?? '';
}

export function requestedPool(service: ServiceView): string {
  return annotation(service, ADDRESS_POOL);
}

/** Addresses in the order in which the user wrote them. */
export function requestedAddresses(service: ServiceView): AddressRequest {
  const listed = annotation(service, LOAD_BALANCER_IPS);
  const single = service.loadBalancerIP;
  if (listed === '' && single === '') return { kind: 'none' };
  if (listed !== '' && single !== '') {
    return {
      kind: 'invalid',
      message: `annotation metallb.io/loadBalancerIPs (${quoted(listed)}) and spec.loadBalancerIP (${quoted(single)}) are both set: remove one of them`,
    };
  }
  return listed === '' ? parseSingle(single) : parseListed(listed);
}

function parseSingle(text: string): AddressRequest {
  const address = parseAddress(text);
  return address === undefined
    ? { kind: 'invalid', message: `invalid spec.loadBalancerIP ${quoted(text)}: it must be an IP address` }
    : { kind: 'addresses', addresses: [address] };
}

function parseListed(text: string): AddressRequest {
  const addresses = text.split(',').map((part) => parseAddress(part.trim()));
  if (familyOf(addresses) === undefined) {
    return {
      kind: 'invalid',
      message: `invalid annotation metallb.io/loadBalancerIPs ${quoted(text)}: it must hold one IP address, or one IPv4 and one IPv6 address separated by a comma`,
    };
  }
  return {
    kind: 'addresses',
    addresses: addresses.filter((address): address is IpAddress => address !== undefined),
  };
}

export function claimOf(service: ServiceView): Claim {
  return {
    key: service.key,
    uid: service.uid,
    namespace: service.namespace,
    labels: service.labels,
    ports: portsOf(service),
    sharingKey: annotation(service, ALLOW_SHARED_IP),
    backendKey: backendKeyOf(service),
  };
}

/** Names of the annotations under the deprecated prefix, sorted. */
export function legacyAnnotations(service: ServiceView): string[] {
  return Object.keys(service.annotations)
    .filter((name) => name.startsWith(LEGACY_ANNOTATION_PREFIX))
    .sort();
}
