/**
 * A stand-in for the original MetalLB, installed by its plain manifests: objects with its names, labels, arguments
 * and CRDs' stored form (operator-packaging.md §2.10, §7.1, §9), written by us. What runs in its pods are our own
 * programs, since the original's cannot be had in the lab.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { METALLB_GROUP } from '#core/api/group.ts';
import { render } from '#operator/render/render.ts';
import type { Manifest } from '#operator/render/manifest.ts';
import type { Lab } from '#lab/lab.ts';
import { plainOptions } from '#tools/manifests/producer.ts';

const namespace = 'metallb-system';
const rbac = 'rbac.authorization.k8s.io';
const WEBHOOK_SERVICE = { name: 'metallb-webhook-service', namespace };

/** Kinds that the original has not. */
const OURS = /_(ipreservations|bgpsessionstates|metallbs)\.yaml$/;

/** CRDs, workloads with what they need, and the remains of its webhook, which nobody serves here. */
export async function installOriginal(lab: Lab, bgpBackend: 'frr' | 'native'): Promise<void> {
  await lab.kubectl(['apply', '--server-side', '-f', '-'], { input: list(crds()) });
  await lab.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
  const space = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  const objects = [space, ...workloads(bgpBackend), ...podLister(), ...webhookRemains()];
  await lab.kubectl(['apply', '-f', '-'], { input: list(objects) });
}

/** To be called when the configuration is there: with it the API server refuses changes of it. */
export async function installOriginalWebhook(lab: Lab): Promise<void> {
  const rules = [
    {
      apiGroups: [METALLB_GROUP],
      apiVersions: ['v1beta1'],
      resources: ['ipaddresspools'],
      operations: ['CREATE', 'UPDATE'],
    },
  ];
  const webhook = {
    name: 'ipaddresspoolvalidationwebhook.metallb.io',
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    failurePolicy: 'Fail',
    clientConfig: { service: { ...WEBHOOK_SERVICE, path: '/validate-metallb-io-v1beta1-ipaddresspool' } },
    rules,
  };
  const configuration = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'metallb-webhook-configuration' },
    webhooks: [webhook],
  };
  await lab.kubectl(['apply', '-f', '-'], { input: list([configuration]) });
}

const list = (items: readonly object[]): string => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });

interface Crd {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly versions: { schema: { openAPIV3Schema: unknown } }[]; conversion?: object };
}

/** Schemas that take everything stand for whatever they were; peers have the conversion webhook. */
function crds(): Crd[] {
  const files = readdirSync('config/crd').filter(
    (file) => file.startsWith('metallb.io_') && !OURS.test(file),
  );
  return files.map((file) => {
    const crd = parse(readFileSync(`config/crd/${file}`, 'utf8')) as Crd;
    for (const version of crd.spec.versions)
      version.schema.openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    if (crd.metadata.name === `bgppeers.${METALLB_GROUP}`)
      crd.spec.conversion = {
        strategy: 'Webhook',
        webhook: {
          clientConfig: { service: { ...WEBHOOK_SERVICE, path: '/convert' } },
          conversionReviewVersions: ['v1beta1', 'v1beta2'],
        },
      };
    return crd;
  });
}

/** Labels `app` and `component` and no others, a single controller without Lease. */
function workloads(bgpBackend: string): Manifest[] {
  const ours = render({ bgpBackend }, plainOptions('manifests', 'memberlist'));
  const text = JSON.stringify(ours, (key, value: unknown) => {
    if (key === 'args') return (value as string[]).filter((arg) => arg !== '--leader-elect');
    return key.startsWith('app.kubernetes.io/') ? undefined : value;
  });
  return JSON.parse(text) as Manifest[];
}

function podLister(): object[] {
  const metadata = { name: 'pod-lister', namespace, labels: { app: 'metallb' } };
  const subjects = ['controller', 'speaker'].map((name) => ({ kind: 'ServiceAccount', name, namespace }));
  return [
    {
      apiVersion: `${rbac}/v1`,
      kind: 'Role',
      metadata,
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['list', 'get'] }],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: rbac, kind: 'Role', name: 'pod-lister' },
      subjects,
    },
  ];
}

function webhookRemains(): object[] {
  const selector = { component: 'controller' };
  return [
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'metallb-webhook-cert', namespace } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: WEBHOOK_SERVICE,
      spec: { selector, ports: [{ port: 443, targetPort: 9443 }] },
    },
  ];
}
