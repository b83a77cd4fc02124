import { describe, expect, it } from 'vitest';
import { decideBgp, mergeRoutes } from '#core/bgp/advertise.ts';
import { bgpContext } from '#core/bgp/gates.ts';
import { buildModel } from '#core/frr/build.ts';
import {
  frrConfiguration,
  type BuiltConfiguration,
  type ConfigurationContext,
} from '#core/frrk8s/configuration.ts';
import { otherConfiguration } from '#core/frrk8s/others.ts';
import type { Config } from '#core/model/config.ts';
import type { NodeView } from '#core/model/views.ts';
import {
  address,
  advertisement,
  community,
  config,
  endpoint,
  node,
  peer,
  pool,
  service,
  slice,
} from '#tests/support/bgp-factories.ts';
import { profile } from '#tests/support/frr-scenarios.ts';

interface Given {
  readonly services?: readonly (readonly string[])[];
  readonly node?: Partial<NodeView>;
  readonly context?: Partial<ConfigurationContext>;
}

function built(part: Partial<Config>, given: Given = {}): BuiltConfiguration {
  const own = node(given.node);
  const context = bgpContext(config(part), own, false);
  const services = given.services ?? [['198.51.100.10']];
  const verdicts = services.map((ips) => decideBgp(context, service(ips), slice(endpoint())));
  const options = { hostname: own.name, logLevel: 'informational' };
  const { model } = buildModel(context, mergeRoutes(verdicts), options);
  return frrConfiguration(model, { node: own, passwords: 'clear', others: [], ...given.context });
}

const neighborsOf = ({ spec }: BuiltConfiguration) => spec.bgp.routers.flatMap(({ neighbors }) => neighbors);
const only = (part: Parameters<typeof peer>[2], given: Given = {}) =>
  neighborsOf(built({ peers: [peer('p', '10.0.0.1', part)] }, given))[0];
const internal = { kind: 'asn', asn: 64512 } as const;

describe('routes of a FRRConfiguration', () => {
  it('#110 prefixes, local preferences and communities are sorted, each once', () => {
    const ads = [
      advertisement('b', {
        localPref: 200,
        communities: ['64512:20', '64512:3', 'large:1:2:3'].map(community),
      }),
      advertisement('a', { localPref: 200, communities: ['64512:3'].map(community) }),
      advertisement('wide', { aggregationLength: 24, localPref: 100 }),
    ];
    const { spec } = built(
      { pools: [pool('pool-a', '198.51.100.0/24')], bgpAdvertisements: ads },
      { services: [['198.51.100.9'], ['198.51.100.10'], ['198.51.100.10']] },
    );
    const all = ['198.51.100.0/24', '198.51.100.10/32', '198.51.100.9/32'];
    const hosts = all.slice(1);
    expect(spec.bgp.routers[0]?.prefixes).toEqual(all);
    expect(spec.bgp.routers[0]?.neighbors[0]?.toAdvertise).toEqual({
      allowed: { mode: 'filtered', prefixes: all },
      withLocalPref: [
        { localPref: 100, prefixes: ['198.51.100.0/24'] },
        { localPref: 200, prefixes: hosts },
      ],
      withCommunity: [
        { community: '64512:20', prefixes: hosts },
        { community: '64512:3', prefixes: hosts },
        { community: 'large:1:2:3', prefixes: hosts },
      ],
    });
  });

  it('#115 each neighbour gets the families of its session only, and the router has what its neighbours get', () => {
    const services = [['198.51.100.20', '2001:db8:100::14']];
    const peers = [
      peer('v4', '10.0.0.1'),
      peer('v6', '2001:db8::1'),
      peer('both', '10.0.0.2', { dualStackAddressFamily: true }),
      peer('if', 'eth9'),
      peer('nothing', '10.0.0.3'),
    ];
    const bgpAdvertisements = [advertisement('all', { peers: ['v4', 'v6', 'both', 'if'] })];
    const { spec } = built({ peers, bgpAdvertisements }, { services });
    const sent = spec.bgp.routers[0]?.neighbors.map((each) => [
      each.address ?? each.interface,
      each.toAdvertise.allowed.prefixes.join(),
    ]);
    const [v4, v6] = ['198.51.100.20/32', '2001:db8:100::14/128'];
    expect(sent).toEqual([
      ['10.0.0.1', v4],
      ['10.0.0.2', `${v4},${v6}`],
      ['10.0.0.3', ''],
      ['2001:db8::1', v6],
      ['eth9', `${v4},${v6}`],
    ]);
    expect(spec.bgp.routers[0]?.prefixes).toEqual([v4, v6]);
  });

  it('one router per VRF, each with its own routes', () => {
    const pools = [pool('blue', '203.0.113.0/24'), pool('red', '198.51.100.0/24')];
    const peers = [peer('b', '10.0.0.1'), peer('r', '10.0.0.1', { vrf: 'red', myAsn: 64999 })];
    const ads = [
      advertisement('b', { pools: ['blue'], peers: ['b'] }),
      advertisement('r', { pools: ['red'], peers: ['r'] }),
    ];
    const { spec } = built(
      { pools, peers, bgpAdvertisements: ads },
      { services: [['203.0.113.5'], ['198.51.100.5']] },
    );
    expect(spec.bgp.routers.map(({ asn, vrf, prefixes }) => [asn, vrf, prefixes])).toEqual([
      [64512, undefined, ['203.0.113.5/32']],
      [64999, 'red', ['198.51.100.5/32']],
    ]);
  });
});

