/** What installs the operator itself: its account, exactly the rights it needs, and its Deployment. */
import { metallbName } from '#core/config/metallb.ts';
import { confined, fieldEnv, image, probes } from '#operator/render/containers.ts';
import { programs } from '#operator/render/image.ts';
import { operatorSelector, type Manifest, type RenderOptions } from '#operator/render/manifest.ts';
import { defaultDeny, operatorPolicy } from '#operator/render/policies.ts';
import { findPods, metricsReader, metricsToken, readMetrics } from '#operator/render/monitoring.ts';
import {
  controllerClusterRules,
  controllerRules,
  externalFrrRules,
  speakerClusterRules,
  speakerRules,
  useScc,
  type Rule,
  type UrlRule,
} from '#operator/render/rbac.ts';
import { apiServerConfig, apiServerName } from '#operator/render/kinds.ts';
import { speakerScc } from '#operator/render/speaker.ts';

/** Name of the operator's Deployment. */
export const operatorName = 'metallb-operator-controller-manager';

const account = 'manager-account';
/** Name of the operator's ClusterRole, where OLM did not choose another one. */
export const operatorRole = 'metallb-manager-role';
const binding = 'metallb-manager-rolebinding';
const rbacGroup = 'rbac.authorization.k8s.io';

const labels = {
  'app.kubernetes.io/component': 'operator',
  'app.kubernetes.io/name': 'metallb',
  'app.kubernetes.io/part-of': 'metallb',
};

/** `create` by name works because server-side apply names what it creates. */
const write = ['create', 'delete', 'patch'];
const follow = ['list', 'watch'];

/**
 * Cluster-wide rights: our two roles and their bindings by name, and all that those roles grant, since nobody may
 * grant what he does not hold.
 */
export function operatorClusterRules(namespace: string): (Rule | UrlRule)[] {
  const names = ['controller', 'speaker', metricsReader].map((name) => `${namespace}:${name}`);
  const roles = ['clusterrolebindings', 'clusterroles'];
  const scc = { apiGroups: ['security.openshift.io'], resources: ['securitycontextconstraints'] };
  return [
    { apiGroups: [''], resources: ['namespaces'], resourceNames: [namespace], verbs: ['get'] },
    { apiGroups: [rbacGroup], resources: roles, verbs: follow },
    { apiGroups: [rbacGroup], resources: roles, resourceNames: names, verbs: write },
    { apiGroups: [rbacGroup], resources: ['clusterroles'], resourceNames: [operatorRole], verbs: ['get'] },
    // Objects of other namespaces are told that nobody acts on them.
    { apiGroups: ['metallb.io'], resources: ['metallbs'], verbs: follow },
    { apiGroups: ['metallb.io'], resources: ['metallbs/status'], verbs: ['patch'] },
    // OpenShift only: the TLS profile, the speakers' constraints.
    {
      apiGroups: [apiServerConfig.group],
      resources: [apiServerConfig.plural],
      resourceNames: [apiServerName],
      verbs: follow,
    },
    { ...scc, verbs: follow },
    { ...scc, resourceNames: [speakerScc], verbs: write },
    ...withoutRepeats([...controllerClusterRules, ...speakerClusterRules, ...externalFrrRules]),
    readMetrics,
  ];
}

/** Rights in our own namespace. */
export function operatorRules(): Rule[] {
  const all = [...write, ...follow];
  return [
    { apiGroups: ['metallb.io'], resources: ['metallbs'], verbs: follow },
    { apiGroups: ['metallb.io'], resources: ['metallbs/status'], verbs: ['patch'] },
    {
      apiGroups: ['metallb.io'],
      resources: ['metallbs/finalizers'],
      resourceNames: [metallbName],
      verbs: ['update'],
    },
    { apiGroups: [''], resources: ['configmaps', 'serviceaccounts', 'services'], verbs: all },
    { apiGroups: ['apps'], resources: ['daemonsets', 'deployments'], verbs: all },
    // The owner of our Lease, so that it goes when the operator goes.
    { apiGroups: ['apps'], resources: ['deployments'], resourceNames: [operatorName], verbs: ['get'] },
    { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: all },
    { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: all },
    { apiGroups: [rbacGroup], resources: ['rolebindings', 'roles'], verbs: all },
    {
      apiGroups: ['monitoring.coreos.com'],
      resources: ['podmonitors', 'prometheusrules', 'servicemonitors'],
      verbs: all,
    },
    { apiGroups: [''], resources: ['secrets'], resourceNames: [metricsToken], verbs: ['delete', 'patch'] },
    ...withoutRepeats([...controllerRules, ...speakerRules, useScc, findPods]),
  ];
}

