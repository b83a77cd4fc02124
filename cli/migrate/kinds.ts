/** Kinds that a migration reads, backs up or deletes, beside those that the programs know. */
import { kinds } from '#runtime/kube/kinds.ts';
import type { ResourceType } from '#runtime/kube/types.ts';

/** What an installation leaves in its namespace and in the cluster, but for its workloads. */
export const leftoverKinds: readonly ResourceType[] = [
  kinds.Service,
  kinds.ConfigMap,
  kinds.Secret,
  kinds.ServiceAccount,
  kinds.Role,
  kinds.RoleBinding,
  kinds.ClusterRole,
  kinds.ClusterRoleBinding,
  kinds.NetworkPolicy,
];

/** FRRConfigurations of frr-k8s, which need not be installed. */
export const frrConfiguration: ResourceType = {
  group: 'frrk8s.metallb.io',
  version: 'v1beta1',
  plural: 'frrconfigurations',
  kind: 'FRRConfiguration',
  namespaced: true,
};

/** AddressPools of releases before 0.13. */
export const addressPool: ResourceType = {
  group: 'metallb.io',
  version: 'v1beta1',
  plural: 'addresspools',
  kind: 'AddressPool',
  namespaced: true,
};

/** Objects without labels that the original brings or makes (operator-packaging.md §2.5, §7.1). */
export const unlabelled: ReadonlySet<string> = new Set([
  'Secret metallb-webhook-cert',
  'Secret memberlist',
  'Secret frr-k8s-webhook-server-cert',
  'Secret metallb-operator-webhook-server-cert',
  'Service metallb-webhook-service',
  'Service frr-k8s-webhook-service',
  'Service metallb-operator-webhook-service',
  'ConfigMap frr-startup',
  'ConfigMap metallb-tls-config',
]);
