/**
 * Random histories of Services, pools, restarts and failed writes (controller.md §8): no address is held twice
 * unless sharing allows it, nothing moves without a cause, everything allocatable is allocated, and restarts
 * make no difference.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compatible } from '#core/ipam/allocations.ts';
import { claimOf } from '#core/ipam/request.ts';
import { sharingConflict, type AddressUse } from '#core/ipam/sharing.ts';
import { exclusionOf } from '#core/model/exclusions.ts';
import type { Pool } from '#core/model/config.ts';
import { parseAddress } from '#core/model/ip.ts';
import type { ServiceView } from '#core/model/views.ts';
import { app, ask, pool, service, tcp, World, type ServiceOptions } from '#tests/support/ipam.ts';

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

const KEYS = ['n1/a', 'n1/b', 'n1/c', 'n2/a', 'n2/b', 'n2/c', 'n2/d'];

const options: fc.Arbitrary<ServiceOptions> = fc
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

type Step =
  | { readonly do: 'put'; readonly key: string; readonly options: ServiceOptions }
  | { readonly do: 'delete'; readonly key: string }
  | { readonly do: 'pools'; readonly set: number }
  | { readonly do: 'reserve'; readonly name: string; readonly key: string; readonly ips: readonly string[] }
  | { readonly do: 'failedWrite'; readonly key: string };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('put' as const), key: fc.constantFrom(...KEYS), options }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), key: fc.constantFrom(...KEYS) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('pools' as const), set: fc.nat({ max: POOL_SETS.length - 1 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('failedWrite' as const), key: fc.constantFrom(...KEYS) }),
  },
);
const reserve: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('reserve' as const),
  name: fc.constantFrom('r', 's', 't'),
  key: fc.constantFrom(...KEYS),
  ips: fc.constantFrom(
    [],
    ['192.0.2.0'],
    ['192.0.2.1'],
    ['192.0.2.1', '2001:db8::1'],
    ['2001:db8::'],
    ['192.0.2.4'],
    ['203.0.113.1'],
  ),
});
const history = fc.array(fc.oneof({ weight: 10, arbitrary: step }, { weight: 2, arbitrary: reserve }), {
  minLength: 1,
  maxLength: 25,
});

function run(world: World, action: Step): void {
  switch (action.do) {
    case 'put':
      if (world.services.has(action.key)) world.edit(action.key, action.options);
      else world.apply(service(action.key, action.options));
      break;
    case 'delete':
      if (world.services.has(action.key)) world.delete(action.key);
      break;
    case 'pools':
      world.configure(POOL_SETS[action.set] ?? []);
      break;
    case 'reserve':
      world.reserve(action.name, action.key, action.ips);
      break;
    case 'failedWrite':
      // The decision is made and its write is lost; the retry finds the Service as it was.
      if (!world.services.has(action.key)) break;
      world.ipam.decide(world.view(action.key));
      world.touch(action.key);
  }
}

function holders(world: World): ServiceView[] {
  return [...world.services.values()].filter((view) => view.ingress.length > 0);
}

/** Everybody recorded on one address may be there with the others. */
function expectNoConflict(world: World): void {
  const uses = new Map<string, AddressUse>();
  for (const view of holders(world)) {
    const claim = claimOf(view);
    for (const { ip } of view.ingress) {
      const use = uses.get(ip);
      expect(sharingConflict(use, claim), `${view.key} on ${ip}`).toBeUndefined();
      const next = use ?? { ...claim, users: new Map(), ports: new Map() };
      next.users.set(claim.key, claim.ports);
      for (const port of claim.ports) next.ports.set(port, claim.key);
      uses.set(ip, { ...next });
    }
  }
}

function expectNothingExcluded(world: World): void {
  const { pools } = world.ipam.allocations;
  for (const { key, ingress } of holders(world)) {
    for (const address of ingress.flatMap(({ ip }) => parseAddress(ip) ?? [])) {
      const entries = pools.map((candidate) => exclusionOf(candidate, address));
      expect(
        entries.filter((entry) => entry !== undefined),
        key,
      ).toEqual([]);
    }
  }
}

