/** What Prometheus needs: monitors for controller, speakers and the operator itself, and the alerts. */
import { serviceCertificates } from '#operator/render/containers.ts';
import { alerts } from '#operator/render/alerts.ts';
import {
  namespaced,
  objectLabels,
  operatorSelector,
  selectorLabels,
  type Component,
  type Labels,
  type Manifest,
  type RenderInput,
  type RenderOptions,
} from '#operator/render/manifest.ts';
import type { Rule } from '#operator/render/rbac.ts';

/** Account, roles and token that PodMonitors scrape with. */
export const metricsReader = 'metrics-reader';
export const metricsToken = 'metrics-token';
const operatorMetricsPort = 8443;

/** One set of pods with metrics. */
interface Source {
  readonly component: Component | 'operator';
  readonly selector: Labels;
  readonly ports: readonly { readonly name: string; readonly port: number }[];
}

/** Headless Services and ServiceMonitors, or PodMonitors, and PrometheusRules, as the operator's settings ask. */
export function monitoring(input: RenderInput, frr: boolean): Manifest[] {
  const { options } = input;
  const sources = sourcesOf(options, frr);
  const monitors = {
    none: () => [],
    service: () =>
      sources.flatMap((source) => [monitorService(source, options), serviceMonitor(source, options)]),
    pod: () => [...tokenForPodMonitors(options), ...sources.map((source) => podMonitor(source, options))],
  }[options.monitors]();
  const rights = options.monitors === 'none' ? [] : rightsOfPlatform(options);
  return [...rights, ...monitors, ...(options.alerts ? [prometheusRule(options)] : [])];
}

function sourcesOf({ ports }: RenderOptions, frr: boolean): Source[] {
  const own = { name: 'metricshttps', port: ports.metrics };
  const ofFrr = { name: 'frrmetricshttps', port: ports.frrMetrics };
  return [
    { component: 'controller', selector: selectorLabels('controller'), ports: [own] },
    { component: 'speaker', selector: selectorLabels('speaker'), ports: frr ? [own, ofFrr] : [own] },
    {
      component: 'operator',
      selector: operatorSelector,
      ports: [{ name: 'metricshttps', port: operatorMetricsPort }],
    },
  ];
}

/** The object's metadata, with the labels by which a Prometheus selects what it takes. */
function monitorMetadata(name: string, { component }: Source, options: RenderOptions) {
  const { labels, ...rest } = namespaced(name, options);
  const own = { 'app.kubernetes.io/component': component, component };
  return { ...rest, labels: { ...options.monitoringLabels, ...labels, ...own } };
}

/** OpenShift's service-ca makes certificates for controller and speakers, which mount them. */
function hasServiceCertificate({ component }: Source, options: RenderOptions): boolean {
  return component !== 'operator' && serviceCertificates(options);
}

function certificateAnnotation(source: Source, options: RenderOptions): object {
  if (!hasServiceCertificate(source, options)) return {};
  const secret = `${source.component}-certs-secret`;
  return { annotations: { 'service.beta.openshift.io/serving-cert-secret-name': secret } };
}

function monitorService(source: Source, options: RenderOptions): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      ...monitorMetadata(`${source.component}-monitor-service`, source, options),
      ...certificateAnnotation(source, options),
    },
    spec: {
      clusterIP: 'None',
      ports: source.ports.map(({ name, port }) => ({ name, port, protocol: 'TCP', targetPort: name })),
      selector: source.selector,
    },
  };
}

function tlsConfig(source: Source, options: RenderOptions): object {
  if (!hasServiceCertificate(source, options)) return { insecureSkipVerify: true };
  return {
    caFile: '/etc/prometheus/configmaps/serving-certs-ca-bundle/service-ca.crt',
    certFile: '/etc/prometheus/secrets/metrics-client-certs/tls.crt',
    insecureSkipVerify: false,
    keyFile: '/etc/prometheus/secrets/metrics-client-certs/tls.key',
    serverName: `${source.component}-monitor-service.${options.namespace}.svc`,
  };
}

function serviceMonitor(source: Source, options: RenderOptions): Manifest {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'ServiceMonitor',
    metadata: {
      ...monitorMetadata(`${source.component}-monitor`, source, options),
      ...certificateAnnotation(source, options),
    },
    spec: {
      endpoints: source.ports.map(({ name }) => ({
        bearerTokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
        honorLabels: true,
        port: name,
        scheme: 'https',
        tlsConfig: tlsConfig(source, options),
      })),
      jobLabel: 'app.kubernetes.io/name',
      namespaceSelector: { matchNames: [options.namespace] },
      selector: { matchLabels: { app: 'metallb', component: source.component } },
    },
  };
}

function podMonitor(source: Source, options: RenderOptions): Manifest {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: monitorMetadata(source.component, source, options),
    spec: {
      jobLabel: 'app.kubernetes.io/name',
      namespaceSelector: { matchNames: [options.namespace] },
      podMetricsEndpoints: source.ports.map(({ name }) => ({
        authorization: { credentials: { key: 'token', name: metricsToken } },
        honorLabels: true,
        port: name,
        scheme: 'https',
        tlsConfig: { insecureSkipVerify: true },
      })),
      selector: { matchLabels: source.selector },
    },
  };
}

/**
 * A PodMonitor cannot name Prometheus' own token, and without a token there are no metrics: so it gets one that may
 * do nothing else.
 */
function tokenForPodMonitors(options: RenderOptions): Manifest[] {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const own = namespaced(metricsReader, options);
  const cluster = { name: `${options.namespace}:${metricsReader}`, labels: objectLabels(options) };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: own },
    { apiVersion, kind: 'ClusterRole', metadata: cluster, rules: [readMetrics] },
    {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata: cluster,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: cluster.name },
      subjects: [{ kind: 'ServiceAccount', name: metricsReader, namespace: options.namespace }],
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        ...namespaced(metricsToken, options),
        annotations: { 'kubernetes.io/service-account.name': metricsReader },
      },
      type: 'kubernetes.io/service-account-token',
    },
  ];
}

/** What a Prometheus has to see to find our pods. */
export const findPods: Rule = {
  apiGroups: [''],
  resources: ['endpoints', 'pods', 'services'],
  verbs: ['get', 'list', 'watch'],
};

/** OpenShift's own Prometheus may read metrics, but sees nothing of a namespace that does not let it. */
function rightsOfPlatform(options: RenderOptions): Manifest[] {
  if (options.platform !== 'openshift') return [];
  const group = 'rbac.authorization.k8s.io';
  const metadata = namespaced('prometheus-k8s', options);
  return [
    { apiVersion: `${group}/v1`, kind: 'Role', metadata, rules: [findPods] },
    {
      apiVersion: `${group}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: group, kind: 'Role', name: metadata.name },
      subjects: [{ kind: 'ServiceAccount', name: 'prometheus-k8s', namespace: 'openshift-monitoring' }],
    },
  ];
}

/** The right that a scraper needs. */
export const readMetrics = { nonResourceURLs: ['/metrics'], verbs: ['get'] } as const;

/** All alerts; runbooks are their descriptions. */
function prometheusRule(options: RenderOptions): Manifest {
  const { labels, ...metadata } = namespaced('metallb', options);
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { ...metadata, labels: { ...options.monitoringLabels, ...labels } },
    spec: { groups: [{ name: 'metallb.rules', rules: alertRules() }] },
  };
}

/** The alerts as a file of rules has them. */
export function alertRules(): object[] {
  return alerts.map(({ name, expr, for: hold, severity, summary, description }) => ({
    alert: name,
    annotations: { description, summary },
    expr,
    for: hold,
    labels: { severity },
  }));
}
