/** Options and manifests that the operator's tests share. */
import type { Manifest, RenderOptions } from '#operator/render/manifest.ts';

export const options: RenderOptions = {
  namespace: 'metallb-system',
  images: { controller: 'test-controller:latest', speaker: 'test-speaker:latest', frr: 'test-frr:latest' },
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
  memberlistSecret: 'metallb-memberlist',
  managedBy: 'metallb-operator',
  version: '0.1.0',
};

interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: readonly { name: string; value?: string }[];
  readonly ports: readonly { name: string; containerPort: number }[];
  readonly resources?: unknown;
  readonly volumeMounts?: readonly { name: string; mountPath: string }[];
  readonly [field: string]: unknown;
}

export interface PodTemplate {
  readonly metadata: {
    readonly labels: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
  readonly spec: {
    readonly containers: readonly Container[];
    readonly nodeSelector: Record<string, string>;
    readonly tolerations?: readonly unknown[];
    readonly [field: string]: unknown;
  };
}

/** The one manifest of that kind and name. Fails when there is none or more than one. */
export function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.filter((one) => one.kind === kind && one.metadata.name === name);
  if (found.length !== 1 || found[0] === undefined) {
    throw new Error(`${found.length} manifests ${kind}/${name}`);
  }
  return found[0];
}

export function templateOf(manifests: readonly Manifest[], kind: string, name: string): PodTemplate {
  return (find(manifests, kind, name)['spec'] as { template: PodTemplate }).template;
}

export function containerOf(template: PodTemplate, name: string): Container {
  const found = template.spec.containers.find((container) => container.name === name);
  if (found === undefined) throw new Error(`no container ${name}`);
  return found;
}

export function envOf(container: Container, name: string): string | undefined {
  return container.env.find((variable) => variable.name === name)?.value;
}
