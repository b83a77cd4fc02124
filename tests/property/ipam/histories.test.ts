/**
 * Random histories of Services, pools, namespaces, restarts and failed writes (controller.md §8): no address is held twice
 * unless sharing allows it, nothing moves without a cause, everything allocatable is allocated, and restarts
 * make no difference.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compatible } from '#core/ipam/allocations.ts';
import { claimOf } from '#core/ipam/request.ts';
import { exclusionOf } from '#core/model/exclusions.ts';
import { parseAddress } from '#core/model/ip.ts';
import type { ServiceView } from '#core/model/views.ts';
import { service, World, type ServiceOptions } from '#tests/support/ipam.ts';
import {
  Configuration,
  expectNoConflict,
  holders,
  KEYS,
  NAMESPACES,
  POOLS,
  serviceOptions,
  TEAMS,
} from '#tests/support/ipam-histories.ts';
import { servable } from '#tests/support/ipam-servable.ts';

type Step =
  | { readonly do: 'put'; readonly key: string; readonly options: ServiceOptions }
  | { readonly do: 'delete'; readonly key: string }
  | { readonly do: 'pools'; readonly set: number }
  | { readonly do: 'namespace'; readonly name: string; readonly team: string }
  | { readonly do: 'reserve'; readonly name: string; readonly key: string; readonly ips: readonly string[] }
  | { readonly do: 'failedWrite'; readonly key: string };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      key: fc.constantFrom(...KEYS),
      options: serviceOptions,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), key: fc.constantFrom(...KEYS) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pools' as const), set: POOLS }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('namespace' as const),
      name: fc.constantFrom(...NAMESPACES),
      team: fc.constantFrom(...TEAMS),
    }),
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

/** A world and what its pools are made of. */
class Scene {
  readonly configuration: Configuration;
  readonly world: World;

  constructor(set: number) {
    this.configuration = new Configuration(set);
    this.world = new World(this.configuration.pools);
  }
}

function run({ world, configuration }: Scene, action: Step): void {
  switch (action.do) {
    case 'put':
      if (world.services.has(action.key)) world.edit(action.key, action.options);
      else world.apply(service(action.key, action.options));
      break;
    case 'delete':
      if (world.services.has(action.key)) world.delete(action.key);
      break;
    case 'pools':
      configuration.choose(action.set);
      world.configure(configuration.pools);
      break;
    case 'namespace':
      configuration.label(action.name, action.team);
      world.configure(configuration.pools);
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

function expectNothingExcluded(world: World): void {
  const { pools } = world.ipam.allocations;
  for (const { key, ingress } of holders(world.services.values())) {
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
  for (const { key, ingress } of holders(world.services.values())) {
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

/** Nobody waits for whom a search through all addresses finds something. */
function expectNoneLeft(world: World): void {
  const { pools, reservations } = world.ipam.allocations;
  const services = [...world.services.values()];
  expect(servable({ services, pools, keptFor: (address) => reservations.owners(address) })).toEqual([]);
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
  it('never conflict, never move without cause, always settle, serve all that can be served', () => {
    fc.assert(
      fc.property(POOLS, history, (set, steps) => {
        const scene = new Scene(set);
        const { world } = scene;
        for (const action of steps) {
          const before = holders(world.services.values());
          run(scene, action);
          expectNoConflict(world.services.values());
          expectNothingExcluded(world);
          expectReserved(before, world);
          expectUnmoved(before, world, 'key' in action && action.do !== 'reserve' ? action.key : undefined);
          expectSettled(world);
          expectNoneLeft(world);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('restarts at any point make no difference', () => {
    fc.assert(
      fc.property(POOLS, history, fc.infiniteStream(fc.boolean()), (set, steps, restarts) => {
        const plain = new Scene(set);
        const restarted = new Scene(set);
        for (const action of steps) {
          run(plain, action);
          run(restarted, action);
          if (restarts.next().value === true) restarted.world.restart();
          expect(records(restarted.world)).toEqual(records(plain.world));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('counters are the distinct recorded addresses', () => {
    fc.assert(
      fc.property(POOLS, history, (set, steps) => {
        const scene = new Scene(set);
        const { world } = scene;
        for (const action of steps) run(scene, action);
        for (const { name } of world.ipam.allocations.pools) {
          const used = holders(world.services.values())
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
