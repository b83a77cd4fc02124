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

/** Applies the gate; `stop` means: whatever is announced of this Service is withdrawn, with this reason. */
export function gateService(service: ServiceView, pools: readonly Pool[]): ServiceGate {
  const stop = (reason: GateReason, message: string): ServiceGate => ({ kind: 'stop', reason, message });
  if (service.type !== 'LoadBalancer')
    return stop('notLoadBalancer', `spec.type is ${service.type}, not LoadBalancer`);
  if (service.ingress.length === 0)
    return stop('noIPAllocated', 'status.loadBalancer.ingress is empty: no address is assigned yet');
  const addresses: IpAddress[] = [];
  for (const [index, entry] of service.ingress.entries()) {
    const address = parseAddress(entry.ip);
    if (address === undefined)
      return stop(
        'invalidIP',
        `status.loadBalancer.ingress[${index}].ip ${JSON.stringify(entry.ip)} is no address`,
      );
    addresses.push(address);
  }
  const pool = poolOf(addresses, pools);
  if (pool === undefined)
    return stop(
      'ipNotAllowed',
      `no single IPAddressPool holds ${addresses.map(formatAddress).join(' and ')}`,
    );
  return { kind: 'pass', pool, addresses };
}
