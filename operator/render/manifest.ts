/** What the operator writes, as plain values: builders for metadata and labels, nothing cluster-specific. */
import type { BgpBackend, MetalLBSpec } from '#core/config/metallb.ts';

export type Labels = Readonly<Record<string, string>>;

/** One Kubernetes object ready to be applied. Without `namespace` it is cluster-scoped. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Labels;
    readonly annotations?: Labels;
    readonly ownerReferences?: readonly OwnerReference[];
  };
  readonly [field: string]: unknown;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export interface Ports {
  /** HTTPS metrics of controller and speaker, container port `metricshttps`. */
  readonly metrics: number;
  /** HTTPS metrics of FRR, container port `frrmetricshttps`. */
  readonly frrMetrics: number;
  /** Plain health endpoints of controller and speaker. */
  readonly health: number;
  /** Liveness between speakers, TCP and UDP. */
  readonly memberlist: number;
}

export interface TlsOptions {
  /** `VersionTLS12`, `VersionTLS13` or empty. */
  readonly minVersion: string;
  /** Comma list of IANA names or empty. */
  readonly cipherSuites: string;
  /** Comma list of curve numbers or empty. */
  readonly curvePreferences: string;
}

/** What does not come from the CR: the operator's own settings (operator-packaging.md §3) and the platform. */
export interface RenderOptions {
  readonly namespace: string;
  readonly images: { readonly controller: string; readonly speaker: string; readonly frr: string };
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never' | '';
  /** Secrets that images are pulled with. */
  readonly imagePullSecrets: readonly string[];
  readonly ports: Ports;
  readonly tls: TlsOptions;
  readonly platform: 'kubernetes' | 'openshift';
  readonly monitors: 'none' | 'service' | 'pod';
  /** Make the PrometheusRule. */
  readonly alerts: boolean;
  /** Labels of monitors and rules, by which a Prometheus selects what it takes. */
  readonly monitoringLabels: Labels;
  readonly networkPolicies: boolean;
  /** Ports of the API server that the NetworkPolicy lets the controller out to. */
  readonly apiPorts: readonly number[];
  /** Default namespace of an external frr-k8s; empty when unset. */
  readonly externalNamespace: string;
  /** OpenShift: the network operator deploys frr-k8s. */
  readonly frrFromNetworkOperator: boolean;
  /** Secret with the key of the speakers' membership. */
  readonly memberlistSecret: string;
  /** Value of `app.kubernetes.io/managed-by`. */
  readonly managedBy: string;
  readonly version: string;
}

/** What one rendering works on: the CR's spec, our options, and the backend in force. */
export interface RenderInput {
  readonly spec: MetalLBSpec;
  readonly options: RenderOptions;
  readonly backend: BgpBackend;
}

export type Component = 'controller' | 'speaker';

/** Labels that select a component's pods; they never change (contract.md, Workloads). */
export function selectorLabels(component: Component): Labels {
  return { app: 'metallb', component };
}

/** Label that selects the operator's own pod. */
export const operatorSelector: Labels = { 'control-plane': 'controller-manager' };

/** Labels of every object we make; `component` is absent for what serves the whole. */
export function objectLabels(options: RenderOptions, component?: Component): Labels {
  return {
    app: 'metallb',
    'app.kubernetes.io/managed-by': options.managedBy,
    'app.kubernetes.io/name': 'metallb',
    'app.kubernetes.io/part-of': 'metallb',
    'app.kubernetes.io/version': options.version,
    ...(component === undefined ? {} : { 'app.kubernetes.io/component': component, component }),
  };
}

/**
 * Labels of the pods: what objects carry, without the version, so that a new operator does not restart workloads
 * whose pods would be the same.
 */
export function podLabels(component: Component): Labels {
  return {
    ...selectorLabels(component),
    'app.kubernetes.io/component': component,
    'app.kubernetes.io/name': 'metallb',
    'app.kubernetes.io/part-of': 'metallb',
  };
}

/** A namespaced object's metadata. */
export function namespaced(
  name: string,
  options: RenderOptions,
  component?: Component,
): { name: string; namespace: string; labels: Labels } {
  return { name, namespace: options.namespace, labels: objectLabels(options, component) };
}

/** The value when it is set, nothing otherwise: `...optional('affinity', config?.affinity)`. */
export function optional<T>(field: string, value: T | undefined): Readonly<Record<string, T>> {
  const empty =
    value === undefined ||
    value === '' ||
    (Array.isArray(value) && value.length === 0) ||
    (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
  return empty ? {} : { [field]: value };
}
