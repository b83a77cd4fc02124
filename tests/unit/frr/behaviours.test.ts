/** Behaviours of speaker-bgp.md §9 that can be told without a router: from the users' objects to what FRR is told. */
import { describe, expect, it } from 'vitest';
import { nodeModel, type NodeModel } from '#core/frr/node-model.ts';
import { formatCidr } from '#core/model/ip.ts';
import { projectNode } from '#core/model/projections.ts';
import type { EndpointSliceView, NodeView, ServiceView } from '#core/model/views.ts';
import { loadTemplates } from '#speaker/frr/templates.ts';
import { endpoint, service } from '#tests/support/bgp-factories.ts';
import {
  bfd,
  bgpAdv,
  community,
  l2Adv,
  node,
  peer,
  pool,
  resources,
  type TestObject,
} from '#tests/support/config-factories.ts';

const render = loadTemplates('frr-templates');
const flags = { lbClass: '', ignoreExcludeLb: false, logLevel: 'info' };
const NODES = [node('node1'), node('node2')];
const on = (...names: string[]) => ({
  nodeSelectors: names.map((name) => ({ matchLabels: { 'kubernetes.io/hostname': name } })),
});
const tor = peer('tor', { peerAddress: '192.0.2.1' });
const v4 = pool('a', ['198.51.100.0/24'], {}, { labels: { tier: 'gold' } });
const dual = pool('a', ['198.51.100.0/24', '2001:db8:1::/120']);

/** A Service of that name and address, with its endpoint on node1. */
function web(name: string, ip: string | readonly string[], part: Partial<ServiceView> = {}): ServiceView {
  return service(typeof ip === 'string' ? [ip] : ip, { key: `default/${name}`, name, uid: name, ...part });
}

interface Given {
  readonly services?: readonly ServiceView[];
  readonly nodes?: readonly NodeView[];
  readonly slices?: (service: ServiceView) => EndpointSliceView[];
  readonly before?: NodeModel;
}

const oneEndpoint = ({ key }: ServiceView): EndpointSliceView[] => [
  { key: `${key}-1`, serviceKey: key, endpoints: [endpoint({ nodeName: 'node1' })] },
];

function model(objects: readonly TestObject[], given: Given = {}, on = 'node1'): NodeModel {
  const { services = [web('web', '198.51.100.10')], nodes = NODES, slices = oneEndpoint, before } = given;
  const own = nodes.find(({ name }) => name === on) ?? node(on);
  const snapshot = { resources: resources(objects, { nodes }), services, slices: services.flatMap(slices) };
  return nodeModel(snapshot, own, flags, before?.lastGood);
}

/** `prefix > peer,peer lp=… community…`, one line for each grant; lp is left out when it is not set. */
function told({ model }: NodeModel): string[] {
  return model.routers.flatMap(({ networks, classes }) =>
    networks.flatMap(({ prefix, tag }) =>
      (classes.find((each) => each.tag === tag)?.grants ?? []).map((grant) =>
        [
          formatCidr(prefix),
          '>',
          grant.peers.join(','),
          ...(grant.localPref === 0 ? [] : [`lp=${grant.localPref}`]),
          ...grant.communities.map(({ value }) => value),
        ].join(' '),
      ),
    ),
  );
}

const prefixes = (made: NodeModel): string[] =>
  made.model.routers.flatMap(({ networks }) => networks.map(({ prefix }) => formatCidr(prefix)));
const sessions = ({ model }: NodeModel): string[] =>
  model.routers.flatMap(({ neighbors }) => neighbors.map(({ name }) => name));
const announcers = (objects: readonly TestObject[], given: Given = {}): string[] =>
  (given.nodes ?? NODES)
    .map(({ name }) => name)
    .filter((name) => prefixes(model(objects, given, name)).length > 0);
const problems = (made: NodeModel): string[] =>
  made.problems.map(({ code, object }) => `${code} ${object.name}`);

