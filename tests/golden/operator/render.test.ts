/** Everything the operator makes for typical objects, as files to read. */
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { MetalLBSpec } from '#core/config/metallb.ts';
import type { RenderOptions } from '#operator/render/manifest.ts';
import { render } from '#operator/render/render.ts';
import { options } from '#tests/unit/operator/fixtures.ts';

interface Variant {
  readonly name: string;
  readonly spec: MetalLBSpec;
  readonly changes?: Partial<RenderOptions>;
}

const config = {
  priorityClassName: 'system-cluster-critical',
  runtimeClassName: 'kata',
  annotations: { 'example.com/team': 'network' },
  resources: { requests: { cpu: '100m', memory: '128Mi' } },
  affinity: {
    nodeAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { preference: { matchExpressions: [{ key: 'edge', operator: 'Exists' }] }, weight: 10 },
      ],
    },
  },
};

const variants: readonly Variant[] = [
  { name: 'default', spec: {} },
  { name: 'native', spec: { bgpBackend: 'native' } },
  {
    name: 'frr-k8s-external',
    spec: { bgpBackend: 'frr-k8s-external', frrk8sConfig: { namespace: 'frr-k8s-system' } },
  },
  {
    name: 'all-fields',
    spec: {
      bgpBackend: 'frr',
      logLevel: 'debug',
      loadBalancerClass: 'metallb.io/metallb',
      nodeSelector: { 'node-role.kubernetes.io/edge': '' },
      speakerTolerations: [{ key: 'edge', operator: 'Exists', effect: 'NoSchedule' }],
      speakerConfig: config,
      controllerNodeSelector: { 'node-role.kubernetes.io/infra': '' },
      controllerTolerations: [{ key: 'infra', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 }],
      controllerConfig: config,
    },
    changes: { imagePullPolicy: 'IfNotPresent', imagePullSecrets: ['registry'], monitors: 'pod', networkPolicies: false },
  },
  {
    name: 'openshift',
    spec: {},
    changes: {
      platform: 'openshift',
      monitors: 'service',
      ports: { metrics: 29150, frrMetrics: 29151, health: 7472, memberlist: 9122 },
      tls: { minVersion: 'VersionTLS12', cipherSuites: 'TLS_AES_128_GCM_SHA256', curvePreferences: '' },
    },
  },
];

describe('render', () => {
  it.each(variants)('$name', async ({ name, spec, changes }) => {
    const documents = render(spec, { ...options, ...changes }).map((manifest) =>
      stringify(manifest, { aliasDuplicateObjects: false, lineWidth: 0 }),
    );
    await expect(documents.join('---\n')).toMatchFileSnapshot(`render/${name}.yaml`);
  });
});
