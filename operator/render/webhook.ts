/**
 * The admission webhooks (optional): the controller's program in a Deployment of its own, which does nothing else.
 * Nothing waits for it; with failure policy `Ignore`, whatever it cannot answer is let through.
 */
import { WEBHOOK_CONFIGURATION, webhookRoutes } from '#core/api/webhooks.ts';
import { metallbResources } from '#core/api/resources.ts';
import { confined, fieldEnv, image, probes } from '#operator/render/containers.ts';
import { programs } from '#operator/render/image.ts';
import { webhookPolicy } from '#operator/render/policies.ts';
import { objectLabels, type Manifest, type RenderOptions } from '#operator/render/manifest.ts';
import type { Rule } from '#operator/render/rbac.ts';

const NAME = 'webhook-server';
const SERVICE = 'metallb-webhook-service';
const SECRET = 'metallb-webhook-cert';
const PORT = 9443;
const rbacGroup = 'rbac.authorization.k8s.io';

/** What the rules look at, and where the CA goes. */
const clusterRules: readonly Rule[] = [
  { apiGroups: [''], resources: ['nodes'], verbs: ['list', 'watch'] },
  {
    apiGroups: ['admissionregistration.k8s.io'],
    resources: ['validatingwebhookconfigurations'],
    resourceNames: [WEBHOOK_CONFIGURATION],
    verbs: ['get', 'update'],
  },
  {
    apiGroups: ['apiextensions.k8s.io'],
    resources: ['customresourcedefinitions'],
    resourceNames: [`${metallbResources.BGPPeer.plural}.metallb.io`],
    verbs: ['get', 'update'],
  },
];

/** RBAC cannot name what does not exist yet: creating is for any Secret, the rest for ours only. */
const ownRules: readonly Rule[] = [
  { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
  { apiGroups: [''], resources: ['secrets'], resourceNames: [SECRET], verbs: ['get', 'update'] },
  {
    apiGroups: ['metallb.io'],
    resources: webhookRoutes.map(({ kind }) => metallbResources[kind].plural).sort(),
    verbs: ['list', 'watch'],
  },
  // Whether others answer for the webhooks too.
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
];

const selector = { app: 'metallb', component: NAME };

/** Deployment, Service, rights and ValidatingWebhookConfiguration. */
export function webhookServer(options: RenderOptions, failurePolicy: 'Fail' | 'Ignore'): Manifest[] {
  const { namespace } = options;
  const labels = { ...objectLabels(options), ...selector, 'app.kubernetes.io/component': NAME };
  const own = { name: NAME, namespace, labels };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: own },
    ...rights(namespace, labels),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: SERVICE, namespace, labels },
      spec: { ports: [{ port: 443, protocol: 'TCP', targetPort: PORT }], selector },
    },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: own, spec: deployment(options, labels) },
    webhookPolicy(own, selector),
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: WEBHOOK_CONFIGURATION, labels },
      webhooks: webhookRoutes.map(({ kind, name, path, operations }) => ({
        name,
        admissionReviewVersions: ['v1'],
        clientConfig: { service: { name: SERVICE, namespace, path } },
        failurePolicy,
        rules: [
          {
            apiGroups: ['metallb.io'],
            apiVersions: [metallbResources[kind].version],
            operations,
            resources: [metallbResources[kind].plural],
          },
        ],
        sideEffects: 'None',
      })),
    },
  ];
}

function rights(namespace: string, labels: Readonly<Record<string, string>>): Manifest[] {
  const apiVersion = `${rbacGroup}/v1`;
  const subjects = [{ kind: 'ServiceAccount', name: NAME, namespace }];
  const cluster = { name: `${namespace}:${NAME}`, labels };
  const own = { name: NAME, namespace, labels };
  const roleRef = (kind: string, name: string) => ({ apiGroup: rbacGroup, kind, name });
  return [
    { apiVersion, kind: 'ClusterRole', metadata: cluster, rules: clusterRules },
    {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata: cluster,
      roleRef: roleRef('ClusterRole', cluster.name),
      subjects,
    },
    { apiVersion, kind: 'Role', metadata: own, rules: ownRules },
    { apiVersion, kind: 'RoleBinding', metadata: own, roleRef: roleRef('Role', NAME), subjects },
  ];
}

function deployment(options: RenderOptions, labels: Readonly<Record<string, string>>): object {
  const { ports } = options;
  return {
    revisionHistoryLimit: 3,
    selector: { matchLabels: selector },
    template: {
      metadata: { labels },
      spec: {
        containers: [
          {
            name: NAME,
            ...image(options.images.controller, options),
            command: [programs.controller],
            args: ['--webhook-mode=onlywebhook', '--port=0', `--health-probe-port=${ports.health}`],
            env: [fieldEnv('METALLB_NAMESPACE', 'metadata.namespace')],
            ports: [{ containerPort: PORT, name: NAME, protocol: 'TCP' }],
            ...probes({ port: ports.health }),
            securityContext: confined(),
          },
        ],
        nodeSelector: { 'kubernetes.io/os': 'linux' },
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        serviceAccountName: NAME,
        terminationGracePeriodSeconds: 10,
      },
    },
  };
}
