/** Services and EndpointSlices made by hand, for the light level, where no pods run. */
import type { LabApi } from '#lab/control/api.ts';
import * as plan from '#lab/net/plan.ts';

/** Where a light-level "pod" listens. */
export const WEB_PORT = 8080;

export interface HandMadeService {
  readonly name: string;
  readonly namespace?: string;
  /** Nodes whose web server is an endpoint. */
  readonly nodes: readonly number[];
  /** Merged over the Service's spec. */
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A dual-stack Service of type LoadBalancer on port 80, without selector and node ports. */
export function serviceObject(service: HandMadeService): Readonly<Record<string, unknown>> {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: service.name, annotations: service.annotations ?? {} },
    spec: {
      type: 'LoadBalancer',
      allocateLoadBalancerNodePorts: false,
      ipFamilyPolicy: 'RequireDualStack',
      ipFamilies: ['IPv4', 'IPv6'],
      ports: [{ name: 'http', port: 80, targetPort: WEB_PORT, protocol: 'TCP' }],
      ...service.spec,
    },
  };
}

/** The EndpointSlice of one family with an endpoint on each of the nodes. */
export function endpointSlice(
  service: HandMadeService,
  family: 'IPv4' | 'IPv6',
  ready = true,
): Readonly<Record<string, unknown>> {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${service.name}-${family.toLowerCase()}`,
      labels: { 'kubernetes.io/service-name': service.name },
    },
    addressType: family,
    ports: [{ name: 'http', port: WEB_PORT, protocol: 'TCP' }],
    endpoints: service.nodes.map((index) => {
      const { ipv4, ipv6 } = plan.podAddresses(index);
      return {
        addresses: [family === 'IPv4' ? ipv4 : ipv6],
        nodeName: plan.nodeName(index),
        conditions: { ready, serving: ready, terminating: false },
      };
    }),
  };
}

function slices(namespace: string): string {
  return `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
}

/** Creates the Service and its EndpointSlices. */
export async function createService(api: LabApi, service: HandMadeService): Promise<void> {
  const namespace = service.namespace ?? 'default';
  await api.create(`/api/v1/namespaces/${namespace}/services`, serviceObject(service));
  for (const family of ['IPv4', 'IPv6'] as const)
    await api.create(slices(namespace), endpointSlice(service, family));
}

/** Replaces the endpoints of a Service by those on `service.nodes`. */
export async function setEndpoints(api: LabApi, service: HandMadeService, ready = true): Promise<void> {
  for (const family of ['IPv4', 'IPv6'] as const) {
    const { endpoints } = endpointSlice(service, family, ready);
    const path = `${slices(service.namespace ?? 'default')}/${service.name}-${family.toLowerCase()}`;
    await api.patch(path, { endpoints });
  }
}

export async function deleteService(api: LabApi, name: string, namespace = 'default'): Promise<void> {
  await api.delete(`/api/v1/namespaces/${namespace}/services/${name}`);
}

/** Sets the addresses in the status by hand, as a load balancer would. */
export async function setIngress(
  api: LabApi,
  service: { readonly name: string; readonly namespace?: string },
  addresses: readonly string[],
): Promise<void> {
  const ingress = addresses.map((ip) => ({ ip, ipMode: 'VIP' }));
  const path = `/api/v1/namespaces/${service.namespace ?? 'default'}/services/${service.name}/status`;
  await api.patch(path, { status: { loadBalancer: { ingress } } });
}

/** The addresses in a Service's status. */
export async function ingressOf(
  api: LabApi,
  name: string,
  namespace = 'default',
): Promise<readonly string[]> {
  const service = await api.get<{ status?: { loadBalancer?: { ingress?: { ip: string }[] } } }>(
    `/api/v1/namespaces/${namespace}/services/${name}`,
  );
  return (service.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip);
}
