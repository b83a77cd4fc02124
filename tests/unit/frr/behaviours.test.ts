/** Behaviours of speaker-bgp.md §9.1 and §9.2 that can be told without a router: from the users' objects to what FRR is told. */
import { describe, expect, it } from 'vitest';
import { projectNode } from '#core/model/projections.ts';
import type { EndpointSliceView, ServiceView } from '#core/model/views.ts';
import { endpoint } from '#tests/support/bgp-factories.ts';
import {
  announcers,
  dual,
  model,
  NODES,
  on,
  prefixes,
  problems,
  render,
  sessions,
  told,
  tor,
  v4,
  web,
  type Given,
} from '#tests/support/behaviours.ts';
import {
  bgpAdv,
  community,
  l2Adv,
  node,
  peer,
  pool,
  type TestObject,
} from '#tests/support/config-factories.ts';

describe('9.1 announce and withdraw', () => {
  const all = [v4, tor, bgpAdv('a')];

  it('#1 no configuration at all: nothing is announced, and nothing is wrong', () => {
    const made = model([]);
    expect([made.model.routers, problems(made), made.refused]).toEqual([[], [], []]);
  });

  it('#6 policy changed to Local: nodes without an endpoint withdraw', () => {
    expect(announcers(all)).toEqual(['node1', 'node2']);
    const services = [web('web', '198.51.100.10', { externalTrafficPolicy: 'Local' })];
    expect(announcers(all, { services })).toEqual(['node1']);
  });

  it('#14 a second Service without an address changes nothing for the first', () => {
    const services = [web('web', '198.51.100.10'), web('more', [])];
    expect(render(model(all, { services }).model)).toBe(render(model(all).model));
  });

  it('#15 two Services on one address: one route, which stays until both are gone', () => {
    const [one, other] = [web('one', '198.51.100.10'), web('other', '198.51.100.10')];
    const routes = (...services: ServiceView[]) => prefixes(model(all, { services }));
    expect(routes(one, other)).toEqual(['198.51.100.10/32']);
    expect(routes(other)).toEqual(['198.51.100.10/32']);
    expect(routes()).toEqual([]);
  });

  it('#16 an address that changes: the new prefix instead of the old, in one model', () => {
    expect(prefixes(model(all, { services: [web('web', '198.51.100.11')] }))).toEqual(['198.51.100.11/32']);
  });

  it('#20 a cordoned node goes on', () => {
    const taints = [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }];
    const cordoned = projectNode({ metadata: { name: 'node1' }, spec: { unschedulable: true, taints } });
    expect(announcers(all, { nodes: [cordoned] })).toEqual(['node1']);
  });

  it('#21 both addresses of a dual-stack Service, each to the peers that carry its family', () => {
    const six = peer('six', { peerAddress: '2001:db8::1' });
    const services = [web('web', ['198.51.100.10', '2001:db8:1::10'])];
    const lines = render(model([dual, tor, six, bgpAdv('a')], { services }).model).split('\n');
    const family = (name: string) => {
      const start = lines.indexOf(` address-family ${name} unicast`);
      const part = lines.slice(start, lines.indexOf(' exit-address-family', start));
      const of = (word: RegExp) => part.flatMap((line) => word.exec(line)?.[1] ?? []);
      return [of(/network (\S+)/), of(/neighbor (\S+) activate/)];
    };
    expect(family('ipv4')).toEqual([['198.51.100.10/32'], ['192.0.2.1']]);
    expect(family('ipv6')).toEqual([['2001:db8:1::10/128'], ['2001:db8::1']]);
  });

  it.each(['198.51.100.0/24', '198.51.100.1-198.51.100.200'])('#22 a pool of %s', (range) => {
    expect(prefixes(model([pool('a', [range]), tor, bgpAdv('a')]))).toEqual(['198.51.100.10/32']);
  });

  it.each(['2001:db8:1::/120', '2001:db8:1::1-2001:db8:1::ff'])('#22 a pool of %s', (range) => {
    const objects = [pool('a', [range]), peer('tor', { peerAddress: '2001:db8::1' }), bgpAdv('a')];
    const services = [web('web', '2001:db8:1::10')];
    expect(prefixes(model(objects, { services }))).toEqual(['2001:db8:1::10/128']);
  });

  it('#23 a Layer 2 advertisement of the same pool changes nothing for BGP', () => {
    expect(render(model([...all, l2Adv('l2')]).model)).toBe(render(model(all).model));
  });

  it('#24 a pool that is taken away takes its routes along (ours; no stale configuration)', () => {
    const made = model([tor, bgpAdv('a')]);
    expect([prefixes(made), problems(made)]).toEqual([[], []]);
    expect(made.withheld).toMatchObject([{ reason: 'ipNotAllowed' }]);
  });

  it('B27 E3: each family by its own slices: an address without an endpoint of its family is not announced, and told', () => {
    const six = peer('six', { peerAddress: '2001:db8::1' });
    const ready = (node: string, family: 'ipv4' | 'ipv6' | undefined) => ({
      key: `default/web-${family}-${node}`,
      serviceKey: 'default/web',
      family,
      endpoints: [endpoint({ nodeName: node })],
    });
    const at = (policy: 'Cluster' | 'Local', ...endpoints: EndpointSliceView[]) => {
      const addresses = ['2001:db8:1::10', '198.51.100.10'];
      const services = [web('web', addresses, { externalTrafficPolicy: policy })];
      const made = model([dual, tor, six, bgpAdv('a')], { services, slices: () => endpoints });
      return [prefixes(made), made.withheld.map(({ reason, message }) => `${reason} ${message}`)];
    };
    const [v4Route, v6Route] = ['198.51.100.10/32', '2001:db8:1::10/128'];
    expect(at('Cluster', ready('node2', 'ipv4'), ready('node1', 'ipv6'))).toEqual([[v4Route, v6Route], []]);
    expect(at('Local', ready('node2', 'ipv4'), ready('node1', 'ipv6'))).toEqual([
      [v6Route],
      [
        'noLocalEndpoints 198.51.100.10: externalTrafficPolicy is Local and no IPv4 endpoint on node node1 can serve',
      ],
    ]);
    expect(at('Cluster', ready('node1', 'ipv4'))).toEqual([
      [v4Route],
      ['noEndpoints 2001:db8:1::10: no IPv6 endpoint of the Service can serve'],
    ]);
    // A slice that says neither counts for both; without any nothing is announced, with one reason.
    expect(at('Local', ready('node1', undefined))).toEqual([[v4Route, v6Route], []]);
    expect(at('Cluster')).toEqual([[], ['noEndpoints no endpoint of the Service can serve']]);
  });

  it('B13 E3: two entries with one address, in either order and in two slices: the usable one counts', () => {
    const dead = endpoint({ addresses: ['203.0.113.77'], nodeName: 'node1', ready: false, serving: false });
    const live = endpoint({ addresses: ['203.0.113.77'], nodeName: 'node2' });
    const slicings: ((key: string) => EndpointSliceView[])[] = [
      (key) => [{ key: `${key}-1`, serviceKey: key, endpoints: [dead, live] }],
      (key) => [{ key: `${key}-1`, serviceKey: key, endpoints: [live, dead] }],
      (key) => [dead, live].map((one, i) => ({ key: `${key}-${i}`, serviceKey: key, endpoints: [one] })),
    ];
    for (const slicing of slicings) {
      const slices = ({ key }: ServiceView) => slicing(key);
      expect(announcers(all, { slices })).toEqual(['node1', 'node2']);
      const services = [web('web', '198.51.100.10', { externalTrafficPolicy: 'Local' })];
      expect(announcers(all, { slices, services })).toEqual(['node2']);
    }
  });
});