describe('neighbours of a FRRConfiguration', () => {
  it('every field of a BGPPeer, sourceAddress and localASN among them (W29)', () => {
    const full = only({
      remoteAs: { kind: 'asn', asn: 65001 },
      localAsn: 65099,
      sourceAddress: address('10.0.0.42'),
      port: 1179,
      timers: { hold: 90, keepalive: 30 },
      connectTime: 10,
      bfdProfile: 'fast',
      gracefulRestart: true,
      ebgpMultiHop: true,
      dualStackAddressFamily: true,
      disableMP: true,
      password: 'secret',
    });
    expect(full).toMatchObject({
      address: '10.0.0.1',
      asn: 65001,
      localASN: 65099,
      sourceaddress: '10.0.0.42',
      port: 1179,
      holdTime: '90s',
      keepaliveTime: '30s',
      connectTime: '10s',
      bfdProfile: 'fast',
      enableGracefulRestart: true,
      ebgpMultiHop: true,
      dualStackAddressFamily: true,
      disableMP: true,
      password: 'secret',
    });
    expect(Object.keys(only({}) ?? {})).toEqual(['address', 'asn', 'port', 'toAdvertise']);
    expect(only({ remoteAs: { kind: 'external' } })).toMatchObject({ dynamicASN: 'external' });
  });

  it('#111 a password and a reference to it are never both there; #112 in clear only where frr-k8s cannot read the Secret', () => {
    const part = { password: 'x', passwordSecret: { name: 'bgp', namespace: 'here' } };
    const reference = only(part, { context: { passwords: 'reference' } });
    expect(reference).toMatchObject({ passwordSecret: { name: 'bgp', namespace: 'here' } });
    expect(reference).not.toHaveProperty('password');
    const clear = only(part);
    expect(clear).toMatchObject({ password: 'x' });
    expect(clear).not.toHaveProperty('passwordSecret');
    expect(only({ password: 'x' }, { context: { passwords: 'reference' } })).toMatchObject({ password: 'x' });
  });

  it('#127 localASN in our own AS: that peer is left out by name, all others stay', () => {
    const peers = [
      peer('bad', '10.0.0.1', { remoteAs: internal, localAsn: 65099 }),
      peer('good', '10.0.0.2', { localAsn: 65099 }),
    ];
    const result = built({ peers });
    expect(result.refused).toEqual([{ peer: 'bad', message: expect.stringContaining('localASN') }]);
    expect(neighborsOf(result)).toMatchObject([{ address: '10.0.0.2', localASN: 65099 }]);
    expect(result.peers).toEqual([['good']]);
    // Without any neighbour there is no router either.
    expect(built({ peers: peers.slice(0, 1) }).spec.bgp.routers).toEqual([]);
  });

  it('are in the order of the original: AS or dynamic, peer, own AS, source', () => {
    const peers = [
      peer('a', '10.0.0.9'),
      peer('b', '10.0.0.10', { remoteAs: { kind: 'external' } }),
      peer('c', '10.0.0.1', { remoteAs: { kind: 'asn', asn: 9 } }),
      peer('d', '10.0.0.2'),
    ];
    expect(built({ peers }).peers).toEqual([['d', 'a', 'c', 'b']]);
    expect(built({ peers: peers.toReversed() }).spec).toEqual(built({ peers }).spec);
  });
});

describe('what else is in a FRRConfiguration', () => {
  it('all BFD profiles, sorted, with both modes written out', () => {
    const bfdProfiles = [profile('z', { receiveInterval: 100, echoMode: true }), profile('a')];
    expect(built({ bfdProfiles }).spec.bgp.bfdProfiles).toEqual([
      { name: 'a', echoMode: false, passiveMode: false },
      { name: 'z', receiveInterval: 100, echoMode: true, passiveMode: false },
    ]);
  });

  it('#124 selects the node by its own value of the host name label (W30)', () => {
    const selects = (part: Partial<NodeView>) => built({}, { node: part }).spec.nodeSelector.matchLabels;
    const key = 'kubernetes.io/hostname';
    expect(selects({ labels: { [key]: 'host-7' } })).toEqual({ [key]: 'host-7' });
    expect(selects({})).toEqual({ [key]: 'node-a' });
  });

  it('a router id where one is asked for, and on nodes without IPv4 unless the user’s object has one (W21)', () => {
    const peers = [peer('p', '10.0.0.1')];
    const id = (given: Given, routerId?: string): string | undefined =>
      built(
        { peers: [{ ...peers[0]!, routerId: routerId === undefined ? undefined : address(routerId) }] },
        given,
      ).spec.bgp.routers[0]?.id;
    const six = { internalIPs: ['fd00::1'], labels: { rack: 'a' } };
    const other = (spec: object) => ({ context: { others: [otherConfiguration(spec)] } });
    expect(id({})).toBeUndefined();
    expect(id({}, '192.0.2.1')).toBe('192.0.2.1');
    expect(id({ node: six })).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    const routers = [{ asn: 1, id: '192.0.2.9' }];
    expect(id({ node: six, ...other({ bgp: { routers } }) })).toBeUndefined();
    expect(id({ node: six, ...other({ bgp: { routers: [{ asn: 1 }] } }) })).toBeDefined();
    expect(id({ node: six, ...other({ bgp: { routers: [{ ...routers[0], vrf: 'red' }] } }) })).toBeDefined();
    const elsewhere = { nodeSelector: { matchLabels: { rack: 'b' } }, bgp: { routers } };
    expect(id({ node: six, ...other(elsewhere) })).toBeDefined();
    expect(id({ node: six, ...other({ ...elsewhere, nodeSelector: { matchLabels: { rack: 'a' } } }) })).toBe(
      undefined,
    );
  });
});
