/**
 * What a Service must fulfil before any protocol is asked (speaker-bgp.md §1.2, speaker-l2.md §2.4): it is a
 * load balancer, it has addresses, and one pool holds all of them.
 */
import type { Pool } from '#core/model/config.ts';
import { formatAddress, parseAddress, rangeContains, type IpAddress } from '#core/model/ip.ts';
import type { ServiceView } from '#core/model/views.ts';

export type GateReason = 'notLoadBalancer' | 'noIPAllocated' | 'invalidIP' | 'ipNotAllowed';

export type ServiceGate =
  | { readonly kind: 'pass'; readonly pool: Pool; readonly addresses: readonly IpAddress[] }
  | { readonly kind: 'stop'; readonly reason: GateReason; readonly message: string };

/** The pool whose ranges contain every one of the addresses. */
export function poolOf(addresses: readonly IpAddress[], pools: readonly Pool[]): Pool | undefined {
  return pools.find((pool) =>
    addresses.every((address) => pool.entries.some((entry) => rangeContains(entry.range, address))),
  );
}

/** Of each Service once: the same thousands are decided on again whenever the configuration changes. */
const parsedIngress = new WeakMap<ServiceView, readonly (IpAddress | undefined)[]>();

/** The addresses of the status; undefined in the place of what is none. */
function ingressOf(service: ServiceView): readonly (IpAddress | undefined)[] {
  const known = parsedIngress.get(service) ?? service.ingress.map(({ ip }) => parseAddress(ip));
  parsedIngress.set(service, known);
  return known;
}

/** Applies the gate; `stop` means: whatever is announced of this Service is withdrawn, with this reason. */
export function gateService(service: ServiceView, pools: readonly Pool[]): ServiceGate {
  const stop = (reason: GateReason, message: string): ServiceGate => ({ kind: 'stop', reason, message });
  if (service.type !== 'LoadBalancer')
    return stop('notLoadBalancer', `spec.type is ${service.type}, not LoadBalancer`);
  if (service.ingress.length === 0)
    return stop('noIPAllocated', 'status.loadBalancer.ingress is empty: no address is assigned yet');
  const parsed = ingressOf(service);
  const invalid = parsed.indexOf(undefined);
  if (invalid !== -1)
    return stop(
      'invalidIP',
      `status.loadBalancer.ingress[${invalid}].ip ${JSON.stringify(service.ingress[invalid]?.ip)} is no address`,
    );
  const addresses = parsed as readonly IpAddress[];
  const pool = poolOf(addresses, pools);
  if (pool === undefined)
    return stop(
      'ipNotAllowed',
      `no single IPAddressPool holds ${addresses.map(formatAddress).join(' and ')}`,
    );
  return { kind: 'pass', pool, addresses };
}