describe('9.2 selection', () => {
  const other = pool('b', ['203.0.113.0/24']);
  const two = [web('web', '198.51.100.10'), web('more', '203.0.113.10', { labels: { app: 'more' } })];
  const bySelf = (given: Given, ...ads: TestObject[]) =>
    announcers([v4, other, tor, ...ads], { services: two, ...given });
  const more = { serviceSelectors: [{ matchLabels: { app: 'more' } }] };

  it('#25 pools by name', () => {
    const objects = [v4, other, tor, bgpAdv('a', { ipAddressPools: ['a'] })];
    expect(prefixes(model(objects, { services: two }))).toEqual(['198.51.100.10/32']);
  });

  it('#26 pools by label, added to those by name', () => {
    const byLabel = { ipAddressPoolSelectors: [{ matchLabels: { tier: 'gold' } }] };
    const reached = (spec: object) => prefixes(model([v4, other, tor, bgpAdv('a', spec)], { services: two }));
    expect(reached(byLabel)).toEqual(['198.51.100.10/32']);
    expect(reached({ ...byLabel, ipAddressPools: ['b'] })).toEqual(['198.51.100.10/32', '203.0.113.10/32']);
  });

  it('#27 node selectors of an advertisement: only these nodes announce, and all have the session', () => {
    const objects = [v4, tor, bgpAdv('a', on('node2'))];
    expect(announcers(objects)).toEqual(['node2']);
    for (const { name } of NODES) expect(sessions(model(objects, {}, name))).toEqual(['tor']);
  });

  it('#28 two Services, two advertisements, two sets of nodes, overlapping and empty: each prefix from its own', () => {
    const announced = (first: readonly string[], second: readonly string[]) => {
      const objects = [
        v4,
        other,
        tor,
        bgpAdv('a', { ipAddressPools: ['a'], ...on(...first) }),
        bgpAdv('b', { ipAddressPools: ['b'], ...on(...second) }),
      ];
      return NODES.map(({ name }) => prefixes(model(objects, { services: two }, name)));
    };
    const [one, another] = ['198.51.100.10/32', '203.0.113.10/32'];
    expect(announced(['node1'], ['node2'])).toEqual([[one], [another]]);
    expect(announced(['node1'], ['node1', 'node2'])).toEqual([[one, another], [another]]);
    expect(announced(['nowhere'], ['node2'])).toEqual([[], [another]]);
  });

  it('#29 one Service by two advertisements: the nodes of both', () => {
    expect(bySelf({}, bgpAdv('a', on('node1')), bgpAdv('b', on('node2')))).toEqual(['node1', 'node2']);
  });

  it('#30 a node that gets the label starts, one that loses it stops', () => {
    const labelled = bgpAdv('a', { nodeSelectors: [{ matchLabels: { edge: 'yes' } }] });
    const nodes = [node('node1'), node('node2', { edge: 'yes' })];
    expect(bySelf({ nodes }, labelled)).toEqual(['node2']);
    expect(bySelf({}, labelled)).toEqual([]);
  });

  it('#31 a selector that is changed to match nothing: that advertisement only', () => {
    const objects = (selected: string) => [
      v4,
      other,
      tor,
      bgpAdv('a', { ipAddressPools: ['a'], ...on(selected) }),
      bgpAdv('b', { ipAddressPools: ['b'] }),
    ];
    const before = model(objects('node1'), { services: two });
    expect(prefixes(before)).toEqual(['198.51.100.10/32', '203.0.113.10/32']);
    const made = model(objects('nowhere'), { services: two, before });
    expect([prefixes(made), sessions(made)]).toEqual([['203.0.113.10/32'], ['tor']]);
  });

  it('#32 a list of peers: the others have their session without the prefix', () => {
    const made = model([v4, tor, peer('q', { peerAddress: '192.0.2.2' }), bgpAdv('a', { peers: ['tor'] })]);
    expect(told(made)).toEqual(['198.51.100.10/32 > tor']);
    expect(sessions(made)).toEqual(['q', 'tor']);
    expect(render(made.model)).toContain(
      'route-map 192.0.2.2-in deny 20\nexit\n!\nroute-map 192.0.2.2-out deny 65535\n',
    );
  });

  it('#35 #37 edited service selectors: routes follow; several are ORed, none means all', () => {
    const reached = (...apps: string[]) => {
      const serviceSelectors = apps.map((app) => ({ matchLabels: { app } }));
      return prefixes(model([v4, other, tor, bgpAdv('a', { serviceSelectors })], { services: two }));
    };
    expect(reached('more')).toEqual(['203.0.113.10/32']);
    expect(reached('none', 'more')).toEqual(['203.0.113.10/32']);
    expect(reached('none')).toEqual([]);
    expect(reached()).toEqual(['198.51.100.10/32', '203.0.113.10/32']);
  });

  it('#38 selected Services as host routes, all through the aggregate', () => {
    const services = [web('web', '198.51.100.10'), web('more', '198.51.100.11', { labels: { app: 'more' } })];
    const objects = [v4, tor, bgpAdv('one', more), bgpAdv('wide', { aggregationLength: 24 })];
    expect(prefixes(model(objects, { services }))).toEqual(['198.51.100.0/24', '198.51.100.11/32']);
  });

  it('#39 one advertisement for all and one for selected Services: these carry the communities of both', () => {
    const objects = [
      v4,
      other,
      tor,
      bgpAdv('all', { communities: ['64512:1'] }),
      bgpAdv('some', { communities: ['64512:2'], ...more }),
    ];
    expect(told(model(objects, { services: two }))).toEqual([
      '198.51.100.10/32 > tor 64512:1',
      '203.0.113.10/32 > tor 64512:1 64512:2',
    ]);
  });
});

