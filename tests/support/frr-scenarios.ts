/** The scenarios of speaker-bgp.md §3.7 and more, as input of the renderer. Each is a golden file and is loaded into FRR. */
import { Drain } from '#core/announce/drain.ts';
import { decideBgp, mergeRoutes } from '#core/bgp/advertise.ts';
import { bgpContext } from '#core/bgp/gates.ts';
import { buildModel } from '#core/frr/build.ts';
import type { FrrModel } from '#core/frr/model.ts';
import type { BfdProfile, Config } from '#core/model/config.ts';
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

export interface Scenario {
  readonly name: string;
  readonly config: Config;
  /** Addresses of each Service. */
  readonly services: readonly (readonly string[])[];
  readonly node?: Partial<NodeView>;
  readonly logLevel?: string;
  /** Endpoints of each Service on the node; one unless told. */
  readonly endpoints?: number;
  /** The node is being emptied, and another one announces all Services too. */
  readonly leaving?: true;
}

/** The model of the scenario's node. */
export function scenarioModel(scenario: Scenario): FrrModel {
  const context = bgpContext(scenario.config, node(scenario.node), false);
  const endpoints = Array.from({ length: scenario.endpoints ?? 1 }, () => endpoint());
  const situation = { node: 'node-a', waitMs: 1, now: 0, others: () => ['node-b'] } as const;
  const cause = scenario.leaving === true ? 'label' : undefined;
  const drain = new Drain();
  const verdicts = scenario.services.map((ips, i) => {
    const verdict = decideBgp(context, service(ips), slice(...endpoints));
    return drain.apply(String(i), verdict, { ...situation, cause });
  });
  const options = { hostname: 'node-a', logLevel: scenario.logLevel ?? 'informational' };
  return buildModel(context, mergeRoutes(verdicts), options).model;
}

export function profile(name: string, part: Partial<BfdProfile> = {}): BfdProfile {
  return {
    name,
    receiveInterval: undefined,
    transmitInterval: undefined,
    detectMultiplier: undefined,
    echoInterval: undefined,
    echoMode: false,
    passiveMode: false,
    minimumTtl: undefined,
    ...part,
  };
}

const v4 = pool('pool-a', '198.51.100.0/24');
const dual = pool('dual', '198.51.100.0/24', '2001:db8:100::/112');
const inPool = (name: string, part = {}) => advertisement('all', { pools: [name], ...part });
const internal = { kind: 'asn', asn: 64512 } as const;