function withoutRepeats(rules: readonly Rule[]): Rule[] {
  const seen = new Map(rules.map((rule) => [JSON.stringify(rule), rule]));
  return [...seen.values()];
}

/** The namespace, allowed to run speakers: they need the host's network and raw sockets. */
export function namespaceManifest(namespace: string): Manifest {
  const level = 'privileged';
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: namespace,
      labels: {
        ...labels,
        // OpenShift: the cluster's own Prometheus looks for monitors here.
        'openshift.io/cluster-monitoring': 'true',
        'pod-security.kubernetes.io/audit': level,
        'pod-security.kubernetes.io/enforce': level,
        'pod-security.kubernetes.io/warn': level,
      },
    },
  };
}

/** NetworkPolicy of the operator, and the one that cuts off whatever has none. */
export function operatorPolicies(namespace: string): { readonly own: Manifest; readonly rest: Manifest } {
  return {
    own: operatorPolicy({ name: 'metallb-operator', namespace, labels }),
    rest: defaultDeny({ name: 'default-deny', namespace, labels }),
  };
}

/** ServiceAccount, roles and bindings of the operator. */
export function operatorRbac(namespace: string): Manifest[] {
  const apiVersion = `${rbacGroup}/v1`;
  const cluster = { name: operatorRole, labels };
  const own = { name: operatorRole, namespace, labels };
  const subjects = [{ kind: 'ServiceAccount', name: account, namespace }];
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account, namespace, labels } },
    { apiVersion, kind: 'ClusterRole', metadata: cluster, rules: operatorClusterRules(namespace) },
    {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata: { name: binding, labels },
      roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name: operatorRole },
      subjects,
    },
    { apiVersion, kind: 'Role', metadata: own, rules: operatorRules() },
    {
      apiVersion,
      kind: 'RoleBinding',
      metadata: { name: binding, namespace, labels },
      roleRef: { apiGroup: rbacGroup, kind: 'Role', name: operatorRole },
      subjects,
    },
  ];
}

/**
 * The operator's Deployment. It runs `options.images.controller`, and so will everything that
 * the operator makes: it looks at its own pod.
 */
export function operatorDeployment(options: RenderOptions): Manifest {
  const select = operatorSelector;
  const { namespace, version } = options;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: operatorName,
      namespace,
      labels: { ...labels, ...select, 'app.kubernetes.io/version': version },
    },
    spec: {
      replicas: 1,
      revisionHistoryLimit: 3,
      selector: { matchLabels: select },
      template: {
        metadata: { labels: { ...labels, ...select } },
        spec: {
          containers: [managerContainer(options)],
          dnsPolicy: 'Default',
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          // The user is the image's: OpenShift chooses another one, and refuses a pod that asks for its own.
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          serviceAccountName: account,
          terminationGracePeriodSeconds: 10,
          tolerations: [
            { effect: 'NoSchedule', key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' },
          ],
        },
      },
    },
  };
}

function managerContainer(options: RenderOptions): object {
  return {
    args: ['--enable-leader-election', '--metrics-addr=:8443'],
    command: [programs.operator],
    env: [fieldEnv('OPERATOR_NAMESPACE', 'metadata.namespace'), fieldEnv('POD_NAME', 'metadata.name')],
    ...image(options.images.controller, options),
    ...probes({ port: 'health' }),
    name: 'manager',
    ports: [
      { containerPort: 8080, name: 'health', protocol: 'TCP' },
      { containerPort: 8443, name: 'metricshttps', protocol: 'TCP' },
    ],
    resources: { requests: { cpu: '50m', memory: '128Mi' } },
    securityContext: confined(),
  };
}