/** Nobody got an address that is kept for another Service, but from sharing it with those who have it. */
function expectReserved(before: readonly ServiceView[], world: World): void {
  const usedBefore = new Set(before.flatMap(({ ingress }) => ingress.map(({ ip }) => ip)));
  const { reservations } = world.ipam.allocations;
  for (const { key, ingress } of holders(world)) {
    for (const { ip } of ingress) {
      const address = parseAddress(ip);
      if (address === undefined || usedBefore.has(ip)) continue;
      const owners = reservations.owners(address);
      const ownerHas = owners.some((owner) => world.services.has(owner) && world.ips(owner).includes(ip));
      if (owners.length > 0) expect(ownerHas, `${key} has ${ip}, kept for ${owners.join()}`).toBe(true);
    }
  }
}

/** Looking at everybody once more changes nothing: nobody waits who could be served. */
function expectSettled(world: World): void {
  const before = records(world);
  for (const key of world.services.keys()) world.touch(key);
  expect(records(world)).toEqual(before);
}

function records(world: World): Record<string, string[]> {
  return Object.fromEntries([...world.services.keys()].sort().map((key) => [key, world.ips(key)]));
}

/** Whether a recorded Service may stay where it is with these pools. */
function mayStay(view: ServiceView, world: World): boolean {
  const addresses = view.ingress.flatMap(({ ip }) => parseAddress(ip) ?? []);
  const owner = world.ipam.allocations.poolOf(addresses);
  const named = view.annotations['metallb.io/address-pool'] ?? '';
  return owner !== undefined && compatible(owner, claimOf(view)) && (named === '' || named === owner.name);
}

/** Only the Service that was touched loses or changes an address; others at most gain a second one. */
function expectUnmoved(before: readonly ServiceView[], world: World, touched: string | undefined): void {
  for (const view of before) {
    if (view.key === touched || !world.services.has(view.key) || !mayStay(view, world)) continue;
    const old = view.ingress.map(({ ip }) => ip);
    expect(world.ips(view.key).slice(0, old.length), view.key).toEqual(old);
  }
}

describe('histories', () => {
  it('never conflict, never move without cause, always settle', () => {
    fc.assert(
      fc.property(fc.nat({ max: 5 }), history, (set, steps) => {
        const world = new World(POOL_SETS[set] ?? []);
        for (const action of steps) {
          const before = holders(world);
          run(world, action);
          expectNoConflict(world);
          expectNothingExcluded(world);
          expectReserved(before, world);
          expectUnmoved(before, world, 'key' in action && action.do !== 'reserve' ? action.key : undefined);
          expectSettled(world);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('restarts at any point make no difference', () => {
    fc.assert(
      fc.property(fc.nat({ max: 5 }), history, fc.infiniteStream(fc.boolean()), (set, steps, restarts) => {
        const plain = new World(POOL_SETS[set] ?? []);
        const restarted = new World(POOL_SETS[set] ?? []);
        for (const action of steps) {
          run(plain, action);
          run(restarted, action);
          if (restarts.next().value === true) restarted.restart();
          expect(records(restarted)).toEqual(records(plain));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('counters are the distinct recorded addresses', () => {
    fc.assert(
      fc.property(fc.nat({ max: 5 }), history, (set, steps) => {
        const world = new World(POOL_SETS[set] ?? []);
        for (const action of steps) run(world, action);
        for (const { name } of world.ipam.allocations.pools) {
          const used = holders(world)
            .filter(({ key }) => world.poolOf(key) === name)
            .flatMap(({ ingress }) => ingress.map(({ ip }) => ip));
          const counters = world.ipam.allocations.counters(name);
          expect((counters?.ipv4.inUse ?? 0n) + (counters?.ipv6.inUse ?? 0n)).toBe(
            BigInt(new Set(used).size),
          );
        }
      }),
      { numRuns: 200 },
    );
  });
});
