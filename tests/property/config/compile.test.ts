/** What must hold of compile for every set of objects, sound and faulty. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '#core/config/compile.ts';
import { isOpenReference } from '#core/config/problems.ts';
import type { Config } from '#core/model/config.ts';
import { around, cluster, keyOf, kinds, objectOf } from '#tests/support/config-arbitraries.ts';
import { compiled, node, resources, type TestObject } from '#tests/support/config-factories.ts';

/** A name that no object of a cluster has and none refers to. */
const NEW = fc.constant('zz');

const problemsOf = (objects: readonly TestObject[]) => compiled(objects, around).problems;

/** The object with what it shares with others taken away: addresses, aliases, nodes, pools. */
function aloof(one: TestObject): TestObject {
  const spec = (one.spec ?? {}) as Readonly<Record<string, unknown>>;
  const list = (name: string): readonly unknown[] => (Array.isArray(spec[name]) ? (spec[name] as unknown[]) : []);
  switch (one.kind) {
    case 'IPAddressPool': {
      const addresses = list('addresses').map((_, index) => `198.51.${index}.0/24`);
      return { ...one, spec: { ...spec, addresses, excludedAddresses: ['198.51.0.7'] } };
    }
    case 'Community': {
      const communities = list('communities').map((alias, index) => ({ ...(alias as object), name: `zz-${index}` }));
      return { ...one, spec: { ...spec, communities } };
    }
    case 'BGPPeer':
      return { ...one, spec: { ...spec, nodeSelectors: [{ matchLabels: { on: 'no-node' } }] } };
    case 'BGPAdvertisement':
      return { ...one, spec: { ...spec, ipAddressPools: ['zz'], ipAddressPoolSelectors: [] } };
    default:
      return one;
  }
}

/** Advertisements that may reach a pool which they do not name. */
function reachesUnnamed({ kind, spec }: TestObject): boolean {
  if (kind !== 'BGPAdvertisement') return false;
  const { ipAddressPools = [], ipAddressPoolSelectors = [] } = (spec ?? {}) as {
    ipAddressPools?: readonly string[];
    ipAddressPoolSelectors?: readonly unknown[];
  };
  return ipAddressPools.length === 0 || ipAddressPoolSelectors.length > 0;
}

const RUNS = { numRuns: 200 };

describe('compile', () => {
  it('does not depend on the order of its input', () => {
    const shuffled = cluster.chain((objects) =>
      fc.tuple(fc.constant(objects), fc.shuffledSubarray(objects, { minLength: objects.length })),
    );
    fc.assert(
      fc.property(shuffled, ([objects, other]) => {
        expect(compiled(other, around)).toEqual(compiled(objects, around));
      }),
      RUNS,
    );
  });

  it('gives the same verdict on what it lets through: compiling without the faulty objects changes nothing', () => {
    fc.assert(
      fc.property(cluster, (objects) => {
        const all = compiled(objects, around);
        const partial = new Set(['ADB-16', 'ADB-17', 'X-1', 'COM-1', 'COM-2']);
        const faulty = new Set(
          all.problems
            .filter(({ code, object }) => !partial.has(code) && isOut(all.config, object))
            .map(({ object }) => `${object.kind}/${object.name}`),
        );
        const sound = objects.filter((object) => !faulty.has(keyOf(object)));
        expect(compiled(sound, around).config).toEqual(all.config);
      }),
      RUNS,
    );
  });

  it.each(kinds)('a %s that is invalid by itself changes nothing for the others', (kind) => {
    const invalid = objectOf(kind, NEW)
      .map((one) => (kind === 'Community' ? aloof(one) : one))
      .filter((one) => problemsOf([one]).some((problem) => !isOpenReference(problem)));
    // Every kind can be invalid: for one that cannot, the filter would search for ever.
    fc.assert(
      fc.property(cluster, invalid, (objects, one) => {
        expect(compiled([one, ...objects], around).config).toEqual(compiled(objects, around).config);
      }),
      RUNS,
    );
  });

  it.each(kinds)('a %s that is valid and unrelated never adds a problem, nor takes one away', (kind) => {
    const valid = objectOf(kind, NEW)
      .map(aloof)
      .filter((one) => problemsOf([one]).length === 0);
    fc.assert(
      fc.property(cluster, valid, (objects, one) => {
        const others = kind === 'IPAddressPool' ? objects.filter((each) => !reachesUnnamed(each)) : objects;
        expect(problemsOf([...others, one])).toEqual(problemsOf(others));
      }),
      RUNS,
    );
  });

  it('each speaker sees a part of what the cluster sees', () => {
    fc.assert(
      fc.property(cluster, fc.constantFrom(...around.nodes, node('other')), (objects, view) => {
        const input = resources(objects, around);
        const { config } = compile(input, { kind: 'speaker', node: view });
        expect(config.pools).toEqual(compile(input, { kind: 'controller' }).config.pools);
        expect(config.pools).toEqual(compile(input, { kind: 'cluster' }).config.pools);
      }),
    );
  });
});

function isOut(config: Config, { kind, name }: { kind: string; name: string }): boolean {
  const lists: Record<string, readonly { readonly name: string }[]> = {
    IPAddressPool: config.pools,
    BGPPeer: config.peers,
    BGPAdvertisement: config.bgpAdvertisements,
    L2Advertisement: config.l2Advertisements,
    BFDProfile: config.bfdProfiles,
  };
  return !(lists[kind] ?? []).some((entry) => entry.name === name);
}
