/** Annotations on Services that we read or write (api.md §10.1). */

/** An annotation and the spelling older manifests use; the new one wins whenever it is present, even when empty. */
export interface AnnotationName {
  readonly name: string;
  readonly legacy: string;
}

/** Prefix of the old spelling; each annotation under it earns a `deprecatedAnnotation` event. */
export const LEGACY_ANNOTATION_PREFIX = 'metallb.universe.tf';

const named = (suffix: string): AnnotationName => ({
  name: `metallb.io/${suffix}`,
  legacy: `${LEGACY_ANNOTATION_PREFIX}/${suffix}`,
});

/** Allocate from this pool. */
export const ADDRESS_POOL = named('address-pool');
/** Requested addresses: one, or two of different families, comma separated. */
export const LOAD_BALANCER_IPS = named('loadBalancerIPs');
/** Sharing key: Services with the same key may share an address. */
export const ALLOW_SHARED_IP = named('allow-shared-ip');
/** Name of the node that should announce the Service by Layer 2 while it can. Ours; MetalLB does not know it. */
export const L2_NODE = named('l2-node');
/** How long the Service's addresses stay reserved for it when it goes, such as `24h`. Ours. */
export const RESERVE_FOR = named('reserve-for');
/** Written by the controller, in the same write as the addresses: the pool they came from. Only the new spelling. */
export const ALLOCATED_FROM_POOL = 'metallb.io/ip-allocated-from-pool';

/** Reads an annotation in either spelling; undefined when the object has neither. */
export function readAnnotation(
  annotations: Readonly<Record<string, string>>,
  { name, legacy }: AnnotationName,
): string | undefined {
  return annotations[name] ?? annotations[legacy];
}
