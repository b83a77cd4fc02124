/**
 * From Kubernetes' own objects to the views of core/model/views.ts. Each function copies what is kept and is
 * tolerant: a field of the wrong shape counts as absent, since the API server has validated these kinds.
 */
import type { Labels } from '#core/model/selector.ts';
import type {
  Endpoint,
  EndpointSliceView,
  IngressEntry,
  NamespaceView,
  NodeView,
  SecretView,
  ServicePort,
  ServiceView,
} from '#core/model/views.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The shape every object has; structurally the runtime's KubeObject. */
export interface RawObject {
  readonly metadata: Fields & { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

const fields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const flag = (value: unknown): boolean | undefined => (typeof value === 'boolean' ? value : undefined);
/** Kept for each object: `filter` leaves room for 16 more, and `slice` takes it away. */
const texts = (value: unknown): string[] =>
  list(value)
    .filter((item) => typeof item === 'string' && item !== '')
    .slice() as string[];

const noLabels: Labels = Object.freeze({});

function labels(value: unknown): Labels {
  const entries = Object.entries(fields(value)).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return entries.length === 0 ? noLabels : Object.fromEntries(entries);
}

/** `namespace/name`, or `name` for cluster-scoped objects. */
export function keyOf(raw: RawObject): string {
  return raw.metadata.namespace === undefined
    ? raw.metadata.name
    : `${raw.metadata.namespace}/${raw.metadata.name}`;
}

const OURS = /^metallb\.(io|universe\.tf)\//;

function ownAnnotations(value: unknown): Labels {
  const entries = Object.entries(labels(value)).filter(([key]) => OURS.test(key));
  return entries.length === 0 ? noLabels : Object.fromEntries(entries);
}

export function projectService(raw: RawObject): ServiceView {
  const spec = fields(raw['spec']);
  const clusterIPs = texts(spec['clusterIPs']);
  const policy = text(spec['ipFamilyPolicy']);
  return {
    key: keyOf(raw),
    namespace: text(raw.metadata.namespace),
    name: raw.metadata.name,
    uid: text(raw.metadata['uid']),
    resourceVersion: text(raw.metadata['resourceVersion']),
    creationTimestamp: text(raw.metadata['creationTimestamp']),
    labels: labels(raw.metadata['labels']),
    annotations: ownAnnotations(raw.metadata['annotations']),
    type: text(spec['type']),
    loadBalancerClass: typeof spec['loadBalancerClass'] === 'string' ? spec['loadBalancerClass'] : undefined,
    clusterIPs: clusterIPs.length > 0 ? clusterIPs : texts([spec['clusterIP']]),
    ipFamilies: texts(spec['ipFamilies']),
    ipFamilyPolicy: policy === 'PreferDualStack' || policy === 'RequireDualStack' ? policy : 'SingleStack',
    externalTrafficPolicy: spec['externalTrafficPolicy'] === 'Local' ? 'Local' : 'Cluster',
    loadBalancerIP: text(spec['loadBalancerIP']),
    selector: labels(spec['selector']),
    ports: list(spec['ports']).map(projectPort),
    ingress: list(fields(fields(raw['status'])['loadBalancer'])['ingress']).map(projectIngress),
  };
}

function projectPort(raw: unknown): ServicePort {
  const port = fields(raw);
  const protocol = text(port['protocol']);
  return {
    name: text(port['name']),
    protocol: protocol === 'UDP' || protocol === 'SCTP' ? protocol : 'TCP',
    port: typeof port['port'] === 'number' ? port['port'] : 0,
  };
}

function projectIngress(raw: unknown): IngressEntry {
  const entry = fields(raw);
  return {
    ip: text(entry['ip']),
    hostname: text(entry['hostname']),
    ipMode: text(entry['ipMode']),
    hasPorts: list(entry['ports']).length > 0,
  };
}

/** Undefined for a slice that belongs to no Service. */
export function projectEndpointSlice(raw: RawObject): EndpointSliceView | undefined {
  const service = labels(raw.metadata['labels'])['kubernetes.io/service-name'];
  if (service === undefined || service === '') return undefined;
  return {
    key: keyOf(raw),
    serviceKey: `${text(raw.metadata.namespace)}/${service}`,
    family: familyOf(raw['addressType']),
    endpoints: list(raw['endpoints']).map(projectEndpoint),
  };
}

function familyOf(addressType: unknown): EndpointSliceView['family'] {
  if (addressType === 'IPv4') return 'ipv4';
  return addressType === 'IPv6' ? 'ipv6' : undefined;
}

function projectEndpoint(raw: unknown): Endpoint {
  const endpoint = fields(raw);
  const conditions = fields(endpoint['conditions']);
  return {
    addresses: texts(endpoint['addresses']),
    nodeName: text(endpoint['nodeName']),
    ready: flag(conditions['ready']),
    serving: flag(conditions['serving']),
  };
}

export function projectNode(raw: RawObject): NodeView {
  const status = fields(raw['status']);
  return {
    name: raw.metadata.name,
    labels: labels(raw.metadata['labels']),
    networkUnavailable: list(status['conditions'])
      .map(fields)
      .some((condition) => condition['type'] === 'NetworkUnavailable' && condition['status'] === 'True'),
    internalIPs: list(status['addresses'])
      .map(fields)
      .filter((address) => address['type'] === 'InternalIP')
      .map((address) => text(address['address'])),
  };
}

export function projectNamespace(raw: RawObject): NamespaceView {
  return { name: raw.metadata.name, labels: labels(raw.metadata['labels']) };
}

/** Name of the ConfigMap whose key `extras` is appended to FRR's configuration. */
export const FRR_EXTRAS = 'bgpextras';

export function projectExtras(raw: RawObject): string {
  return text(fields(raw['data'])['extras']);
}

/** Keeps the type and the password only: nothing else of a Secret enters memory. */
export function projectSecret(raw: RawObject): SecretView {
  const encoded = fields(raw['data'])['password'];
  return {
    name: raw.metadata.name,
    type: text(raw['type']),
    password: typeof encoded === 'string' ? decodeBase64(encoded) : undefined,
  };
}

function decodeBase64(encoded: string): string {
  const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}
