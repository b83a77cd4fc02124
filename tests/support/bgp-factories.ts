/** Short ways to write Services, nodes, advertisements and peers in tests; every field can be overridden. */
import type { BgpAdvertisement, BgpCommunity, BgpPeer, Config, Pool } from '#core/model/config.ts';
import { parseAddress, parseCidr, cidrRange, type IpAddress } from '#core/model/ip.ts';
import type { Selector } from '#core/model/selector.ts';
import type { Endpoint, EndpointSliceView, NodeView, ServiceView } from '#core/model/views.ts';

export function address(text: string): IpAddress {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`not an address: ${text}`);
  return parsed;
}

export function pool(name: string, ...cidrs: string[]): Pool {
  const entries = cidrs.map((text) => {
    const cidr = parseCidr(text);
    if (cidr === undefined) throw new Error(`not a prefix: ${text}`);
    return { text, range: cidrRange(cidr), cidrs: [cidr] };
  });
  const flags = { autoAssign: true, avoidBuggyIPs: false };
  return { name, labels: {}, entries, excluded: [], ...flags, serviceAllocation: undefined };
}

export function matchLabel(key: string, value: string): Selector {
  return { requirements: [{ key, operator: 'In', values: [value] }] };
}

export function community(value: string): BgpCommunity {
  return value.startsWith('large:') ? { kind: 'large', value: value.slice(6) } : { kind: 'standard', value };
}

export function advertisement(name: string, part: Partial<BgpAdvertisement> = {}): BgpAdvertisement {
  return {
    name,
    pools: ['pool-a'],
    nodeSelectors: [],
    peers: [],
    serviceSelectors: [],
    aggregationLength: 32,
    aggregationLengthV6: 128,
    localPref: 0,
    med: 0,
    asPathPrepend: 0,
    weightByEndpoints: false,
    communities: [],
    ...part,
  };
}

export function peer(name: string, endpoint: string, part: Partial<BgpPeer> = {}): BgpPeer {
  const parsed = parseAddress(endpoint);
  return {
    name,
    myAsn: 64512,
    remoteAs: { kind: 'asn', asn: 64513 },
    localAsn: undefined,
    endpoint:
      parsed === undefined
        ? { kind: 'interface', name: endpoint }
        : { kind: 'address', address: parsed, text: endpoint },
    sourceAddress: undefined,
    port: 179,
    timers: undefined,
    connectTime: undefined,
    routerId: undefined,
    nodeSelectors: [],
    password: undefined,
    passwordSecret: undefined,
    bfdProfile: undefined,
    gracefulRestart: false,
    ebgpMultiHop: false,
    vrf: '',
    disableMP: false,
    dualStackAddressFamily: false,
    ...part,
  };
}

export function config(part: Partial<Config> = {}): Config {
  return {
    pools: [pool('pool-a', '198.51.100.0/24', '2001:db8:100::/112')],
    l2Advertisements: [],
    bgpAdvertisements: [advertisement('all')],
    peers: [peer('tor1', '10.0.0.1')],
    bfdProfiles: [],
    frrExtras: '',
    ...part,
  };
}

export function node(part: Partial<NodeView> = {}): NodeView {
  return { name: 'node-a', labels: {}, networkUnavailable: false, internalIPs: ['10.0.0.42'], ...part };
}

export function service(ips: readonly string[], part: Partial<ServiceView> = {}): ServiceView {
  return {
    key: 'default/web',
    namespace: 'default',
    name: 'web',
    uid: '1',
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels: {},
    annotations: {},
    type: 'LoadBalancer',
    loadBalancerClass: undefined,
    clusterIPs: ['10.96.0.10'],
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    externalTrafficPolicy: 'Cluster',
    loadBalancerIP: '',
    selector: {},
    ports: [],
    ingress: ips.map((ip) => ({ ip, hostname: '', ipMode: 'VIP', hasPorts: false })),
    ...part,
  };
}

export function endpoint(part: Partial<Endpoint> = {}): Endpoint {
  return { addresses: ['10.244.0.5'], nodeName: 'node-a', ready: true, serving: true, ...part };
}

export function slice(...endpoints: Endpoint[]): EndpointSliceView[] {
  return [{ key: 'default/web-1', serviceKey: 'default/web', endpoints }];
}
