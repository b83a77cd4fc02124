/** From objects as the API server gives them to the small views of `metallb doctor`. */
import { parse } from 'yaml';
import { parseAddress } from '#core/model/ip.ts';
import type {
  CrdFact,
  NodeFact,
  PeerFact,
  PodFact,
  PoolFact,
  ProxyFact,
  ServiceFact,
  ServiceRef,
  StateFact,
  WebhookFact,
  WorkloadFact,
} from '#core/doctor/cluster-facts.ts';
import type { KubeObject } from '#runtime/kube/types.ts';

type Labels = Readonly<Record<string, string>>;

/** The part of an object below a field, as a shape that the caller knows from the API; absent parts read as empty. */
function part<T>(object: KubeObject, field: 'spec' | 'status' | 'data'): Partial<T> {
  const value: unknown = object[field];
  return typeof value === 'object' && value !== null ? value : {};
}

const spaceOf = ({ metadata }: KubeObject): string => metadata.namespace ?? '';

export function nodeFact(node: KubeObject): NodeFact {
  const { addresses = [], conditions = [] } = part<{
    addresses: { type: string; address: string }[];
    conditions: { type: string; status: string }[];
  }>(node, 'status');
  const { podCIDRs = [] } = part<{ podCIDRs: string[] }>(node, 'spec');
  return {
    name: node.metadata.name,
    labels: node.metadata.labels ?? {},
    ready: conditions.some(({ type, status }) => type === 'Ready' && status === 'True'),
    addresses: addresses.map(({ address }) => address).filter((text) => parseAddress(text) !== undefined),
    podCidrs: podCIDRs,
  };
}

interface PodTemplate {
  readonly metadata?: { readonly labels?: Labels };
  readonly spec?: { readonly containers?: readonly Container[] };
}

interface Container {
  readonly image?: string;
  readonly args?: readonly string[];
  readonly command?: readonly string[];
  readonly ports?: readonly {
    readonly containerPort: number;
    readonly hostPort?: number;
    readonly protocol?: string;
  }[];
}

export function workloadFact(kind: WorkloadFact['kind'], object: KubeObject): WorkloadFact {
  const { template, replicas = 1 } = part<{ template: PodTemplate; replicas: number }>(object, 'spec');
  const containers = template?.spec?.containers ?? [];
  const status = part<{ desiredNumberScheduled: number; numberReady: number; readyReplicas: number }>(
    object,
    'status',
  );
  const isDaemon = kind === 'DaemonSet';
  return {
    kind,
    namespace: spaceOf(object),
    name: object.metadata.name,
    labels: { ...template?.metadata?.labels, ...object.metadata.labels },
    desired: isDaemon ? (status.desiredNumberScheduled ?? 0) : replicas,
    ready: (isDaemon ? status.numberReady : status.readyReplicas) ?? 0,
    args: containers.flatMap(({ command = [], args = [] }) => [...command, ...args]),
    images: containers.flatMap(({ image }) => image ?? []),
    ports: containers.flatMap(({ ports = [] }) => ports.map(({ containerPort }) => containerPort)),
  };
}

export function podFact(pod: KubeObject): PodFact {
  const {
    nodeName = '',
    hostNetwork = false,
    containers = [],
  } = part<{ nodeName: string; hostNetwork: boolean; containers: Container[] }>(pod, 'spec');
  const { phase = '', conditions = [] } = part<{
    phase: string;
    conditions: { type: string; status: string; message?: string }[];
  }>(pod, 'status');
  const isReady = conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  const hostPorts = containers
    .flatMap(({ ports = [] }) => ports)
    .flatMap(({ containerPort, hostPort, protocol = 'TCP' }) => {
      const port = hostNetwork ? containerPort : hostPort;
      return port === undefined ? [] : [{ port, protocol }];
    });
  return {
    namespace: spaceOf(pod),
    name: pod.metadata.name,
    node: nodeName,
    labels: pod.metadata.labels ?? {},
    ready: isReady,
    phase,
    why: whyNot(pod, conditions),
    hostPorts,
  };
}

function whyNot(pod: KubeObject, conditions: readonly { type: string; status: string; message?: string }[]) {
  const { containerStatuses = [], initContainerStatuses = [] } = part<
    Record<
      'containerStatuses' | 'initContainerStatuses',
      { name: string; state?: { waiting?: { reason?: string; message?: string } } }[]
    >
  >(pod, 'status');
  for (const { name, state } of [...initContainerStatuses, ...containerStatuses]) {
    const { reason, message } = state?.waiting ?? {};
    if (reason !== undefined)
      return `container ${name}: ${reason}${message === undefined ? '' : ` (${message})`}`;
  }
  return conditions.find(({ status, message }) => status === 'False' && message !== undefined)?.message ?? '';
}

/** How many ready endpoints a Service has; undefined: there is no such Service. */
export type Endpoints = (service: ServiceRef) => number | undefined;

