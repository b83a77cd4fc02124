/**
 * Rights of controller and speaker: what our programs use and nothing more. But for IPReservations, conditions on what
 * users configure, and a look at the own DaemonSet, which are then off, they fit inside the roles of the original
 * (operator-packaging.md §9, controller.md §6), so the programs also run under those. The rules are exported because
 * the operator, which grants them, must hold them itself (RBAC refuses escalation).
 */
import {
  namespaced,
  objectLabels,
  type Component,
  type Manifest,
  type RenderInput,
  type RenderOptions,
} from '#operator/render/manifest.ts';

export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** A right on paths instead of objects. */
export interface UrlRule {
  readonly nonResourceURLs: readonly string[];
  readonly verbs: readonly string[];
}

/** A watch, with the list that servers without streaming lists are asked for. */
const follow = ['list', 'watch'];

/** The kinds that users configure us with. */
const configKinds = [
  'bfdprofiles',
  'bgpadvertisements',
  'bgppeers',
  'communities',
  'ipaddresspools',
  'l2advertisements',
];

/** Those that carry the condition Accepted. */
const acceptedKinds = configKinds.filter((kind) => kind !== 'ipaddresspools');

/** Authenticated metrics ask the API server who is scraping and whether that is allowed. */
const reviews: readonly Rule[] = [
  { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
  { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
];

const writeEvents: Rule = { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] };

/**
 * Objects that a program writes. On OpenShift only those who may delete an object may change whose it is. Their
 * status is patched or applied, which is the same right.
 */
function written(kinds: readonly string[], extra: readonly string[] = []): Rule[] {
  return [
    { apiGroups: ['metallb.io'], resources: kinds, verbs: ['create', 'delete', ...follow, ...extra].sort() },
    { apiGroups: ['metallb.io'], resources: kinds.map((kind) => `${kind}/status`), verbs: ['patch'] },
  ];
}

/** Cluster-wide rights of the controller. */
export const controllerClusterRules: readonly Rule[] = [
  { apiGroups: [''], resources: ['namespaces'], verbs: follow },
  { apiGroups: [''], resources: ['services'], verbs: ['get', ...follow] },
  { apiGroups: [''], resources: ['services/status'], verbs: ['update'] },
  writeEvents,
  ...reviews,
];

/** Rights of the controller in its own namespace. */
export const controllerRules: readonly Rule[] = [
  { apiGroups: [''], resources: ['secrets'], verbs: ['create', 'get', ...follow] },
  { apiGroups: [''], resources: ['pods'], verbs: ['get'] },
  { apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['controller'], verbs: ['get'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create', 'get', 'update'] },
  { apiGroups: ['metallb.io'], resources: acceptedKinds, verbs: follow },
  { apiGroups: ['metallb.io'], resources: ['ipaddresspools'], verbs: ['get', ...follow] },
  { apiGroups: ['metallb.io'], resources: ['ipaddresspools/status'], verbs: ['update'] },
  { apiGroups: ['metallb.io'], resources: acceptedKinds.map((kind) => `${kind}/status`), verbs: ['patch'] },
  ...written(['configurationstates', 'ipreservations'], ['patch']),
];

/** Cluster-wide rights of the speaker. */
export const speakerClusterRules: readonly Rule[] = [
  { apiGroups: [''], resources: ['namespaces', 'nodes', 'services'], verbs: follow },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: follow },
  writeEvents,
  ...reviews,
];

/** The FRRConfigurations of an external frr-k8s live in a namespace of its own. */
export const externalFrrRules: readonly Rule[] = [
  {
    apiGroups: ['frrk8s.metallb.io'],
    resources: ['frrconfigurations'],
    verbs: ['create', 'delete', 'get', 'list', 'update', 'watch'],
  },
];

/** Rights of the speaker in its own namespace. */
export const speakerRules: readonly Rule[] = [
  { apiGroups: [''], resources: ['configmaps', 'secrets'], verbs: follow },
  { apiGroups: [''], resources: ['pods'], verbs: ['get', ...follow] },
  // Whether it is there: a speaker that is told to end withdraws its routes when all speakers are removed.
  { apiGroups: ['apps'], resources: ['daemonsets'], resourceNames: ['speaker'], verbs: follow },
  { apiGroups: ['metallb.io'], resources: configKinds, verbs: follow },
  ...written(['bgpsessionstates', 'configurationstates'], ['patch']),
  ...written(['servicebgpstatuses', 'servicel2statuses']),
];

/** OpenShift: the speaker may use its own security context constraints. */
export const useScc: Rule = {
  apiGroups: ['security.openshift.io'],
  resources: ['securitycontextconstraints'],
  resourceNames: ['metallb-speaker'],
  verbs: ['use'],
};

/** ServiceAccounts, roles and bindings of both workloads. */
export function rbac(input: RenderInput): Manifest[] {
  const { options } = input;
  const external = input.backend === 'frr-k8s-external' ? externalFrrRules : [];
  const scc = options.platform === 'openshift' ? [useScc] : [];
  return [
    ...accountWithRoles('controller', options, { cluster: controllerClusterRules, own: controllerRules }),
    ...accountWithRoles('speaker', options, {
      cluster: [...speakerClusterRules, ...external],
      own: [...speakerRules, ...scc],
    }),
  ];
}

/** Cluster-scoped names carry our namespace, so that two installations do not share them. */
export function clusterName(component: Component, options: Pick<RenderOptions, 'namespace'>): string {
  return `${options.namespace}:${component}`;
}

function accountWithRoles(
  component: Component,
  options: RenderOptions,
  rules: { cluster: readonly Rule[]; own: readonly Rule[] },
): Manifest[] {
  const group = 'rbac.authorization.k8s.io';
  const apiVersion = `${group}/v1`;
  const subjects = [{ kind: 'ServiceAccount', name: component, namespace: options.namespace }];
  const cluster = { name: clusterName(component, options), labels: objectLabels(options, component) };
  const own = namespaced(component, options, component);
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: own },
    { apiVersion, kind: 'ClusterRole', metadata: cluster, rules: rules.cluster },
    {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata: cluster,
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: cluster.name },
      subjects,
    },
    { apiVersion, kind: 'Role', metadata: own, rules: rules.own },
    {
      apiVersion,
      kind: 'RoleBinding',
      metadata: own,
      roleRef: { apiGroup: group, kind: 'Role', name: component },
      subjects,
    },
  ];
}
