import { describe, expect, it } from 'vitest';
import { decideBgp, mergeRoutes, type BgpVerdict } from '#core/bgp/advertise.ts';
import { bgpContext } from '#core/bgp/gates.ts';
import type { Config } from '#core/model/config.ts';
import { formatCidr } from '#core/model/ip.ts';
import type { ServiceView } from '#core/model/views.ts';
import {
  advertisement,
  community,
  config,
  endpoint,
  matchLabel,
  node,
  peer,
  pool,
  service,
  slice,
} from '#tests/support/bgp-factories.ts';

/** Routes as text: `prefix peer,peer lp communities | …`. */
function routes(given: Partial<Config>, ...services: ServiceView[]): string[] {
  const context = bgpContext(config(given), node(), false);
  return mergeRoutes(services.map((each) => decideBgp(context, each, slice(endpoint())))).map((route) => {
    const grants = route.grants.map((grant) =>
      [grant.peers.join(','), grant.localPref, ...grant.communities.map(({ value }) => value)].join(' '),
    );
    return `${formatCidr(route.prefix)} ${grants.join(' | ')}`;
  });
}

const weightsOf = (verdict: BgpVerdict) =>
  mergeRoutes([verdict]).flatMap(({ grants }) => grants.map(({ weight }) => weight));

const two = { peers: [peer('p1', '10.0.0.1'), peer('p2', '10.0.0.2')] };

