/** Short ways to write Services, Nodes, slices and advertisements for decisions about Layer 2. */
import type { L2Context, L2Request } from '#core/election/decide-l2.ts';
import type { L2Advertisement } from '#core/model/config.ts';
import { parseAddress } from '#core/model/ip.ts';
import type { Labels, Selector } from '#core/model/selector.ts';
import type { Endpoint, EndpointSliceView, NodeView, ServiceView } from '#core/model/views.ts';

export function label(key: string, ...values: string[]): Selector {
  return { requirements: [{ key, operator: 'In', values }] };
}

export function advertisement(fields: Partial<L2Advertisement> = {}): L2Advertisement {
  return {
    name: 'ad',
    pools: ['pool'],
    nodeSelectors: [],
    interfaces: [],
    serviceSelectors: [],
    preferredNodes: [],
    failover: 'Default',
    answerPing: false,
    ...fields,
  };
}

export function node(name: string, labels: Labels = {}, networkUnavailable = false): NodeView {
  return { name, labels: { host: name, ...labels }, networkUnavailable, internalIPs: [] };
}

export function service(fields: Partial<ServiceView> = {}): ServiceView {
  return {
    key: 'default/web',
    namespace: 'default',
    name: 'web',
    uid: 'u',
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels: {},
    annotations: {},
    type: 'LoadBalancer',
    loadBalancerClass: undefined,
    clusterIPs: ['10.96.0.1'],
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    externalTrafficPolicy: 'Cluster',
    loadBalancerIP: '',
    selector: {},
    ports: [],
    ingress: [],
    ...fields,
  };
}

export function endpoint(nodeName: string, ready: boolean | undefined = true, serving?: boolean): Endpoint {
  return { addresses: ['10.1.0.1'], nodeName, ready, serving };
}

export function slice(...endpoints: Endpoint[]): EndpointSliceView {
  return { key: 'default/web-1', serviceKey: 'default/web', endpoints };
}

/** Context of node `iris1`; `alive` is every node unless given. */
export function context(nodes: readonly NodeView[], fields: Partial<L2Context> = {}): L2Context {
  return {
    me: 'iris1',
    advertisements: [advertisement()],
    nodes: new Map(nodes.map((view) => [view.name, view])),
    alive: new Set(nodes.map(({ name }) => name)),
    ignoreExcludeLabel: false,
    ...fields,
  };
}

/** Request for 10.20.30.1, which `iris2` wins against `iris1` by hash. */
export function request(fields: Partial<L2Request> = {}): L2Request {
  const address = parseAddress('10.20.30.1');
  return {
    service: service(),
    pool: 'pool',
    addresses: address === undefined ? [] : [address],
    slices: [slice(endpoint('iris1'))],
    ...fields,
  };
}