describe('9.1 announce and withdraw', () => {
  const all = [v4, tor, bgpAdv('a')];

  it('#6 policy changed to Local: nodes without an endpoint withdraw', () => {
    expect(announcers(all)).toEqual(['node1', 'node2']);
    const services = [web('web', '198.51.100.10', { externalTrafficPolicy: 'Local' })];
    expect(announcers(all, { services })).toEqual(['node1']);
  });

  it('#16 an address that changes: the new prefix instead of the old, in one model', () => {
    expect(prefixes(model(all, { services: [web('web', '198.51.100.11')] }))).toEqual(['198.51.100.11/32']);
  });

  it('#20 a cordoned node goes on', () => {
    const taints = [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }];
    const cordoned = projectNode({ metadata: { name: 'node1' }, spec: { unschedulable: true, taints } });
    expect(announcers(all, { nodes: [cordoned] })).toEqual(['node1']);
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
});

describe('9.2 selection and attributes', () => {
  const other = pool('b', ['203.0.113.0/24']);
  const two = [web('web', '198.51.100.10'), web('more', '203.0.113.10', { labels: { app: 'more' } })];
  const bySelf = (given: Given, ...ads: TestObject[]) =>
    announcers([v4, other, tor, ...ads], { services: two, ...given });

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

  it('#28 two Services, two advertisements, two sets of nodes: each prefix from its own', () => {
    const objects = [
      v4,
      other,
      tor,
      bgpAdv('a', { ipAddressPools: ['a'], ...on('node1') }),
      bgpAdv('b', { ipAddressPools: ['b'], ...on('node1', 'node2') }),
    ];
    const at = (name: string) => prefixes(model(objects, { services: two }, name));
    expect(at('node1')).toEqual(['198.51.100.10/32', '203.0.113.10/32']);
    expect(at('node2')).toEqual(['203.0.113.10/32']);
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

  it('#31 a selector that matches nothing: that advertisement only', () => {
    const objects = [
      v4,
      other,
      tor,
      bgpAdv('a', { ipAddressPools: ['a'], ...on('nowhere') }),
      bgpAdv('b', { ipAddressPools: ['b'] }),
    ];
    const made = model(objects, { services: two });
    expect([prefixes(made), sessions(made)]).toEqual([['203.0.113.10/32'], ['tor']]);
  });

  it('#37 edited service selectors: routes follow', () => {
    const selecting = (app: string) => bgpAdv('a', { serviceSelectors: [{ matchLabels: { app } }] });
    const reached = (app: string) => prefixes(model([v4, other, tor, selecting(app)], { services: two }));
    expect(reached('more')).toEqual(['203.0.113.10/32']);
    expect(reached('none')).toEqual([]);
  });

  it('#38 selected Services as host routes, all through the aggregate', () => {
    const services = [web('web', '198.51.100.10'), web('more', '198.51.100.11', { labels: { app: 'more' } })];
    const objects = [
      v4,
      tor,
      bgpAdv('one', { serviceSelectors: [{ matchLabels: { app: 'more' } }] }),
      bgpAdv('wide', { aggregationLength: 24 }),
    ];
    expect(prefixes(model(objects, { services }))).toEqual(['198.51.100.0/24', '198.51.100.11/32']);
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

  it('#47 another preference, community and length: exactly the new route', () => {
    const before = model([dual, tor, bgpAdv('a', { localPref: 200, communities: ['64512:1'] })]);
    expect(told(before)).toEqual(['198.51.100.10/32 > tor lp=200 64512:1']);
    const edited = {
      localPref: 300,
      communities: ['64512:2'],
      aggregationLength: 24,
      aggregationLengthV6: 124,
    };
    const after = model([dual, tor, bgpAdv('a', edited)], { before });
    expect(told(after)).toEqual(['198.51.100.0/24 > tor lp=300 64512:2']);
  });

  it('#50 two preferences, one by service selectors: the Service that both match is withheld, no other', () => {
    const services = [web('web', '198.51.100.10'), web('more', '198.51.100.11', { labels: { app: 'more' } })];
    const selecting = { localPref: 100, serviceSelectors: [{ matchLabels: { app: 'more' } }] };
    const made = model([v4, tor, bgpAdv('a', selecting), bgpAdv('b')], { services });
    expect([prefixes(made), problems(made)]).toEqual([['198.51.100.10/32'], []]);
    expect(made.withheld).toMatchObject([{ service: 'default/more', reason: 'conflictingAdvertisements' }]);
  });

  it.each([
    [26, ['198.51.100.0/26']],
    [24, []],
  ])('#53 the range .2 to .254 with aggregation length %d', (aggregationLength, expected) => {
    const objects = [pool('a', ['198.51.100.2-198.51.100.254']), tor, bgpAdv('a', { aggregationLength })];
    expect(prefixes(model(objects))).toEqual(expected);
  });

  it('#54 64 communities are announced as any other number (W: nothing is blocked)', () => {
    const communities = Array.from({ length: 64 }, (_, i) => `64512:${i + 1}`);
    const [line = ''] = told(model([v4, tor, bgpAdv('a', { communities })]));
    expect(line.split(' ').slice(3)).toEqual(communities);
  });

  it('#55 duplicates in a list', () => {
    expect(problems(model([v4, tor, bgpAdv('a', { peers: ['tor', 'tor'] })]))).toEqual(['ADB-3 a']);
  });
});

describe('9.3 sessions', () => {
  const second = peer('second', { peerAddress: '192.0.2.2' });
  const config = (...objects: TestObject[]) =>
    render(model([v4, bgpAdv('a'), ...objects], { services: [] }).model);
  const neighbor = (text: string, of: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith(` neighbor ${of} `) || line.startsWith(`  neighbor ${of} `));

  it('#56 #59 a peer that comes or goes changes no line of another', () => {
    const one = neighbor(config(tor), '192.0.2.1');
    expect(one.length).toBeGreaterThan(3);
    expect(neighbor(config(tor, second), '192.0.2.1')).toEqual(one);
    expect(neighbor(config(tor), '192.0.2.2')).toEqual([]);
  });

  it('#62 different router ids on one node, also in two VRFs: the junior is out', () => {
    const made = model([
      peer('a', { routerID: '10.0.0.1' }, { age: 0 }),
      peer('b', { routerID: '10.0.0.2', vrf: 'red' }, { age: 1 }),
    ]);
    expect([sessions(made), problems(made)]).toEqual([['a'], ['FRR-1 b']]);
  });

  it('#65 both passwords, or a Secret that is missing: that peer is out, and no other', () => {
    const both = { password: 'x', passwordSecret: { name: 'pw' } };
    const missing = { peerAddress: '192.0.2.3', passwordSecret: { name: 'pw' } };
    const made = model([peer('both', both), peer('missing', missing), second]);
    expect(sessions(made)).toEqual(['second']);
    expect(problems(made)).toEqual(['PEER-15 both', 'PEER-16 missing']);
  });

  it('#68 multihop for another AS; refused for our own', () => {
    expect(config(peer('p', { ebgpMultiHop: true }))).toContain(' neighbor 192.0.2.1 ebgp-multihop\n');
    const own = model([peer('p', { peerASN: 64512, ebgpMultiHop: true })]);
    expect([sessions(own), problems(own)]).toEqual([[], ['PEER-5 p']]);
  });

  it.each([
    [{ holdTime: '90s' }, 'timers 30 90'],
    [{ keepaliveTime: '10s' }, 'timers 10 30'],
    [{ holdTime: '10s' }, 'timers 3 10'],
    [{ holdTime: '0s', keepaliveTime: '0s' }, 'timers 0 0'],
  ])('#69 #70 %j: %s', (spec, line) => {
    expect(config(peer('p', spec))).toContain(` neighbor 192.0.2.1 ${line}\n`);
  });

  it('#72 the time between attempts', () => {
    expect(config(peer('p', { connectTime: '10s' }))).toContain(' neighbor 192.0.2.1 timers connect 10\n');
    expect(problems(model([peer('p', { connectTime: '1500ms' })]))).toEqual(['SCHEMA p']);
  });

  it('#75 an address of IPv6 only is nothing for a session of IPv4', () => {
    const services = [web('web', '2001:db8:1::10')];
    const objects = [dual, tor, bgpAdv('a')];
    expect(prefixes(model(objects, { services }))).toEqual([]);
    const both = peer('tor', { dualStackAddressFamily: true });
    expect(prefixes(model([dual, both, bgpAdv('a')], { services }))).toEqual(['2001:db8:1::10/128']);
  });

  it('#77 graceful restart is a line of the session', () => {
    expect(config(peer('p', { enableGracefulRestart: true }))).toContain(
      ' neighbor 192.0.2.1 graceful-restart\n',
    );
  });

  it('#82 disableMP changes nothing', () => {
    expect(config(peer('p', { disableMP: true }))).toBe(config(peer('p')));
  });

  it('#144 without a dual-stack session, the family of the address only', () => {
    const text = config(peer('p', { peerAddress: '2001:db8::1' }));
    expect(text).toContain('address-family ipv6 unicast');
    expect(text).not.toContain('address-family ipv4 unicast');
  });

  it('#149 a stored v1beta1 peer with zero timers', () => {
    expect(config(peer('p', { holdTime: '0s', keepaliveTime: '0s' }))).toContain('timers 0 0');
  });
});

describe('9.4 BFD', () => {
  it('#85 a profile without fields has no lines: FRR’s defaults', () => {
    const text = render(model([peer('p', { bfdProfile: 'plain' }), bfd('plain')], { services: [] }).model);
    expect(text).toContain(' profile plain\n exit\n');
    expect(text).toContain(' neighbor 192.0.2.1 bfd profile plain\n');
  });

  it('#87 echo mode and a pool of IPv6: that pool is kept from that peer', () => {
    const objects = [
      dual,
      peer('p', { bfdProfile: 'echo', dualStackAddressFamily: true }),
      bfd('echo', { echoMode: true }),
      bgpAdv('a'),
    ];
    expect(problems(model(objects))).toEqual(['X-1 a']);
  });

  it('#88 a missing profile takes out its peer, until it exists (ours: no other)', () => {
    const waiting = peer('p', { bfdProfile: 'later' });
    const other = peer('q', { peerAddress: '192.0.2.2' });
    const without = model([waiting, other]);
    expect([sessions(without), problems(without)]).toEqual([['q'], ['PEER-19 p']]);
    expect(sessions(model([waiting, other, bfd('later')]))).toEqual(['p', 'q']);
  });

  it.each([
    { detectMultiplier: 1 },
    { receiveInterval: 9 },
    { transmitInterval: 60001 },
    { minimumTtl: 0 },
    { minimumTtl: 255 },
  ])('#90 out of bounds: %j', (spec) => {
    expect(problems(model([bfd('b', spec)]))).toHaveLength(1);
  });

  it('#143 everything at once: the header of the profile exactly once, and its lines', () => {
    const full = {
      receiveInterval: 60,
      transmitInterval: 61,
      echoInterval: 62,
      echoMode: true,
      passiveMode: true,
      minimumTtl: 10,
    };
    const spec = { bfdProfile: 'full', holdTime: '57s', keepaliveTime: '13s' };
    const text = render(model([peer('p', spec), bfd('full', full)], { services: [] }).model);
    expect(text.match(/^ profile full$/gm)).toHaveLength(1);
    for (const line of [
      'log stdout informational',
      '  receive-interval 60',
      '  transmit-interval 61',
      '  echo transmit-interval 62',
      '  echo receive-interval 62',
      '  minimum-ttl 10',
      '  passive-mode',
      '  echo-mode',
      ' neighbor 192.0.2.1 timers 13 57',
    ])
      expect(text.split('\n')).toContain(line);
    expect(text).not.toContain(' port ');
  });
});
