/**
 * What the programs keep of Kubernetes' own objects: copied on ingestion, so that nothing else of an object
 * stays in memory. Keys are `namespace/name` (`name` for cluster-scoped kinds).
 */
import type { Labels } from '#core/model/selector.ts';

export interface ServicePort {
  readonly name: string;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly port: number;
}

export interface IngressEntry {
  readonly ip: string;
  readonly hostname: string;
  readonly ipMode: string;
  readonly hasPorts: boolean;
}

export interface ServiceView {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** RFC 3339. */
  readonly creationTimestamp: string;
  readonly labels: Labels;
  /** Only the annotations under `metallb.io/` and `metallb.universe.tf/`. */
  readonly annotations: Labels;
  readonly type: string;
  readonly loadBalancerClass: string | undefined;
  /** Non-empty entries of `spec.clusterIPs` (or `spec.clusterIP` when that list is empty). May be `None`. */
  readonly clusterIPs: readonly string[];
  readonly ipFamilies: readonly string[];
  readonly ipFamilyPolicy: 'SingleStack' | 'PreferDualStack' | 'RequireDualStack';
  readonly externalTrafficPolicy: 'Cluster' | 'Local';
  readonly loadBalancerIP: string;
  /** The pod selector. */
  readonly selector: Labels;
  readonly ports: readonly ServicePort[];
  readonly ingress: readonly IngressEntry[];
}

export interface Endpoint {
  readonly addresses: readonly string[];
  /** Empty when the slice does not say. */
  readonly nodeName: string;
  /** Absent conditions are undefined: their meaning is decided in core (speaker-l2.md §2.6). */
  readonly ready: boolean | undefined;
  readonly serving: boolean | undefined;
}

export interface EndpointSliceView {
  readonly key: string;
  /** `namespace/name` of the Service, from the label `kubernetes.io/service-name`. */
  readonly serviceKey: string;
  /** Of all addresses in it; undefined where the slice says neither (FQDN): they count for both. */
  readonly family?: 'ipv4' | 'ipv6' | undefined;
  readonly endpoints: readonly Endpoint[];
}

export interface NodeView {
  readonly name: string;
  readonly labels: Labels;
  /** Condition NetworkUnavailable is True. */
  readonly networkUnavailable: boolean;
  /** InternalIP addresses as written. */
  readonly internalIPs: readonly string[];
}

export interface NamespaceView {
  readonly name: string;
  readonly labels: Labels;
}

export interface SecretView {
  readonly name: string;
  readonly type: string;
  /** Key `password` decoded from base64, undefined when absent. */
  readonly password: string | undefined;
}
