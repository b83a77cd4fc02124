/**
 * When Services may share one address (controller.md §3.8): equal non-empty sharing keys, equal backend keys,
 * and no port in common.
 */
import type { Labels } from '#core/model/selector.ts';
import type { ServiceView } from '#core/model/views.ts';

/** What a Service brings along when it asks for an address. */
export interface Claim {
  /** `namespace/name`. */
  readonly key: string;
  readonly uid: string;
  readonly namespace: string;
  readonly labels: Labels;
  /** `PROTOCOL/number`, sorted, without duplicates. */
  readonly ports: readonly string[];
  /** Empty: the Service does not share. Not scoped by namespace. */
  readonly sharingKey: string;
  /** Under `externalTrafficPolicy: Local` the pod selector in canonical form, otherwise empty. */
  readonly backendKey: string;
}

/** Everybody on one address. All users have the same two keys. There is one for each address: nothing but a list. */
export interface AddressUse {
  sharingKey: string;
  backendKey: string;
  users: readonly Claim[];
}

export function emptyUse(): AddressUse {
  return { sharingKey: '', backendKey: '', users: [] };
}

/** The claim's Service is on the address from now on; its keys become the address's. */
export function joinUse(use: AddressUse, claim: Claim): void {
  use.sharingKey = claim.sharingKey;
  use.backendKey = claim.backendKey;
  use.users = use.users.filter(({ key }) => key !== claim.key).concat(claim);
}

export function leaveUse(use: AddressUse, claim: Claim): void {
  use.users = use.users.filter(({ key }) => key !== claim.key);
}

export function portsInUse(use: AddressUse): ReadonlySet<string> {
  return new Set(use.users.flatMap(({ ports }) => ports));
}

/** The keys of the users and of the claim do not go together. */
export interface KeyConflict {
  readonly rule: 'noKey' | 'othersHaveNoKey' | 'differentKey' | 'differentBackend';
  /** Keys of the other Services, sorted. */
  readonly others: readonly string[];
  /** Of the others. */
  readonly sharingKey: string;
  readonly backendKey: string;
}

export type SharingConflict =
  KeyConflict | { readonly rule: 'port'; readonly port: string; readonly others: readonly string[] };

const LEAVING = ' (until its record shows that it left ';

/** The key under which a Service is on an address that it gave up and that its record still shows. */
export function leavingKey(key: string, address: string): string {
  return `${key}${LEAVING}${address})`;
}

export function portsOf(service: ServiceView): string[] {
  return [...new Set(service.ports.map(({ protocol, port }) => `${protocol}/${port}`))].sort();
}

/** Canonical: equal for equal selectors, different for different ones; empty for an empty selector. */
export function backendKeyOf(service: ServiceView): string {
  if (service.externalTrafficPolicy !== 'Local') return '';
  const pairs = Object.entries(service.selector).sort(([a], [b]) => (a < b ? -1 : 1));
  return pairs.length === 0 ? '' : JSON.stringify(pairs);
}

/** For messages: the selector, as kubectl writes it. */
export function formatBackendKey(backendKey: string): string {
  if (backendKey === '') return 'policy Cluster or no selector';
  const pairs = JSON.parse(backendKey) as readonly (readonly [string, string])[];
  return `policy Local and selector ${pairs.map(([name, value]) => `${name}=${value}`).join(',')}`;
}

/** Why the claim cannot use an address that has these users; undefined when it can. */
export function sharingConflict(use: AddressUse | undefined, claim: Claim): SharingConflict | undefined {
  if (use === undefined) return undefined;
  // Who is there already is not driven out by those who leave.
  const present = use.users.some(({ key }) => key === claim.key);
  const others = use.users.filter(({ key }) => key !== claim.key && !(present && key.includes(LEAVING)));
  if (others.length === 0) return undefined;
  const rule = keyConflict(use, claim);
  if (rule !== undefined) {
    const { sharingKey, backendKey } = use;
    return { rule, others: others.map(({ key }) => key).sort(), sharingKey, backendKey };
  }
  for (const port of claim.ports) {
    const holder = others.find(({ ports }) => ports.includes(port));
    if (holder !== undefined) return { rule: 'port', port, others: [holder.key] };
  }
  return undefined;
}

function keyConflict(use: AddressUse, claim: Claim): KeyConflict['rule'] | undefined {
  if (claim.sharingKey === '') return 'noKey';
  if (use.sharingKey === '') return 'othersHaveNoKey';
  if (use.sharingKey !== claim.sharingKey) return 'differentKey';
  return use.backendKey === claim.backendKey ? undefined : 'differentBackend';
}