export const scenarios: readonly Scenario[] = [
  { name: '1-one-ipv4-ebgp-peer', config: config({ pools: [v4] }), services: [['198.51.100.10']] },
  {
    name: '2-dual-stack-communities-local-preference',
    config: config({
      pools: [dual],
      bgpAdvertisements: [
        inPool('dual', {
          localPref: 200,
          communities: ['65535:65281', '64512:100', 'large:64512:1:2'].map(community),
        }),
      ],
      peers: [
        peer('rr-v6', '2001:db8:1::1', { remoteAs: internal, dualStackAddressFamily: true }),
        peer('tor-v4', '10.0.0.1', { remoteAs: internal }),
      ],
    }),
    services: [['198.51.100.20', '2001:db8:100::14']],
  },
  {
    name: '3-aggregate-and-host-routes',
    config: config({
      pools: [v4],
      bgpAdvertisements: [
        advertisement('external', { aggregationLength: 24 }),
        advertisement('local', { localPref: 100, communities: [community('65535:65282')] }),
      ],
      peers: [peer('tor1', '10.0.0.1', { remoteAs: internal })],
    }),
    services: [['198.51.100.10'], ['198.51.100.11']],
  },
  {
    name: '4-bfd-profiles',
    config: config({
      pools: [v4],
      bfdProfiles: [
        profile('far', { passiveMode: true, minimumTtl: 250 }),
        profile('fast', {
          receiveInterval: 150,
          transmitInterval: 150,
          detectMultiplier: 3,
          echoInterval: 50,
          echoMode: true,
        }),
        profile('unused'),
      ],
      peers: [
        peer('core', '203.0.113.9', {
          remoteAs: { kind: 'asn', asn: 65001 },
          port: 1179,
          ebgpMultiHop: true,
          timers: { hold: 30, keepalive: 10 },
          connectTime: 5,
          bfdProfile: 'far',
        }),
        peer('tor1', '10.0.0.1', { sourceAddress: address('10.0.0.42'), bfdProfile: 'fast' }),
      ],
    }),
    services: [['198.51.100.10']],
  },
  {
    name: '5-two-vrfs',
    config: config({
      pools: [pool('pool-blue', '203.0.113.0/24'), pool('pool-red', '198.51.100.0/24')],
      bgpAdvertisements: [
        advertisement('to-blue', { pools: ['pool-blue'], peers: ['blue-gw'] }),
        advertisement('to-red', { pools: ['pool-red'], peers: ['red-gw'] }),
      ],
      peers: [
        peer('blue-gw', '192.0.2.1', { remoteAs: { kind: 'asn', asn: 65010 }, vrf: 'blue' }),
        peer('red-gw', '192.0.2.1', { remoteAs: { kind: 'asn', asn: 65020 }, vrf: 'red' }),
      ],
    }),
    services: [['203.0.113.5'], ['198.51.100.5']],
  },
  {
    name: '6-unnumbered-password-graceful-restart',
    config: config({
      pools: [dual],
      bgpAdvertisements: [inPool('dual')],
      peers: [
        peer('fabric', 'eth1', {
          remoteAs: { kind: 'external' },
          password: 's3cret',
          gracefulRestart: true,
          routerId: address('10.255.0.7'),
        }),
      ],
    }),
    services: [['198.51.100.20', '2001:db8:100::14']],
  },
  {
    name: '7-ipv6-ebgp-local-asn',
    config: config({
      pools: [dual],
      bgpAdvertisements: [inPool('dual')],
      peers: [peer('v6', '2001:db8::1', { localAsn: 65000, routerId: address('10.255.0.7') })],
    }),
    services: [['198.51.100.20', '2001:db8:100::14']],
  },
  {
    name: 'a12-node-without-ipv4',
    config: config({
      pools: [dual],
      bgpAdvertisements: [inPool('dual')],
      peers: [peer('v6', '2001:db8::1', { remoteAs: { kind: 'internal' } })],
    }),
    services: [['2001:db8:100::14']],
    node: { name: 'worker-0.example.org', internalIPs: ['2001:db8::42'] },
  },
  {
    name: 'b26-large-numbers',
    config: config({
      pools: [v4],
      bgpAdvertisements: [advertisement('all', { localPref: 4_294_967_295 })],
      peers: [
        peer('internal', '10.0.0.3', { myAsn: 4_200_000_001, remoteAs: { kind: 'asn', asn: 4_200_000_001 } }),
        peer('r1', '10.0.0.1', { myAsn: 4_200_000_001, remoteAs: { kind: 'asn', asn: 4_294_967_294 } }),
        peer('r2', '10.0.0.2', { myAsn: 4_200_000_001, localAsn: 4_200_000_000 }),
      ],
    }),
    services: [['198.51.100.10']],
  },
  {
    name: 'med-and-as-path-prepend',
    config: config({
      pools: [v4],
      bgpAdvertisements: [
        advertisement('all', {
          med: 50,
          asPathPrepend: 3,
          localPref: 200,
          communities: [community('64512:1')],
        }),
      ],
      peers: [
        peer('ebgp', '10.0.0.1'),
        peer('ibgp', '10.0.0.2', { remoteAs: internal }),
        peer('other-as', '10.0.0.3', { localAsn: 65010 }),
      ],
    }),
    services: [['198.51.100.10']],
  },
  {
    name: 'weight-by-endpoints',
    config: config({
      pools: [dual],
      bgpAdvertisements: [
        inPool('dual', { weightByEndpoints: true, localPref: 200, communities: [community('64512:1')] }),
      ],
      peers: [peer('ebgp', '10.0.0.1'), peer('ibgp', '10.0.0.2', { remoteAs: internal })],
    }),
    services: [['198.51.100.10', '2001:db8:100::a']],
    endpoints: 3,
  },
  {
    name: 'leaving',
    config: config({
      pools: [dual],
      bgpAdvertisements: [
        inPool('dual', { localPref: 200, med: 5, communities: ['64512:1', 'large:1:2:3'].map(community) }),
      ],
      peers: [peer('ebgp', '10.0.0.1'), peer('ibgp', '10.0.0.2', { remoteAs: internal })],
    }),
    services: [['198.51.100.10', '2001:db8:100::a']],
    leaving: true,
  },
  {
    name: 'two-peers-different-communities',
    config: config({
      pools: [v4],
      bgpAdvertisements: [
        advertisement('a', { peers: ['p1'], communities: ['64512:1', '64512:10', '64512:9'].map(community) }),
        advertisement('b', {
          peers: ['p2'],
          communities: ['65535:0', '65535:666', 'large:4:5:6'].map(community),
        }),
      ],
      peers: [peer('p1', '10.0.0.1'), peer('p2', '10.0.0.2')],
    }),
    services: [['198.51.100.10']],
  },
  {
    name: 'bfd-all-fields',
    config: config({
      bgpAdvertisements: [],
      bfdProfiles: [
        profile('full', {
          receiveInterval: 60,
          transmitInterval: 61,
          detectMultiplier: 4,
          echoInterval: 62,
          echoMode: true,
          passiveMode: true,
          minimumTtl: 10,
        }),
      ],
      peers: [
        peer('tor1', '10.0.0.1', {
          bfdProfile: 'full',
          timers: { hold: 57, keepalive: 13 },
          connectTime: 10,
        }),
      ],
    }),
    services: [],
  },
  { name: 'debug-no-peers', config: config({ peers: [] }), services: [], logLevel: 'debugging' },
  {
    name: 'extras-redefine-inbound-entry',
    config: config({
      pools: [v4],
      frrExtras:
        'ip prefix-list allowed seq 5 permit 192.0.2.0/24 le 32\nroute-map 10.0.0.1-in permit 20\n  match ip address prefix-list allowed\n',
    }),
    services: [['198.51.100.10']],
  },
  {
    // SVC-3: the original stops at 63 of them, FRR does not.
    name: 'seventy-communities',
    config: config({
      pools: [v4],
      bgpAdvertisements: [
        advertisement('all', {
          communities: Array.from({ length: 70 }, (_, index) => community(`64512:${index}`)),
        }),
      ],
    }),
    services: [['198.51.100.10']],
  },
];
