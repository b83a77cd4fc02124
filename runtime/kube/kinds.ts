/** Kubernetes' own kinds that the programs read and write. */
import type { ResourceType } from './types.ts';

/** A kind of version `v1`. */
export function kind(
  group: string,
  names: readonly [kind: string, plural: string],
  namespaced = true,
): ResourceType {
  return { group, version: 'v1', kind: names[0], plural: names[1], namespaced };
}

const rbac = 'rbac.authorization.k8s.io';

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
  ServiceAccount: kind('', ['ServiceAccount', 'serviceaccounts']),
  Role: kind(rbac, ['Role', 'roles']),
  RoleBinding: kind(rbac, ['RoleBinding', 'rolebindings']),
  ClusterRole: kind(rbac, ['ClusterRole', 'clusterroles'], false),
  ClusterRoleBinding: kind(rbac, ['ClusterRoleBinding', 'clusterrolebindings'], false),
  NetworkPolicy: kind('networking.k8s.io', ['NetworkPolicy', 'networkpolicies']),
  PodDisruptionBudget: kind('policy', ['PodDisruptionBudget', 'poddisruptionbudgets']),
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
