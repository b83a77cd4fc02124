/** NetworkPolicy `controller`, and what Prometheus needs to find the metrics. Speakers are host-networked. */
import { serviceCertificates } from '#operator/render/containers.ts';
import {
  namespaced,
  selectorLabels,
  type Component,
  type Manifest,
  type RenderInput,
  type RenderOptions,
} from '#operator/render/manifest.ts';

/** The controller talks to the API server, behind whatever address, and is scraped; that is all. */
export function networkPolicies(input: RenderInput): Manifest[] {
  const { options } = input;
  if (!options.networkPolicies) return [];
  return [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: namespaced('controller', options, 'controller'),
      spec: {
        egress: [{ ports: options.apiPorts.map((port) => ({ port, protocol: 'TCP' })) }],
        ingress: [{ ports: [{ port: 'metricshttps', protocol: 'TCP' }] }],
        podSelector: { matchLabels: selectorLabels('controller') },
        policyTypes: ['Ingress', 'Egress'],
      },
    },
  ];
}

/** Headless Services and ServiceMonitors, or PodMonitors, as the operator's settings ask. */
export function monitoring(input: RenderInput, frr: boolean): Manifest[] {
  const { options } = input;
  const ports: Readonly<Record<Component, readonly string[]>> = {
    controller: ['metricshttps'],
    speaker: frr ? ['metricshttps', 'frrmetricshttps'] : ['metricshttps'],
  };
  const components: readonly Component[] = ['controller', 'speaker'];
  switch (options.monitors) {
    case 'none':
      return [];
    case 'service':
      return components.flatMap((component) => [
        monitorService(component, ports[component], options),
        serviceMonitor(component, ports[component], options),
      ]);
    case 'pod':
      return components.map((component) => podMonitor(component, ports[component], options));
  }
}

function portNumber(name: string, options: RenderOptions): number {
  return name === 'frrmetricshttps' ? options.ports.frrMetrics : options.ports.metrics;
}

function certificateAnnotation(component: Component, options: RenderOptions): object {
  if (!serviceCertificates(options)) return {};
  const secret = `${component}-certs-secret`;
  return { annotations: { 'service.beta.openshift.io/serving-cert-secret-name': secret } };
}

function monitorService(component: Component, ports: readonly string[], options: RenderOptions): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      ...namespaced(`${component}-monitor-service`, options, component),
      ...certificateAnnotation(component, options),
    },
    spec: {
      clusterIP: 'None',
      ports: ports.map((name) => ({
        name,
        port: portNumber(name, options),
        protocol: 'TCP',
        targetPort: name,
      })),
      selector: selectorLabels(component),
    },
  };
}

function tlsConfig(component: Component, options: RenderOptions): object {
  if (!serviceCertificates(options)) return { insecureSkipVerify: true };
  return {
    caFile: '/etc/prometheus/configmaps/serving-certs-ca-bundle/service-ca.crt',
    certFile: '/etc/prometheus/secrets/metrics-client-certs/tls.crt',
    insecureSkipVerify: false,
    keyFile: '/etc/prometheus/secrets/metrics-client-certs/tls.key',
    serverName: `${component}-monitor-service.${options.namespace}.svc`,
  };
}

function serviceMonitor(component: Component, ports: readonly string[], options: RenderOptions): Manifest {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'ServiceMonitor',
    metadata: {
      ...namespaced(`${component}-monitor`, options, component),
      ...certificateAnnotation(component, options),
    },
    spec: {
      endpoints: ports.map((port) => ({
        bearerTokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
        honorLabels: true,
        port,
        scheme: 'https',
        tlsConfig: tlsConfig(component, options),
      })),
      jobLabel: 'app.kubernetes.io/name',
      namespaceSelector: { matchNames: [options.namespace] },
      selector: { matchLabels: { app: 'metallb', component } },
    },
  };
}

function podMonitor(component: Component, ports: readonly string[], options: RenderOptions): Manifest {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: namespaced(component, options, component),
    spec: {
      jobLabel: 'app.kubernetes.io/name',
      namespaceSelector: { matchNames: [options.namespace] },
      podMetricsEndpoints: ports.map((port) => ({
        honorLabels: true,
        port,
        scheme: 'https',
        tlsConfig: { insecureSkipVerify: true },
      })),
      selector: { matchLabels: selectorLabels(component) },
    },
  };
}
