/** The kinds the operator applies, watches and prunes. */
import type { ResourceType } from '#runtime/kube/types.ts';

function kind(
  group: string,
  version: string,
  names: { kind: string; plural: string },
  namespaced = true,
): ResourceType {
  return { group, version, ...names, namespaced };
}

const rbacGroup = 'rbac.authorization.k8s.io';

export const clusterRole: ResourceType = kind(
  rbacGroup,
  'v1',
  { kind: 'ClusterRole', plural: 'clusterroles' },
  false,
);

/** Present in every cluster. */
export const coreKinds: readonly ResourceType[] = [
  kind('', 'v1', { kind: 'ServiceAccount', plural: 'serviceaccounts' }),
  kind('', 'v1', { kind: 'ConfigMap', plural: 'configmaps' }),
  kind('', 'v1', { kind: 'Secret', plural: 'secrets' }),
  kind('', 'v1', { kind: 'Service', plural: 'services' }),
  kind(rbacGroup, 'v1', { kind: 'Role', plural: 'roles' }),
  kind(rbacGroup, 'v1', { kind: 'RoleBinding', plural: 'rolebindings' }),
  clusterRole,
  kind(rbacGroup, 'v1', { kind: 'ClusterRoleBinding', plural: 'clusterrolebindings' }, false),
  kind('networking.k8s.io', 'v1', { kind: 'NetworkPolicy', plural: 'networkpolicies' }),
  kind('apps', 'v1', { kind: 'Deployment', plural: 'deployments' }),
  kind('apps', 'v1', { kind: 'DaemonSet', plural: 'daemonsets' }),
  kind('policy', 'v1', { kind: 'PodDisruptionBudget', plural: 'poddisruptionbudgets' }),
];

/** Present where the Prometheus operator's or OpenShift's CRDs are. */
export const optionalKinds: readonly ResourceType[] = [
  kind('monitoring.coreos.com', 'v1', { kind: 'ServiceMonitor', plural: 'servicemonitors' }),
  kind('monitoring.coreos.com', 'v1', { kind: 'PodMonitor', plural: 'podmonitors' }),
  kind('monitoring.coreos.com', 'v1', { kind: 'PrometheusRule', plural: 'prometheusrules' }),
  kind(
    'security.openshift.io',
    'v1',
    { kind: 'SecurityContextConstraints', plural: 'securitycontextconstraints' },
    false,
  ),
];

/** The CR itself. */
export const metallbKind: ResourceType = kind('metallb.io', 'v1beta1', {
  kind: 'MetalLB',
  plural: 'metallbs',
});

/** OpenShift's configuration of API servers, which is the one for all servers, and the name of its only object. */
export const apiServerConfig: ResourceType = kind(
  'config.openshift.io',
  'v1',
  { kind: 'APIServer', plural: 'apiservers' },
  false,
);
export const apiServerName = 'cluster';