describe('from Services to routes', () => {
  it('#4 a dual-stack Service gives a host route per family to every peer', () => {
    expect(routes(two, service(['198.51.100.10', '2001:db8:100::10']))).toEqual([
      '198.51.100.10/32 p1,p2 0',
      '2001:db8:100::10/128 p1,p2 0',
    ]);
  });
  it('two Services on one address give one route', () => {
    const routesOfBoth = routes({}, service(['198.51.100.10']), service(['198.51.100.10']));
    expect(routesOfBoth).toEqual(['198.51.100.10/32 tor1 0']);
  });
  it('#34 a list of peers, unknown names among them', () => {
    const bgpAdvertisements = [advertisement('x', { peers: ['p2', 'ghost'] })];
    expect(routes({ ...two, bgpAdvertisements }, service(['198.51.100.10']))).toEqual([
      '198.51.100.10/32 p2 0',
    ]);
  });
  it('only unknown peers: no route, and still announced with no peer', () => {
    const bgpAdvertisements = [advertisement('x', { peers: ['ghost'] })];
    expect(routes({ ...two, bgpAdvertisements }, service(['198.51.100.10']))).toEqual([]);
    const context = bgpContext(config({ bgpAdvertisements }), node(), false);
    expect(decideBgp(context, service(['198.51.100.10']), slice(endpoint()))).toMatchObject({
      kind: 'announce',
      peers: [],
    });
  });
  it('#33 two advertisements of one pool: each peer sees its own community', () => {
    const bgpAdvertisements = [
      advertisement('a', { peers: ['p1'], communities: [community('64512:1')] }),
      advertisement('b', { peers: ['p2'], communities: [community('64512:2')] }),
    ];
    expect(routes({ ...two, bgpAdvertisements }, service(['198.51.100.10']))).toEqual([
      '198.51.100.10/32 p1 0 64512:1 | p2 0 64512:2',
    ]);
  });
  it('#40 communities of one prefix are united, in numeric order', () => {
    const bgpAdvertisements = [
      advertisement('a', { communities: [community('large:1:2:3'), community('64512:9')] }),
      advertisement('b', { peers: ['p1'], communities: [community('64512:10'), community('64512:9')] }),
    ];
    expect(routes({ ...two, bgpAdvertisements }, service(['198.51.100.10']))).toEqual([
      '198.51.100.10/32 p1 0 64512:9 64512:10 1:2:3 | p2 0 64512:9 1:2:3',
    ]);
  });
  it('#45 #46 aggregate and host route, each with its own attributes', () => {
    const bgpAdvertisements = [
      advertisement('local', { localPref: 100, communities: [community('65535:65282')] }),
      advertisement('external', { aggregationLength: 24 }),
    ];
    const pools = [pool('pool-a', '198.51.100.0/24')];
    expect(
      routes({ pools, bgpAdvertisements }, service(['198.51.100.10']), service(['198.51.100.11'])),
    ).toEqual([
      '198.51.100.0/24 tor1 0',
      '198.51.100.10/32 tor1 100 65535:65282',
      '198.51.100.11/32 tor1 100 65535:65282',
    ]);
  });
  it('peers whose selectors do not match this node get nothing', () => {
    const peers = [peer('p1', '10.0.0.1', { nodeSelectors: [matchLabel('a', 'b'), matchLabel('c', 'd')] })];
    expect(routes({ peers }, service(['198.51.100.10']))).toEqual([]);
  });
  it('W16 the highest local preference wins across pools, not the last in text order', () => {
    const pools = [pool('pool-a', '198.51.100.0/25'), pool('pool-b', '198.51.100.128/25')];
    const bgpAdvertisements = [
      advertisement('a', { localPref: 1000, aggregationLength: 24 }),
      advertisement('b', { pools: ['pool-b'], localPref: 300, aggregationLength: 24 }),
    ];
    expect(
      routes({ pools, bgpAdvertisements }, service(['198.51.100.1']), service(['198.51.100.200'])),
    ).toEqual(['198.51.100.0/24 tor1 1000']);
  });
  it('where aggregates of two pools meet, the lowest MED and the shortest path win; unset is the lowest', () => {
    const pools = [pool('pool-a', '198.51.100.0/25'), pool('pool-b', '198.51.100.128/25')];
    const merged = (a: object, b: object) => {
      const given = config({
        pools,
        bgpAdvertisements: [
          advertisement('a', { ...a, aggregationLength: 24 }),
          advertisement('b', { ...b, pools: ['pool-b'], aggregationLength: 24 }),
        ],
      });
      const context = bgpContext(given, node(), false);
      const both = ['198.51.100.1', '198.51.100.200'].map((ip) =>
        decideBgp(context, service([ip]), slice(endpoint())),
      );
      return mergeRoutes(both).flatMap(({ grants }) => grants);
    };
    expect(merged({ med: 70, asPathPrepend: 2 }, { med: 50, asPathPrepend: 3 })).toEqual([
      { peers: ['tor1'], localPref: 0, med: 50, asPathPrepend: 2, communities: [] },
    ]);
    expect(merged({ med: 70, asPathPrepend: 2 }, {})).toEqual([
      { peers: ['tor1'], localPref: 0, communities: [] },
    ]);
  });
  it('weightByEndpoints: as many as the node has of the Service, at least one, and no more than FRR can say', () => {
    const given = config({ bgpAdvertisements: [advertisement('all', { weightByEndpoints: true })] });
    const context = bgpContext(given, node(), false);
    const weights = (local: number, ...more: Parameters<typeof endpoint>[0][]) => {
      const own = Array.from({ length: local }, () => endpoint());
      const verdict = decideBgp(
        context,
        service(['198.51.100.1']),
        slice(...own, ...more.map((each) => endpoint(each))),
      );
      return weightsOf(verdict);
    };
    expect(weights(3, { nodeName: 'node-b' }, { ready: false, serving: false })).toEqual([3]);
    // Policy Cluster: this node passes on to another one.
    expect(weights(0, { nodeName: 'node-b' })).toEqual([1]);
    expect(weights(30_000)).toEqual([25_600]);
    // A pod of a dual-stack Service is in two slices; each address goes by its own.
    const both = service(['198.51.100.1', '2001:db8:100::1']);
    const [four, six] = [slice(endpoint()), slice(endpoint(), endpoint(), endpoint())];
    const slices = [
      ...four.map((each) => ({ ...each, family: 'ipv4' as const })),
      ...six.map((each) => ({ ...each, key: 'default/web-6', family: 'ipv6' as const })),
    ];
    expect(weightsOf(decideBgp(context, both, slices))).toEqual([1, 3]);
    const plain = bgpContext(config(), node(), false);
    const verdict = decideBgp(plain, service(['198.51.100.1']), slice(endpoint(), endpoint()));
    expect(
      JSON.stringify(mergeRoutes([verdict]), (_, each: unknown) => (typeof each === 'bigint' ? 0 : each)),
    ).not.toContain('weight');
  });
  it('weightByEndpoints: Services with as many endpoints share one grant; the largest counts where they share a prefix', () => {
    const bgpAdvertisements = [
      advertisement('all', { weightByEndpoints: true, aggregationLength: 24 }),
      advertisement('host', { weightByEndpoints: true }),
    ];
    const context = bgpContext(
      config({ pools: [pool('pool-a', '198.51.100.0/24')], bgpAdvertisements }),
      node(),
      false,
    );
    const decided = (ip: string, count: number) =>
      decideBgp(context, service([ip]), slice(...Array.from({ length: count }, () => endpoint())));
    const routes = mergeRoutes([
      decided('198.51.100.1', 2),
      decided('198.51.100.2', 5),
      decided('198.51.100.3', 2),
    ]);
    expect(routes.map(({ prefix, grants }) => [prefix.prefix, grants[0]?.weight])).toEqual([
      [24, 5],
      [32, 2],
      [32, 5],
      [32, 2],
    ]);
    expect(routes[1]?.grants[0]).toBe(routes[3]?.grants[0]);
  });
  it('routes are sorted by value, not by text', () => {
    expect(routes({}, service(['198.51.100.10']), service(['198.51.100.2']))).toEqual([
      '198.51.100.2/32 tor1 0',
      '198.51.100.10/32 tor1 0',
    ]);
  });
});
