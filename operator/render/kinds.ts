/** The kinds the operator applies, watches and prunes. */
import { kind, kinds } from '#runtime/kube/kinds.ts';
import type { ResourceType } from '#runtime/kube/types.ts';

/** Present in every cluster. */
export const coreKinds: readonly ResourceType[] = [
  kinds.ServiceAccount,
  kinds.ConfigMap,
  kinds.Secret,
  kinds.Service,
  kinds.Role,
  kinds.RoleBinding,
  kinds.ClusterRole,
  kinds.ClusterRoleBinding,
  kinds.NetworkPolicy,
  kinds.Deployment,
  kinds.DaemonSet,
  kinds.PodDisruptionBudget,
];

/** Present where the Prometheus operator's or OpenShift's CRDs are. */
export const optionalKinds: readonly ResourceType[] = [
  kind('monitoring.coreos.com', ['ServiceMonitor', 'servicemonitors']),
  kind('monitoring.coreos.com', ['PodMonitor', 'podmonitors']),
  kind('monitoring.coreos.com', ['PrometheusRule', 'prometheusrules']),
  kind('security.openshift.io', ['SecurityContextConstraints', 'securitycontextconstraints'], false),
];

/** OpenShift's configuration of API servers, which is the one for all servers, and the name of its only object. */
export const apiServerConfig: ResourceType = kind('config.openshift.io', ['APIServer', 'apiservers'], false);
export const apiServerName = 'cluster';