describe('9.2 attributes', () => {
  it('#43 a large community has a line of its own (ours: no list is named after it)', () => {
    const text = render(model([v4, tor, bgpAdv('a', { communities: ['large:64512:1:2', '64512:3'] })]).model);
    expect(text).toContain(' set community 64512:3\n set large-community 64512:1:2\n');
    expect(text).not.toContain('large:');
  });

  it('#44 an alias is its value; an unknown one takes out the advertisement until it exists (ours: that one only)', () => {
    const objects = [
      v4,
      tor,
      bgpAdv('a', { communities: ['vpn'] }),
      bgpAdv('b', { communities: ['64512:7'] }),
    ];
    const unknown = model(objects);
    expect([told(unknown), problems(unknown)]).toEqual([['198.51.100.10/32 > tor 64512:7'], ['ADB-12 a']]);
    const known = model([...objects, community('c', [{ name: 'vpn', value: '64512:1' }])]);
    expect(told(known)).toEqual(['198.51.100.10/32 > tor 64512:1 64512:7']);
  });

  it('#47 another preference, community and length: exactly the new routes', () => {
    const services = [web('web', ['198.51.100.10', '2001:db8:1::10'])];
    const both = peer('tor', { dualStackAddressFamily: true });
    const before = model([dual, both, bgpAdv('a', { localPref: 200, communities: ['64512:1'] })], {
      services,
    });
    expect(told(before)).toEqual([
      '198.51.100.10/32 > tor lp=200 64512:1',
      '2001:db8:1::10/128 > tor lp=200 64512:1',
    ]);
    const edited = {
      localPref: 300,
      communities: ['64512:2'],
      aggregationLength: 24,
      aggregationLengthV6: 124,
    };
    expect(told(model([dual, both, bgpAdv('a', edited)], { services, before }))).toEqual([
      '198.51.100.0/24 > tor lp=300 64512:2',
      '2001:db8:1::10/124 > tor lp=300 64512:2',
    ]);
  });

  /** Two advertisements of 100 and 200, the second one junior: what is announced, and what is wrong. */
  const pair = (a: object, b: object, reached = v4) => {
    const [senior, junior] = [
      bgpAdv('a', { localPref: 100, ...a }, { age: 0 }),
      bgpAdv('b', { localPref: 200, ...b }, { age: 1 }),
    ];
    const made = model([reached, tor, peer('q', { peerAddress: '192.0.2.2' }), senior, junior]);
    return [told(made), problems(made)];
  };
  const seniorOnly = [['198.51.100.10/32 > q,tor lp=100'], ['ADB-17 b']];

  it('#48 two preferences for the same routes, node and peers: the junior one is out (ours: only it)', () => {
    expect(pair({}, {})).toEqual(seniorOnly);
  });

  it('#49 disjoint peers, disjoint nodes or another aggregation: no conflict', () => {
    expect(pair({ peers: ['tor'] }, { peers: ['q'] })).toEqual([
      ['198.51.100.10/32 > q lp=200', '198.51.100.10/32 > tor lp=100'],
      [],
    ]);
    expect(pair({ ...on('node1') }, { ...on('node2') })).toEqual([['198.51.100.10/32 > q,tor lp=100'], []]);
    expect(pair({}, { aggregationLength: 24 })).toEqual([
      ['198.51.100.0/24 > q,tor lp=200', '198.51.100.10/32 > q,tor lp=100'],
      [],
    ]);
  });

  it('#51 a list of peers and all peers are a conflict (ours: the junior is out)', () => {
    expect(pair({}, { peers: ['tor'] })).toEqual(seniorOnly);
  });

  it('#52 on a dual-stack pool another length of IPv4 alone is a conflict (ours: the junior is out), of both families none', () => {
    expect(pair({}, { aggregationLength: 24 }, dual)).toEqual(seniorOnly);
    const [, none] = pair({}, { aggregationLength: 24, aggregationLengthV6: 124 }, dual);
    expect(none).toEqual([]);
  });

  it('#50 two preferences, one by service selectors: the Service that both match is withheld, no other', () => {
    const services = [web('web', '198.51.100.10'), web('more', '198.51.100.11', { labels: { app: 'more' } })];
    const selecting = { localPref: 100, serviceSelectors: [{ matchLabels: { app: 'more' } }] };
    const made = model([v4, tor, bgpAdv('a', selecting), bgpAdv('b')], { services });
    expect([prefixes(made), problems(made)]).toEqual([['198.51.100.10/32'], []]);
    expect(made.withheld).toMatchObject([{ service: 'default/more', reason: 'conflictingAdvertisements' }]);
    const [only] = model([v4, tor, bgpAdv('a', selecting)], { services: services.slice(1) }).model.routers;
    expect(only?.networks).toHaveLength(1);
  });

  it.each([
    [26, ['198.51.100.0/26']],
    [24, []],
  ])(
    '#53 the range .2 to .254 with aggregation length %d (ours: that pool alone is out)',
    (aggregationLength, expected) => {
      const objects = [pool('a', ['198.51.100.2-198.51.100.254']), tor, bgpAdv('a', { aggregationLength })];
      const made = model(objects);
      expect([prefixes(made), problems(made)]).toEqual([expected, expected.length === 0 ? ['ADB-16 a'] : []]);
    },
  );

  it('#54 64 communities are announced as any other number (ours: nothing is blocked)', () => {
    const communities = Array.from({ length: 64 }, (_, i) => `64512:${i + 1}`);
    const [line = ''] = told(model([v4, tor, bgpAdv('a', { communities })]));
    expect(line.split(' ').slice(3)).toEqual(communities);
  });

  it.each([
    ['ADB-1', { ipAddressPools: ['a', 'a'] }],
    ['ADB-2', { communities: ['1:1', '1:1'] }],
    ['ADB-3', { peers: ['tor', 'tor'] }],
    ['ADB-5', on('node1', 'node1')],
  ])('#55 duplicates in a list (ours: that advertisement alone is out): %s', (code, spec) => {
    const made = model([v4, tor, bgpAdv('a', spec)]);
    expect([prefixes(made), problems(made)]).toEqual([[], [`${code} a`]]);
  });
});
