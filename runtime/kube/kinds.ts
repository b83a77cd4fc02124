/** Kubernetes' own kinds that the programs read and write. */
import type { ResourceType } from './types.ts';

function kind(
  group: string,
  names: readonly [kind: string, plural: string],
  namespaced = true,
): ResourceType {
  return { group, version: 'v1', kind: names[0], plural: names[1], namespaced };
}

export const kinds = {
  Service: kind('', ['Service', 'services']),
  Node: kind('', ['Node', 'nodes'], false),
  Namespace: kind('', ['Namespace', 'namespaces'], false),
  Pod: kind('', ['Pod', 'pods']),
  Secret: kind('', ['Secret', 'secrets']),
  ConfigMap: kind('', ['ConfigMap', 'configmaps']),
  Event: kind('', ['Event', 'events']),
  Deployment: kind('apps', ['Deployment', 'deployments']),
  DaemonSet: kind('apps', ['DaemonSet', 'daemonsets']),
  EndpointSlice: kind('discovery.k8s.io', ['EndpointSlice', 'endpointslices']),
  Lease: kind('coordination.k8s.io', ['Lease', 'leases']),
  CustomResourceDefinition: kind(
    'apiextensions.k8s.io',
    ['CustomResourceDefinition', 'customresourcedefinitions'],
    false,
  ),
  ValidatingWebhookConfiguration: kind(
    'admissionregistration.k8s.io',
    ['ValidatingWebhookConfiguration', 'validatingwebhookconfigurations'],
    false,
  ),
} as const;
