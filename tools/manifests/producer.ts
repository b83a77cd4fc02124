/** Manifests under config/ that are made from operator/render: nothing there is written by hand but the samples. */
import { stringify } from 'yaml';
import { resourceDefinitions } from '#core/api/definitions.ts';
import {
  namespaceManifest,
  operatorDeployment,
  operatorPolicies,
  operatorRbac,
} from '#operator/render/install.ts';
import type { Manifest, RenderOptions } from '#operator/render/manifest.ts';
import { render } from '#operator/render/render.ts';
import { webhookServer } from '#operator/render/webhook.ts';
import { customResourceDefinition } from '#tools/crds/crd.ts';
import type { GeneratedFile } from '#tools/generated-file.ts';
import packageFile from '../../package.json' with { type: 'json' };

const header = '# Generated from operator/render by `npm run generate`. Do not edit.\n';

/** What a release publishes; users name their own by kustomize (config/kustomization.yaml). */
export const publishedImage = `ghcr.io/metallb-ts/metallb-ts:v${packageFile.version}`;

/** The oldest Kubernetes that knows the CEL libraries our schemas use. */
export const oldestKubernetes = '1.31.0';

/** Settings as an installation without any wishes has them. */
export function plainOptions(managedBy: string, memberlistSecret: string): RenderOptions {
  return {
    namespace: 'metallb-system',
    images: { controller: publishedImage, speaker: publishedImage, frr: publishedImage },
    imagePullPolicy: '',
    imagePullSecrets: [],
    ports: { metrics: 9120, frrMetrics: 9121, health: 17472, memberlist: 7946 },
    tls: { minVersion: '', cipherSuites: '', curvePreferences: '' },
    platform: 'kubernetes',
    monitors: 'none',
    alerts: false,
    monitoringLabels: {},
    networkPolicies: true,
    apiPorts: [443, 6443],
    externalNamespace: '',
    frrFromNetworkOperator: false,
    memberlistSecret,
    managedBy,
    version: packageFile.version,
  };
}

/**
 * The operator by kustomize (`config`) or as one file; `config/manifests`: MetalLB without an operator;
 * `config/webhook`: the admission webhooks beside either.
 */
export function manifestFiles(): GeneratedFile[] {
  const options = plainOptions('metallb-operator', 'metallb-memberlist');
  const namespace = namespaceManifest(options.namespace);
  const rbac = operatorRbac(options.namespace);
  const deployment = operatorDeployment(options);
  const policies = operatorPolicies(options.namespace);
  const crds = resourceDefinitions.map((definition) => customResourceDefinition(definition));
  return [
    { path: 'config/kustomization.yaml', content: kustomization() },
    { path: 'config/operator/namespace.yaml', content: documents([namespace]) },
    { path: 'config/operator/rbac.yaml', content: documents(rbac) },
    { path: 'config/operator/deployment.yaml', content: documents([deployment]) },
    { path: 'config/operator/networkpolicy.yaml', content: documents([policies.own]) },
    {
      path: 'config/operator/install.yaml',
      content: documents([namespace, ...crds, ...rbac, policies.own, deployment]),
    },
    { path: 'config/networkpolicies/default-deny.yaml', content: documents([policies.rest]) },
    { path: 'config/manifests/rbac.yaml', content: documents([namespace, ...rightsOnly()]) },
    {
      path: 'config/webhook/webhook.yaml',
      content: documents(webhookServer(plainOptions('manifests', ''), 'Ignore')),
    },
    ...['frr', 'native'].map((backend) => ({
      path: `config/manifests/metallb-${backend}.yaml`,
      content: documents([namespace, ...crds, ...withoutOperator(backend)]),
    })),
  ];
}

function withoutOperator(bgpBackend: string): Manifest[] {
  return render({ bgpBackend }, plainOptions('manifests', 'memberlist'));
}

/** Accounts and roles of controller and speaker, for programs that are started by hand. */
function rightsOnly(): Manifest[] {
  const kinds = /^(ServiceAccount|(Cluster)?Role(Binding)?)$/;
  return withoutOperator('frr').filter(({ kind }) => kinds.test(kind));
}

/** It stands above the folders, so that `kubectl apply -f FOLDER` meets objects only. */
function kustomization(): string {
  const crds = resourceDefinitions.map(({ group, plural }) => `crd/${group}_${plural}.yaml`);
  const operator = ['rbac', 'networkpolicy', 'deployment'].map((name) => `operator/${name}.yaml`);
  const resources = ['operator/namespace.yaml', ...crds, ...operator];
  return documents([{ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', resources }]);
}

/** Objects as YAML, with the header of generated files. */
export function documents(objects: readonly object[]): string {
  const texts = objects.map((object) => stringify(object, { aliasDuplicateObjects: false, lineWidth: 0 }));
  return header + texts.join('---\n');
}