interface ClientConfig {
  readonly caBundle?: string;
  readonly service?: ServiceRef;
}

/** Webhooks of a configuration that are about MetalLB's groups and are served inside the cluster. */
export function webhookFacts(configuration: KubeObject, endpoints: Endpoints): WebhookFact[] {
  const webhooks = (configuration['webhooks'] ?? []) as readonly {
    readonly name: string;
    readonly failurePolicy?: string;
    readonly clientConfig: ClientConfig;
    readonly rules?: readonly { readonly apiGroups?: readonly string[] }[];
  }[];
  return webhooks.flatMap(({ name, failurePolicy = 'Fail', clientConfig, rules = [] }, index) => {
    const groups = rules.flatMap(({ apiGroups = [] }) => apiGroups);
    const service = clientConfig.service;
    if (service === undefined || !groups.some((group) => /(^|\.)metallb\.io$/.test(group))) return [];
    return [
      {
        configuration: configuration.metadata.name,
        index,
        name,
        failurePolicy,
        service: { namespace: service.namespace, name: service.name },
        endpoints: endpoints(service),
        hasCa: (clientConfig.caBundle ?? '') !== '',
      },
    ];
  });
}

export function crdFact(crd: KubeObject, endpoints: Endpoints): CrdFact {
  const {
    group = '',
    versions = [],
    conversion,
  } = part<{
    group: string;
    versions: { name: string; served: boolean }[];
    conversion: { strategy: string; webhook?: { clientConfig?: ClientConfig } };
  }>(crd, 'spec');
  const { storedVersions = [] } = part<{ storedVersions: string[] }>(crd, 'status');
  const service = conversion?.webhook?.clientConfig?.service;
  return {
    name: crd.metadata.name,
    group,
    stored: storedVersions,
    served: versions.filter(({ served }) => served).map(({ name }) => name),
    conversion:
      service === undefined
        ? undefined
        : { namespace: service.namespace, name: service.name, endpoints: endpoints(service) },
  };
}

/** The services that webhooks and conversions name. */
export function namedServices(objects: readonly KubeObject[]): ServiceRef[] {
  const none: Endpoints = () => 0;
  return objects.flatMap((object) => [
    ...webhookFacts(object, none).map(({ service }) => service),
    ...[crdFact(object, none).conversion].filter((service) => service !== undefined),
  ]);
}

export function poolFact(pool: KubeObject): PoolFact {
  const { addresses = [] } = part<{ addresses: string[] }>(pool, 'spec');
  return { namespace: spaceOf(pool), name: pool.metadata.name, addresses };
}

export function peerFact(peer: KubeObject): PeerFact {
  const {
    vrf = '',
    password = '',
    passwordSecret,
  } = part<{ vrf: string; password: string; passwordSecret: { name?: string } }>(peer, 'spec');
  return {
    namespace: spaceOf(peer),
    name: peer.metadata.name,
    vrf,
    hasPassword: password !== '' || (passwordSecret?.name ?? '') !== '',
  };
}

export function serviceFact(service: KubeObject): ServiceFact {
  const {
    clusterIPs = [],
    type,
    loadBalancerClass = '',
  } = part<{ clusterIPs: string[]; type: string; loadBalancerClass: string }>(service, 'spec');
  const { loadBalancer } = part<{ loadBalancer: { ingress?: { ip?: string }[] } }>(service, 'status');
  return {
    namespace: spaceOf(service),
    name: service.metadata.name,
    clusterIps: clusterIPs.filter((text) => text !== 'None'),
    isLoadBalancer: type === 'LoadBalancer',
    loadBalancerClass,
    ingress: (loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []),
  };
}

export function stateFact(state: KubeObject): StateFact {
  const { result = '', errorSummary = '' } = part<{ result: string; errorSummary: string }>(state, 'status');
  return { name: state.metadata.name, result, summary: errorSummary };
}

/** kube-proxy's configuration, as kubeadm and most others keep it. Throws YAMLParseError when it cannot be read. */
export function proxyOfConfigMap(map: KubeObject): ProxyFact {
  const { 'config.conf': text = '' } = part<Record<string, string>>(map, 'data');
  const { mode, ipvs } = (parse(text) ?? {}) as { mode?: string; ipvs?: { strictARP?: boolean } };
  return {
    object: `ConfigMap ${spaceOf(map)}/${map.metadata.name}`,
    mode: mode ?? '',
    strictArp: ipvs?.strictARP === true,
  };
}

/** kube-proxy that is told by flags. */
export function proxyOfWorkload({ namespace, name, args }: WorkloadFact): ProxyFact {
  const flag = (flag: string): string | undefined =>
    args.find((arg) => arg.startsWith(`--${flag}=`))?.slice(flag.length + 3);
  return {
    object: `DaemonSet ${namespace}/${name}`,
    mode: flag('proxy-mode') ?? '',
    strictArp: args.includes('--ipvs-strict-arp') || flag('ipvs-strict-arp') === 'true',
  };
}
