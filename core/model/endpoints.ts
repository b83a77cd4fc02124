/** Which endpoints of a Service can take traffic. Used by BGP, by Layer 2 and by whoever explains their choice. */
import type { Family } from '#core/model/ip.ts';
import type { Endpoint, EndpointSliceView } from '#core/model/views.ts';

/** Endpoints that can serve, counted over all slices of a Service. */
export interface Serving {
  readonly total: number;
  /** Node name → number of serving endpoints there. Endpoints that name no node count only in `total`. */
  readonly perNode: ReadonlyMap<string, number>;
}

/**
 * True when traffic may go to the endpoint: it has an address, and it is ready (unset counts as ready) or
 * still serving while it terminates (speaker-l2.md §2.6).
 */
export function canServe(endpoint: Endpoint): boolean {
  return endpoint.addresses.length > 0 && (endpoint.ready !== false || endpoint.serving === true);
}

const nowhere: ReadonlySet<string> = new Set();

/**
 * Counts the endpoints that can serve in all slices of one Service, of one address family or of both. Those on a node
 * in `gone` do not count: it is known to be dead, while the slices say so only after Kubernetes' 40 s.
 */
export function servingEndpoints(
  slices: Iterable<EndpointSliceView>,
  gone: ReadonlySet<string> = nowhere,
  family?: Family,
): Serving {
  const perNode = new Map<string, number>();
  let total = 0;
  for (const slice of slices) {
    if (family !== undefined && slice.family !== undefined && slice.family !== family) continue;
    for (const endpoint of slice.endpoints) {
      if (!canServe(endpoint) || gone.has(endpoint.nodeName)) continue;
      total += 1;
      if (endpoint.nodeName !== '') perNode.set(endpoint.nodeName, (perNode.get(endpoint.nodeName) ?? 0) + 1);
    }
  }
  return { total, perNode };
}
