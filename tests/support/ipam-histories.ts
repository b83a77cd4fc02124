/** Histories of Services, pools and namespaces at random: what may happen, and what must hold whatever happens. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { claimOf } from '#core/ipam/request.ts';
import { emptyUse, joinUse, sharingConflict, type AddressUse } from '#core/ipam/sharing.ts';
import type { Pool } from '#core/model/config.ts';
import type { ServiceView } from '#core/model/views.ts';
import { compiled, pool as poolObject, type TestObject } from './config-factories.ts';
import { app, ask, pool, tcp, type ServiceOptions } from './ipam.ts';

/** Small, so that there is not enough for everybody. */
const POOL_SETS: readonly (readonly Pool[])[] = [
  [pool('a', ['192.0.2.0/31'])],
  [pool('a', ['192.0.2.0/31', '2001:db8::/127']), pool('b', ['192.0.2.4/32'])],
  [pool('b', ['192.0.2.0/30'], { excluded: ['192.0.2.0', '192.0.2.2/31'] }), pool('v6', ['2001:db8::/127'])],
  [pool('b', ['192.0.2.0/30']), pool('v6', ['2001:db8::/127'])],
  [
    pool('a', ['192.0.2.1/32', '192.0.2.0/32', '2001:db8::/127'], {
      serviceAllocation: { namespaces: ['n1'] },
    }),
    pool('c', ['198.51.100.0/32']),
  ],
  [
    pool('a', ['192.0.2.0/30'], { avoidBuggyIPs: true, serviceAllocation: { serviceSelectors: [app('x')] } }),
    pool('m', ['192.0.2.4/31', '2001:db8::/127'], { autoAssign: false }),
  ],
  [],
];

/** Pools that only some namespaces may use, as their objects say it. */
const PINNED_SETS: readonly (readonly TestObject[])[] = [
  [
    poolObject('a', ['192.0.2.0/32', '2001:db8::/127'], {
      serviceAllocation: { namespaceSelectors: [team('x')] },
    }),
    poolObject('b', ['192.0.2.4/32'], {
      serviceAllocation: { namespaceSelectors: [team('y')], priority: 5 },
    }),
    poolObject('c', ['198.51.100.0/32']),
  ],
  [
    poolObject('a', ['192.0.2.0/31'], { serviceAllocation: { namespaces: ['n2'], priority: 1 } }),
    poolObject('m', ['192.0.2.4/32', '2001:db8::/127'], {
      serviceAllocation: {
        namespaceSelectors: [team('x'), team('y')],
        serviceSelectors: [{ matchLabels: { app: 'x' } }],
      },
    }),
  ],
];

function team(name: string): object {
  return { matchLabels: { team: name } };
}

export const NAMESPACES = ['n1', 'n2'] as const;
export const TEAMS = ['', 'x', 'y'] as const;
export const POOLS = fc.nat({ max: POOL_SETS.length + PINNED_SETS.length - 1 });

/** Pools that change with the configuration's objects and with the labels of namespaces. */
export class Configuration {
  #set: number;
  readonly #teams = new Map<string, string>();
  readonly #compiled = new Map<string, readonly Pool[]>();

  constructor(set: number) {
    this.#set = set;
  }

  choose(set: number): void {
    this.#set = set;
  }

  /** Labels a namespace; without a team it has no label. */
  label(namespace: string, name: string): void {
    this.#teams.set(namespace, name);
  }

  /** Those in force; the same list as long as nothing changes. */
  get pools(): readonly Pool[] {
    const plain = POOL_SETS[this.#set];
    if (plain !== undefined) return plain;
    const key = JSON.stringify([this.#set, NAMESPACES.map((name) => this.#teams.get(name))]);
    const pools = this.#compiled.get(key) ?? this.#compile();
    this.#compiled.set(key, pools);
    return pools;
  }

  #compile(): readonly Pool[] {
    const namespaces = NAMESPACES.map((name) => {
      const label = this.#teams.get(name) ?? '';
      return { name, labels: label === '' ? {} : { team: label } };
    });
    const objects = PINNED_SETS[this.#set - POOL_SETS.length] ?? [];
    return compiled(objects, { namespaces, scope: { kind: 'controller' } }).config.pools;
  }
}

export const KEYS = ['n1/a', 'n1/b', 'n1/c', 'n2/a', 'n2/b', 'n2/c', 'n2/d'];

/** What users write on Services; policies are those that an API server lets through. */
export const serviceOptions: fc.Arbitrary<ServiceOptions> = fc
  .record({
    type: fc.constantFrom('LoadBalancer', 'LoadBalancer', 'LoadBalancer', 'LoadBalancer', 'ClusterIP'),
    stack: fc.constantFrom('ipv4', 'ipv4', 'ipv6', 'dual'),
    ipFamilyPolicy: fc.constantFrom('SingleStack', 'PreferDualStack', 'RequireDualStack'),
    externalTrafficPolicy: fc.constantFrom('Cluster', 'Cluster', 'Local'),
    selector: fc.constantFrom({}, { app: 'x' }, { app: 'y' }),
    labels: fc.constantFrom({}, { app: 'x' }),
    ports: fc.subarray([tcp(80), tcp(81), tcp(82)], { minLength: 1 }),
    loadBalancerIP: fc.constantFrom('', '', '', '192.0.2.1', '2001:db8::1', 'nonsense'),
    key: fc.constantFrom('', '', 'k', 'l'),
    pool: fc.constantFrom('', '', '', 'a', 'b', 'm'),
  })
  .map(({ key, pool: name, stack, ...rest }) => ({
    ...rest,
    stack,
    ipFamilyPolicy:
      stack === 'dual' && rest.ipFamilyPolicy === 'SingleStack' ? 'PreferDualStack' : rest.ipFamilyPolicy,
    annotations: ask({
      ...(key === '' ? {} : { 'allow-shared-ip': key }),
      ...(name === '' ? {} : { 'address-pool': name }),
    }),
  }));

/** Those that have addresses recorded. */
export function holders(views: Iterable<ServiceView>): ServiceView[] {
  return [...views].filter((view) => view.ingress.length > 0);
}

/** Everybody recorded on one address may be there with the others. */
export function expectNoConflict(views: Iterable<ServiceView>): void {
  expect(conflicts(views)).toEqual([]);
}

/** Who is recorded on an address where the others do not let it be. */
export function conflicts(views: Iterable<ServiceView>): readonly string[] {
  const found: string[] = [];
  const uses = new Map<string, AddressUse>();
  for (const view of holders(views)) {
    const claim = claimOf(view);
    for (const { ip } of view.ingress) {
      const use = uses.get(ip);
      const conflict = sharingConflict(use, claim);
      if (conflict !== undefined) found.push(`${view.key} on ${ip}: ${JSON.stringify(conflict)}`);
      const next = use ?? emptyUse();
      joinUse(next, claim);
      uses.set(ip, next);
    }
  }
  return found;
}
