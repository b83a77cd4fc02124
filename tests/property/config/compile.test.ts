import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '#core/config/compile.ts';
import type { Config } from '#core/model/config.ts';
import {
  bfd,
  bgpAdv,
  community,
  compiled,
  l2Adv,
  namespace,
  node,
  peer,
  pool,
  resources,
  type TestObject,
} from '#tests/support/config-factories.ts';

const names = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const age = fc.nat(3);
const labels = fc.constantFrom({}, { team: 'a' }, { team: 'b', rack: '1' });
const selectors = fc.array(
  fc.constantFrom(
    {},
    { matchLabels: { team: 'a' } },
    { matchExpressions: [{ key: 'rack', operator: 'Exists' }] },
    { matchExpressions: [{ key: 'rack', operator: 'In' }] },
  ),
  { maxLength: 2 },
);
const address = fc.constantFrom(
  '10.0.0.0/24',
  '10.0.1.0-10.0.1.9',
  '10.0.0.128/25',
  '10.0.2.0/28',
  '2001:db8::/120',
  'x',
);

const pools = fc
  .record({ name: names, age, labels, addresses: fc.array(address, { maxLength: 3 }), selectors })
  .map((o) =>
    pool(
      o.name,
      o.addresses,
      { serviceAllocation: { namespaceSelectors: o.selectors } },
      { age: o.age, labels: o.labels },
    ),
  );
const peers = fc
  .record({
    name: names,
    age,
    peerAddress: fc.constantFrom('192.0.2.1', '192.0.2.2', '192.0.2.3', 'host'),
    myASN: fc.constantFrom(64512, 64512, 64513),
    routerID: fc.constantFrom(undefined, undefined, '10.0.0.1'),
    bfdProfile: fc.constantFrom(undefined, 'a', 'b'),
    holdTime: fc.constantFrom(undefined, '90s', '1s'),
    nodeSelectors: selectors,
  })
  .map(({ name, age, ...spec }) => peer(name, spec, { age }));
const profiles = fc
  .record({ name: names, echoMode: fc.boolean(), detectMultiplier: fc.constantFrom(3, 1) })
  .map(({ name, ...spec }) => bfd(name, spec));
const communities = fc
  .record({ name: names, age, alias: names, value: fc.constantFrom('1:1', 'large:1:2:3', '1:70000') })
  .map((o) => community(o.name, [{ name: o.alias, value: o.value }], { age: o.age }));
const bgpAdvs = fc
  .record({
    name: names,
    age,
    ipAddressPools: fc.uniqueArray(names, { maxLength: 2 }),
    peers: fc.uniqueArray(names, { maxLength: 2 }),
    communities: fc.uniqueArray(fc.constantFrom('a', 'b', '1:1'), { maxLength: 2 }),
    aggregationLength: fc.constantFrom(32, 24, 20),
    localPref: fc.constantFrom(0, 100),
    nodeSelectors: selectors,
  })
  .map(({ name, age, ...spec }) => bgpAdv(name, spec, { age }));
const l2Advs = fc
  .record({ name: names, ipAddressPoolSelectors: selectors, serviceSelectors: selectors })
  .map(({ name, ...spec }) => l2Adv(name, spec));

const key = (object: TestObject) => `${object.kind}/${object.metadata.name}`;
const cluster = fc.uniqueArray(fc.oneof(pools, peers, profiles, communities, bgpAdvs, l2Advs), {
  selector: key,
  maxLength: 20,
});
const around = {
  nodes: [node('node1', { team: 'a' }), node('node2', { rack: '1' })],
  namespaces: [namespace('red', { team: 'a' }), namespace('blue')],
};

describe('compile', () => {
  it('does not depend on the order of its input', () => {
    fc.assert(
      fc.property(
        cluster.chain((objects) =>
          fc.tuple(
            fc.constant(objects),
            fc.shuffledSubarray(objects, { minLength: objects.length, maxLength: objects.length }),
          ),
        ),
        ([objects, shuffled]) => {
          expect(compiled(shuffled, around)).toEqual(compiled(objects, around));
        },
      ),
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
        const sound = objects.filter((object) => !faulty.has(key(object)));
        expect(compiled(sound, around).config).toEqual(all.config);
      }),
    );
  });

  it('an object that is invalid by itself changes nothing for the others', () => {
    const bad: TestObject[] = [
      pool('zz', ['10.0.0.0/8', 'x']),
      peer('zz', { peerAddress: 'host' }),
      bfd('zz', { detectMultiplier: 1 }),
      community('zz', [{ name: 'zz', value: 'x' }]),
      bgpAdv('zz', { communities: ['zz'], localPref: 7 }),
      l2Adv('zz', { ipAddressPools: ['a', 'a'] }),
    ];
    fc.assert(
      fc.property(cluster, fc.constantFrom(...bad), (objects, one) => {
        expect(compiled([one, ...objects], around).config).toEqual(compiled(objects, around).config);
      }),
    );
  });

  it('an unrelated object never adds a problem', () => {
    const unrelated: TestObject[] = [
      pool('zz', ['198.51.100.0/24']),
      bfd('zz', { detectMultiplier: 3 }),
      community('zz', [{ name: 'zz', value: '7:7' }]),
      l2Adv('zz'),
      bgpAdv('zz', { ipAddressPools: ['zz'] }),
    ];
    fc.assert(
      fc.property(cluster, fc.constantFrom(...unrelated), (objects, one) => {
        const coarse = objects.filter((o) => o.kind !== 'BGPAdvertisement' || one.kind !== 'IPAddressPool');
        const before = compiled(coarse, around).problems;
        expect(compiled([...coarse, one], around).problems).toEqual(before);
      }),
    );
  });

  it('each speaker sees a part of what the cluster sees', () => {
    fc.assert(
      fc.property(cluster, fc.constantFrom(...around.nodes), (objects, view) => {
        const { config } = compile(resources(objects, around), { kind: 'speaker', node: view });
        const controller = compile(resources(objects, around), { kind: 'controller' }).config;
        expect(config.pools).toEqual(controller.pools);
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
