/** The controller's Events on Services: reasons are a visible contract (controller.md §2.10), one of them with spaces. */
import type { Reservation } from '#core/ipam/reservations.ts';
import { addressList, quoted, type Refusal } from '#core/ipam/refusal.ts';
import type { IpAddress } from '#core/model/ip.ts';
import type { ServiceView } from '#core/model/views.ts';

export interface ServiceEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

const list = (texts: readonly string[]): string => `[${texts.map(quoted).join(' ')}]`;

export function allocated(addresses: readonly IpAddress[]): ServiceEvent {
  return { type: 'Normal', reason: 'IPAllocated', message: `Assigned IP ${addressList(addresses)}` };
}

export function allocatedAdditional(address: IpAddress): ServiceEvent {
  return {
    type: 'Normal',
    reason: 'IPAllocated',
    message: `Assigned additional IP ${addressList([address])}`,
  };
}

export function assignmentCleared(key: string, refusal: Refusal): ServiceEvent {
  return {
    type: 'Normal',
    reason: 'ClearAssignment',
    message: `The current IP of ${quoted(key)} is not allowed by the configuration, a new one will be tried: ${refusal.message}`,
  };
}

export function additionalFailed(key: string, refusal: Refusal): ServiceEvent {
  return {
    type: 'Normal',
    reason: 'AdditionalAssignFailed',
    message: `Cannot add a second IP to ${quoted(key)} for PreferDualStack: ${refusal.message}`,
  };
}

export function allocationFailed(key: string, refusal: Refusal): ServiceEvent {
  return {
    type: 'Warning',
    reason: 'AllocationFailed',
    message: `Failed to allocate IP for ${quoted(key)}: ${refusal.message}`,
  };
}

export function requestInvalid(message: string): ServiceEvent {
  return {
    type: 'Warning',
    reason: 'LoadBalancerFailed',
    message: `Invalid requested addresses, the present ones are kept: ${message}`,
  };
}

export function notEnoughClusterIPs(service: ServiceView): ServiceEvent {
  return {
    type: 'Warning',
    reason: 'not enough clusterips',
    message: `RequireDualStack needs two cluster IPs, the Service has ${list(service.clusterIPs)}`,
  };
}

export function recordedFamilyUnknown(service: ServiceView): ServiceEvent {
  return {
    type: 'Warning',
    reason: 'nolbIPsIPFamily',
    message: `Cannot tell the IP family of the recorded addresses ${list(service.ingress.map((entry) => entry.ip))}: one IP address, or one of each family, is expected`,
  };
}

export function clusterFamilyUnknown(service: ServiceView): ServiceEvent {
  return {
    type: 'Warning',
    reason: 'noclusterIPsIPFamily',
    message: `Cannot tell the IP family of the cluster IPs ${list(service.clusterIPs)}: one IP address, or one of each family, is expected`,
  };
}

export function reserveForIgnored(message: string): ServiceEvent {
  return { type: 'Warning', reason: 'InvalidReserveFor', message };
}

export function reservationUsed({ name, addresses }: Reservation): ServiceEvent {
  const message = `The Service has addresses that were reserved for it: ${addressList(addresses)} (IPReservation ${quoted(name)})`;
  return { type: 'Normal', reason: 'ReservationUsed', message };
}

export function reservationNotUsed({ name, addresses }: Reservation): ServiceEvent {
  const message = `The Service got other addresses than ${addressList(addresses)}, which IPReservation ${quoted(name)} keeps for it: they are requested otherwise, not in a pool that it may use, or in use by others`;
  return { type: 'Warning', reason: 'ReservationNotUsed', message };
}

export function reservationRefused(name: string, problem: string): ServiceEvent {
  const message = `IPReservation ${quoted(name)} cannot be written, so the addresses are kept only as long as this controller runs: ${problem}`;
  return { type: 'Warning', reason: 'ReservationFailed', message };
}

export function deprecatedAnnotation(name: string): ServiceEvent {
  return {
    type: 'Warning',
    reason: 'deprecatedAnnotation',
    message: `Annotation ${quoted(name)} is deprecated: use the prefix metallb.io/ instead`,
  };
}
