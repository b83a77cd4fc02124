/** Why a Service cannot have an address: a stable code, and a text that names the rule and who is involved. */
import { formatBackendKey, type Claim, type KeyConflict, type SharingConflict } from '#core/ipam/sharing.ts';
import { exclusionOf } from '#core/model/exclusions.ts';
import { formatAddress, isBuggy, type IpAddress } from '#core/model/ip.ts';
import type { Pool } from '#core/model/config.ts';
import { formatSelector, selectsAny, type Selector } from '#core/model/selector.ts';

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
  return {
    code: 'poolReserved',
    message: `pool ${quoted(pool.name)} is reserved for other Services, not compatible with ${quoted(claim.key)}: ${failedConditions(pool, claim).join(', and ')}`,
  };
}

/** Which conditions of the pool's `serviceAllocation` the Service does not meet. */
export function failedConditions({ serviceAllocation }: Pool, { namespace, labels }: Claim): string[] {
  if (serviceAllocation === undefined) return [];
  const { namespaces, namespaceSelectors, serviceSelectors } = serviceAllocation;
  const failed: string[] = [];
  if (namespaces !== undefined && !namespaces.includes(namespace)) {
    const listed = 'not listed in serviceAllocation.namespaces';
    const matched = `matched by none of serviceAllocation.namespaceSelectors (${selectorList(namespaceSelectors)})`;
    failed.push(
      `namespace ${quoted(namespace)} is ${namespaceSelectors.length === 0 ? listed : `${matched} and ${listed}`}`,
    );
  }
  if (!selectsAny(serviceSelectors, labels)) {
    const own = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
    failed.push(
      `the Service's labels (${own.join(',') || 'none'}) match none of serviceAllocation.serviceSelectors (${selectorList(serviceSelectors)})`,
    );
  }
  return failed;
}

/** At most five of them. */
function selectorList(selectors: readonly Selector[]): string {
  const shown = selectors.slice(0, 5).map(formatSelector);
  return [...shown, ...(selectors.length > 5 ? [`${selectors.length - 5} more`] : [])].join(' or ');
}

export function badFamilies(addresses: readonly IpAddress[]): Refusal {
  return {
    code: 'families',
    message: `${addressList(addresses)}: a Service has one address, or one IPv4 and one IPv6 address`,
  };
}

/** Names the address, the other Services (at most ten), the Service itself, and the rule with what is on both sides. */
export function sharingRefusal(address: IpAddress, conflict: SharingConflict, claim: Claim): Refusal {
  const text = formatAddress(address);
  if (conflict.rule === 'port') {
    return {
      code: 'portInUse',
      message: `port ${conflict.port} is already in use on ${quoted(text)} by ${conflict.others.join(',')}, ${quoted(claim.key)} wants it too`,
    };
  }
  const more = conflict.others.length > 10 ? ` and ${conflict.others.length - 10} more` : '';
  const others = conflict.others.slice(0, 10).join(',');
  return {
    code: 'sharing',
    message: `can't change sharing key: address ${quoted(text)} is also in use by ${others}${more}, and ${ruleOf(conflict, claim)}`,
  };
}

const ANNOTATION = '(annotation metallb.io/allow-shared-ip)';

/** What others have is shown to those only who may see it anyway: a key is all that it takes to join an address. */
function ruleOf(conflict: KeyConflict, claim: Claim): string {
  const { rule, others, sharingKey, backendKey } = conflict;
  const seen = others.some((key) => key.startsWith(`${claim.namespace}/`));
  const own = quoted(claim.key);
  switch (rule) {
    case 'noKey':
      return `${own} has no sharing key ${ANNOTATION}${seen && sharingKey !== '' ? `, theirs is ${quoted(sharingKey)}` : ''}`;
    case 'othersHaveNoKey':
      return `they have no sharing key ${ANNOTATION}, that of ${own} is ${quoted(claim.sharingKey)}`;
    case 'differentKey':
      return `their sharing key ${ANNOTATION} is ${seen ? quoted(sharingKey) : 'another one'}, that of ${own} is ${quoted(claim.sharingKey)}`;
    case 'differentBackend':
      return `with externalTrafficPolicy Local only Services with the same selector can share: ${seen ? `theirs has ${formatBackendKey(backendKey)}` : 'theirs is different'}, ${own} has ${formatBackendKey(claim.backendKey)}`;
  }
}
