/** config/prometheus: a component of kustomize that makes the operator monitor what it installs, the same without an operator, and the dashboard. */
import { readMetrics } from '#operator/render/monitoring.ts';
import { operatorName } from '#operator/render/install.ts';
import type { Manifest } from '#operator/render/manifest.ts';
import { render } from '#operator/render/render.ts';
import { dashboard } from '#tools/monitoring/dashboard.ts';
import type { GeneratedFile } from '#tools/generated-file.ts';
import { documents, plainOptions } from '#tools/manifests/producer.ts';

const folder = 'config/prometheus';
const namespace = 'metallb-system';
/** As kube-prometheus calls it. */
const prometheus = { kind: 'ServiceAccount', name: 'prometheus-k8s', namespace: 'monitoring' };
const rbacGroup = 'rbac.authorization.k8s.io';
const labels = { 'app.kubernetes.io/name': 'metallb', 'app.kubernetes.io/part-of': 'metallb' };

export function dashboardText(): string {
  return `${JSON.stringify(dashboard(), null, 2)}\n`;
}

/** The label is what Grafana's sidecar of kube-prometheus-stack looks for. */
function dashboardConfigMap(): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'metallb-dashboard', namespace, labels: { ...labels, grafana_dashboard: '1' } },
    data: { 'metallb.json': dashboardText() },
  };
}

/** What a Prometheus needs to find our pods and to be given their metrics. */
function rights(): Manifest[] {
  const apiVersion = `${rbacGroup}/v1`;
  const roleRef = (kind: string, name: string) => ({ apiGroup: rbacGroup, kind, name });
  const find = { name: 'prometheus-k8s', namespace, labels };
  const read = { name: `${namespace}:prometheus-k8s`, labels };
  const kinds = [
    { apiGroups: [''], resources: ['endpoints', 'pods', 'services'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] },
  ];
  return [
    { apiVersion, kind: 'Role', metadata: find, rules: kinds },
    {
      apiVersion,
      kind: 'RoleBinding',
      metadata: find,
      roleRef: roleRef('Role', find.name),
      subjects: [prometheus],
    },
    { apiVersion, kind: 'ClusterRole', metadata: read, rules: [readMetrics] },
    {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata: read,
      roleRef: roleRef('ClusterRole', read.name),
      subjects: [prometheus],
    },
  ];
}

/** To be named under `components` beside config: an overlay could not name the folder above it. */
function component(): object {
  const switches = ['DEPLOY_SERVICEMONITORS', 'DEPLOY_PROMETHEUSRULES'];
  const patch = switches.map((name) => ({
    op: 'add',
    path: '/spec/template/spec/containers/0/env/-',
    value: { name, value: 'true' },
  }));
  return {
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    resources: ['rbac.yaml', 'dashboard.yaml'],
    patches: [{ patch: JSON.stringify(patch), target: { kind: 'Deployment', name: operatorName } }],
  };
}

/** All of `config/prometheus`. */
export function prometheusFiles(): GeneratedFile[] {
  const options = { ...plainOptions('manifests', 'memberlist'), monitors: 'service', alerts: true } as const;
  const watched = render({}, options).filter(
    ({ kind, metadata }) =>
      /Monitor$|^PrometheusRule$/.test(kind) || metadata.name.endsWith('-monitor-service'),
  );
  const withoutOperator = watched.filter(({ metadata }) => !metadata.name.startsWith('operator-'));
  return [
    { path: `${folder}/kustomization.yaml`, content: documents([component()]) },
    { path: `${folder}/rbac.yaml`, content: documents(rights()) },
    { path: `${folder}/dashboard.yaml`, content: documents([dashboardConfigMap()]) },
    { path: `${folder}/dashboard.json`, content: dashboardText() },
    { path: `${folder}/monitoring.yaml`, content: documents(withoutOperator) },
  ];
}
