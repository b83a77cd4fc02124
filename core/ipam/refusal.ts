/** Why a Service cannot have an address: a stable code, and a text that names the rule and who is involved. */
import type { Claim, SharingConflict } from '#core/ipam/sharing.ts';
import { exclusionOf } from '#core/model/exclusions.ts';
import { formatAddress, isBuggy, type IpAddress } from '#core/model/ip.ts';
import type { Pool } from '#core/model/config.ts';

export type RefusalCode =
  | 'noPools'
  | 'noClusterIP'
  | 'clusterIPs'
  | 'invalidRequest'
  | 'requestFamily'
  | 'requestPool'
  | 'notInConfiguration'
  | 'unknownPool'
  | 'poolReserved'
  | 'families'
  | 'sharing'
  | 'portInUse'
  | 'reserved'
  | 'exhausted'
  | 'secondFamily';

export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
}

export function quoted(text: string): string {
  return JSON.stringify(text);
}

/** `["192.0.2.1" "2001:db8::1"]`, as MetalLB's messages show addresses. */
export function addressList(addresses: readonly IpAddress[]): string {
  return `[${addresses.map((address) => quoted(formatAddress(address))).join(' ')}]`;
}

/** `owners`: for each address the pool whose `spec.addresses` contain it. */
export function notInConfiguration(
  addresses: readonly IpAddress[],
  owners: readonly (Pool | undefined)[],
): Refusal {
  const causes = addresses.flatMap((address, index) => unusable(address, owners[index]) ?? []);
  const holders = addresses.map(
    (address, index) => `${formatAddress(address)} is of ${quoted(owners[index]?.name ?? '')}`,
  );
  const cause =
    causes.length > 0 ? causes.join(', and ') : `no single IPAddressPool contains it: ${holders.join(', ')}`;
  return {
    code: 'notInConfiguration',
    message: `${addressList(addresses)} is not allowed in the configuration: ${cause}`,
  };
}

/** Why nobody can have the address; undefined when its pool hands it out. */
function unusable(address: IpAddress, owner: Pool | undefined): string | undefined {
  const text = formatAddress(address);
  if (owner === undefined) return `no single IPAddressPool contains it: ${text} is in none`;
  const entry = exclusionOf(owner, address);
  if (entry !== undefined)
    return `${text} is excluded by entry ${quoted(entry)} of spec.excludedAddresses of IPAddressPool ${quoted(owner.name)}`;
  return owner.avoidBuggyIPs && isBuggy(address)
    ? `${text} ends in 0 or 255, which IPAddressPool ${quoted(owner.name)} avoids (avoidBuggyIPs)`
    : undefined;
}

export function poolReserved(pool: Pool, claim: Claim): Refusal {
  const { namespaces, serviceSelectors } = pool.serviceAllocation ?? {
    namespaces: undefined,
    serviceSelectors: [],
  };
  const wrongNamespace = namespaces !== undefined && !namespaces.includes(claim.namespace);
  const cause = wrongNamespace
    ? `namespace ${quoted(claim.namespace)} is not among its serviceAllocation namespaces`
    : `the Service's labels match none of its ${serviceSelectors.length} serviceAllocation serviceSelectors`;
  return {
    code: 'poolReserved',
    message: `pool ${quoted(pool.name)} is reserved for other Services, not compatible with ${quoted(claim.key)}: ${cause}`,
  };
}

export function badFamilies(addresses: readonly IpAddress[]): Refusal {
  return {
    code: 'families',
    message: `${addressList(addresses)}: a Service has one address, or one IPv4 and one IPv6 address`,
  };
}

const RULES = {
  noKey: 'this Service has no sharing key (annotation metallb.io/allow-shared-ip)',
  othersHaveNoKey: 'they have no sharing key (annotation metallb.io/allow-shared-ip)',
  differentKey: 'their sharing key (annotation metallb.io/allow-shared-ip) is another one',
  differentBackend:
    'with externalTrafficPolicy Local only Services with the same selector can share, and theirs is different',
} as const;

/** Names the address, the other Services (at most ten) and the rule. */
export function sharingRefusal(address: IpAddress, conflict: SharingConflict): Refusal {
  const text = formatAddress(address);
  if (conflict.rule === 'port') {
    return {
      code: 'portInUse',
      message: `port ${conflict.port} is already in use on ${quoted(text)} by ${conflict.others.join(',')}`,
    };
  }
  const more = conflict.others.length > 10 ? ` and ${conflict.others.length - 10} more` : '';
  const others = conflict.others.slice(0, 10).join(',');
  return {
    code: 'sharing',
    message: `can't change sharing key: address ${quoted(text)} is also in use by ${others}${more}, and ${RULES[conflict.rule]}`,
  };
}
