/** What `metallb doctor` and `metallb migrate` know of a cluster: small views of what the API shows. */

export interface NodeFact {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ready: boolean;
  /** As written in `status.addresses`: IP addresses only. */
  readonly addresses: readonly string[];
  readonly podCidrs: readonly string[];
}

/** A Deployment or DaemonSet. */
export interface WorkloadFact {
  readonly kind: 'Deployment' | 'DaemonSet';
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly desired: number;
  readonly ready: number;
  /** Arguments of all containers. */
  readonly args: readonly string[];
  readonly images: readonly string[];
  readonly ports: readonly number[];
}

export interface PodFact {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ready: boolean;
  readonly phase: string;
  /** Why it is not ready: the first waiting container's reason, or the scheduler's words. */
  readonly why: string;
  /** Ports it takes on its node: those of its containers when it is on the host's network, else its host ports. */
  readonly hostPorts: readonly { readonly port: number; readonly protocol: string }[];
}

export interface ServiceRef {
  readonly namespace: string;
  readonly name: string;
}

export interface WebhookFact {
  /** Name of the ValidatingWebhookConfiguration. */
  readonly configuration: string;
  /** Index in its list. */
  readonly index: number;
  readonly name: string;
  readonly failurePolicy: string;
  readonly service: ServiceRef;
  /** Ready endpoints of the service; undefined: there is no such service. */
  readonly endpoints: number | undefined;
  readonly hasCa: boolean;
}

export interface CrdFact {
  readonly name: string;
  readonly group: string;
  /** Versions in the schema that objects of the kind are still stored in. */
  readonly stored: readonly string[];
  readonly served: readonly string[];
  /** The conversion webhook, when there is one. */
  readonly conversion: (ServiceRef & { readonly endpoints: number | undefined }) | undefined;
}

export interface ProxyFact {
  /** Where it stands: `ConfigMap kube-system/kube-proxy`. Empty: no kube-proxy was found. */
  readonly object: string;
  /** `iptables`, `ipvs`, `nftables`; empty is kube-proxy's default, iptables. */
  readonly mode: string;
  readonly strictArp: boolean;
}

export interface PoolFact {
  readonly namespace: string;
  readonly name: string;
  readonly addresses: readonly string[];
}

export interface PeerFact {
  readonly namespace: string;
  readonly name: string;
  readonly vrf: string;
  readonly hasPassword: boolean;
}

export interface ServiceFact extends ServiceRef {
  readonly clusterIps: readonly string[];
  readonly isLoadBalancer: boolean;
  readonly loadBalancerClass: string;
  /** Addresses in the status. */
  readonly ingress: readonly string[];
}

export interface StateFact {
  readonly name: string;
  readonly result: string;
  readonly summary: string;
}

export interface ClusterFacts {
  /** As `/version` tells it. */
  readonly version: string;
  /** The namespace of MetalLB, and the pod-security level it enforces; undefined: no such namespace. */
  readonly namespace:
    { readonly name: string; readonly labels: Readonly<Record<string, string>> } | undefined;
  readonly proxy: ProxyFact;
  readonly nodes: readonly NodeFact[];
  readonly workloads: readonly WorkloadFact[];
  readonly pods: readonly PodFact[];
  readonly crds: readonly CrdFact[];
  readonly webhooks: readonly WebhookFact[];
  /** What the API server answered when asked whether it would take a pool; empty: it would. */
  readonly probe: string;
  readonly pools: readonly PoolFact[];
  readonly peers: readonly PeerFact[];
  /** How many L2Advertisements there are. */
  readonly l2Advertisements: number;
  readonly services: readonly ServiceFact[];
  readonly states: readonly StateFact[];
}

/** Stands in for what could not be read. */
export const nothingKnown: ClusterFacts = {
  version: '',
  namespace: undefined,
  proxy: { object: '', mode: '', strictArp: false },
  nodes: [],
  workloads: [],
  pods: [],
  crds: [],
  webhooks: [],
  probe: '',
  pools: [],
  peers: [],
  l2Advertisements: 0,
  services: [],
  states: [],
};

/** Our workloads and the original's have the same names; only ours say what they are part of. */
export function isOurs({ labels }: Pick<WorkloadFact, 'labels'>): boolean {
  return labels['app.kubernetes.io/part-of'] === 'metallb';
}

export type MetallbComponent = 'controller' | 'speaker' | 'webhook-server' | 'operator' | 'frr-k8s';

/** Workloads that are told apart by name, in this order. */
const byName: readonly (readonly [RegExp, MetallbComponent])[] = [
  [/^metallb-operator-controller-manager/, 'operator'],
  [/^metallb-operator-webhook-server/, 'webhook-server'],
  [/^frr-k8s/, 'frr-k8s'],
];

const byPart: Readonly<Record<string, MetallbComponent>> = {
  'webhook-server': 'webhook-server',
  'frr-k8s': 'frr-k8s',
  statuscleaner: 'frr-k8s',
};

/** Which part of a MetalLB a workload or pod is, ours or the original's, by whatever road it came (operator-packaging.md §0, §6, §7). */
export function componentOf({
  labels,
  name,
}: Pick<WorkloadFact, 'labels' | 'name'>): MetallbComponent | undefined {
  const part = labels['app.kubernetes.io/component'] ?? labels['component'] ?? '';
  const known = byName.find(([pattern]) => pattern.test(name))?.[1] ?? byPart[part];
  if (known !== undefined) return known;
  if (labels['app'] === 'frr-k8s') return 'frr-k8s';
  const isMetallb = labels['app'] === 'metallb' || labels['app.kubernetes.io/name'] === 'metallb';
  return isMetallb && (part === 'controller' || part === 'speaker') ? part : undefined;
}

export const isReady = ({ desired, ready }: Pick<WorkloadFact, 'desired' | 'ready'>): boolean =>
  desired > 0 && ready >= desired;

/** `Kind namespace/name`. */
export function nameOf({ kind, namespace, name }: { kind: string; namespace: string; name: string }): string {
  return `${kind} ${namespace}/${name}`;
}
