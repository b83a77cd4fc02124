/** Behaviours of operator-packaging.md §10.3 (numbers in the names). */
import { describe, expect, it } from 'vitest';
import type { MetalLBSpec } from '#core/config/metallb.ts';
import { render } from '#operator/render/render.ts';
import type { RenderOptions } from '#operator/render/manifest.ts';
import { containerOf, envOf, find, options, templateOf } from './fixtures.ts';

function speaker(spec: MetalLBSpec, changes: Partial<RenderOptions> = {}) {
  const template = templateOf(render(spec, { ...options, ...changes }), 'DaemonSet', 'speaker');
  return { template, container: containerOf(template, 'speaker') };
}

function controller(spec: MetalLBSpec, changes: Partial<RenderOptions> = {}) {
  const template = templateOf(render(spec, { ...options, ...changes }), 'Deployment', 'controller');
  return { template, container: containerOf(template, 'controller') };
}

describe('workloads', () => {
  it.each(['native', 'frr', 'frr-k8s'])('23, 24: containers and images with backend %s', (bgpBackend) => {
    expect(controller({ bgpBackend }).template.spec.containers.map(({ image }) => image)).toEqual([
      'test-controller:latest',
    ]);
    const images = speaker({ bgpBackend }).template.spec.containers.map(({ name, image }) => [name, image]);
    expect(images).toEqual([
      ['speaker', 'test-speaker:latest'],
      ['frr', 'test-frr:latest'],
    ]);
  });

  it('26: node selector is exactly the merged map', () => {
    const nodeSelector = { 'kubernetes.io/os': 'linux', 'node-role.kubernetes.io/worker': 'true' };
    expect(speaker({ nodeSelector }).template.spec.nodeSelector).toEqual(nodeSelector);
    expect(controller({ nodeSelector }).template.spec.nodeSelector).toEqual({ 'kubernetes.io/os': 'linux' });
  });

  it('27: built-in tolerations first, then the user’s', () => {
    const users = [
      { key: 'a', operator: 'Exists' },
      { key: 'b', operator: 'Exists' },
    ];
    expect(speaker({ speakerTolerations: users }).template.spec.tolerations).toEqual([
      { effect: 'NoSchedule', key: 'node-role.kubernetes.io/master', operator: 'Exists' },
      { effect: 'NoSchedule', key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' },
      ...users,
    ]);
  });

  it('38: a controller has exactly the tolerations given', () => {
    const controllerTolerations = [{ key: 'a', operator: 'Exists', effect: 'NoExecute' }];
    expect(controller({ controllerTolerations }).template.spec.tolerations).toEqual(controllerTolerations);
    expect(controller({}).template.spec.tolerations).toBeUndefined();
  });

  it.each(['native', 'frr', 'frr-k8s'])('28, 29: log level with backend %s', (bgpBackend) => {
    const spec = { bgpBackend, logLevel: 'warn' };
    expect(speaker(spec).container.args).toContain('--log-level=warn');
    expect(controller(spec).container.args).toContain('--log-level=warn');
    expect(speaker({ bgpBackend }).container.args).toContain('--log-level=info');
  });

  it.each([
    ['native', undefined],
    ['frr', 'frr'],
    ['', 'frr'],
    ['frr-k8s', 'frr-k8s'],
    ['frr-k8s-external', 'frr-k8s'],
  ])('31, 32, 33, 34, 35: backend "%s" shows as METALLB_BGP_TYPE=%s', (bgpBackend, value) => {
    const changes = { externalNamespace: 'frr-k8s-system' };
    expect(envOf(speaker({ bgpBackend }, changes).container, 'METALLB_BGP_TYPE')).toBe(value);
    expect(envOf(controller({ bgpBackend }, changes).container, 'METALLB_BGP_TYPE')).toBe(value);
  });

  it('36: priority class, runtime class, annotation, limit and affinity on both', () => {
    const config = {
      priorityClassName: 'high',
      runtimeClassName: 'kata',
      annotations: { unittest: 'metallb' },
      resources: { limits: { cpu: '100m' } },
      affinity: {
        podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone' }] },
      },
    };
    const spec: MetalLBSpec = { bgpBackend: 'native', controllerConfig: config, speakerConfig: config };
    for (const { template, container } of [speaker(spec), controller(spec)]) {
      expect(template.metadata.annotations).toEqual({ unittest: 'metallb' });
      expect(template.spec).toMatchObject({
        priorityClassName: 'high',
        runtimeClassName: 'kata',
        affinity: config.affinity,
      });
      expect(container.resources).toEqual(config.resources);
    }
    expect(containerOf(speaker(spec).template, 'frr').resources).toBeUndefined();
  });

  it('37: load balancer class', () => {
    const loadBalancerClass = 'metallb.universe.tf/metallb';
    expect(speaker({ loadBalancerClass }).container.args).toContain(`--lb-class=${loadBalancerClass}`);
    expect(controller({ loadBalancerClass }).container.args).toContain(`--lb-class=${loadBalancerClass}`);
    expect(speaker({}).container.args.join(' ')).not.toContain('--lb-class');
  });

  it('39, 40: an external frr-k8s', () => {
    const frrk8sConfig = { namespace: 'X', secretPassthrough: true };
    const passing = speaker({ bgpBackend: 'frr-k8s-external', frrk8sConfig });
    expect(passing.container.args).toEqual(
      expect.arrayContaining(['--frrk8s-namespace=X', '--frrk8s-secret-passthrough']),
    );
    const plain = speaker({
      bgpBackend: 'frr-k8s-external',
      frrk8sConfig: { namespace: 'X', secretPassthrough: false },
    });
    expect(plain.container.args.filter((arg) => arg.startsWith('--frrk8s'))).toEqual([
      '--frrk8s-namespace=X',
    ]);
    expect(plain.template.spec.containers.map(({ name }) => name)).toEqual(['speaker']);
  });

  it('47: metrics port', () => {
    const ports = { ...options.ports, metrics: 9998 };
    expect(controller({}, { ports }).container.args).toContain('--port=9998');
    expect(controller({}, { ports }).container.ports).toEqual([
      { name: 'metricshttps', containerPort: 9998, protocol: 'TCP' },
    ]);
  });

  it('cipher suites go only with TLS 1.2 (weak spot 26)', () => {
    const tls = { minVersion: 'VersionTLS13', cipherSuites: 'A,B', curvePreferences: '29' };
    expect(controller({}, { tls }).container.args.filter((arg) => arg.startsWith('--tls'))).toEqual([
      '--tls-curve-preferences=29',
      '--tls-min-version=VersionTLS13',
    ]);
    expect(controller({}, { tls: { ...tls, minVersion: 'VersionTLS12' } }).container.args).toContain(
      '--tls-cipher-suites=A,B',
    );
  });
});

describe('OpenShift', () => {
  const platform = 'openshift' as const;

  it('49: the platform chooses the user', () => {
    expect(controller({}, { platform }).template.spec['securityContext']).toEqual({ runAsNonRoot: true });
  });

  it('51, 106: SCC and its annotation, also with speakerConfig and against the user’s own value', () => {
    expect(
      find(render({}, { ...options, platform }), 'SecurityContextConstraints', 'metallb-speaker'),
    ).toMatchObject({
      allowHostNetwork: true,
      allowHostPorts: true,
      allowPrivilegeEscalation: false,
      allowPrivilegedContainer: false,
      requiredDropCapabilities: ['ALL'],
    });
    const annotations = { 'openshift.io/required-scc': 'mine', other: 'kept' };
    expect(speaker({ speakerConfig: { annotations } }, { platform }).template.metadata.annotations).toEqual({
      'openshift.io/required-scc': 'metallb-speaker',
      other: 'kept',
    });
    expect(render({}, options).map(({ kind }) => kind)).not.toContain('SecurityContextConstraints');
    expect(speaker({}).template.metadata.annotations).toBeUndefined();
  });

  it('the SCC allows every capability the pod adds', () => {
    const manifests = render({ bgpBackend: 'frr' }, { ...options, platform });
    const allowed = find(manifests, 'SecurityContextConstraints', 'metallb-speaker')['allowedCapabilities'];
    const added = templateOf(manifests, 'DaemonSet', 'speaker').spec.containers.flatMap((container) => {
      const context = container['securityContext'] as { capabilities: { add: string[] } };
      return context.capabilities.add;
    });
    expect(allowed).toEqual([...new Set(added)].toSorted());
  });

  it('44, 45, 48: service monitors', () => {
    const manifests = render({}, { ...options, platform, monitors: 'service' });
    expect(find(manifests, 'ServiceMonitor', 'controller-monitor')).toMatchObject({
      metadata: {
        annotations: { 'service.beta.openshift.io/serving-cert-secret-name': 'controller-certs-secret' },
      },
      spec: {
        endpoints: [
          {
            port: 'metricshttps',
            scheme: 'https',
            honorLabels: true,
            tlsConfig: {
              serverName: 'controller-monitor-service.metallb-system.svc',
              insecureSkipVerify: false,
            },
          },
        ],
      },
    });
    expect(templateOf(manifests, 'Deployment', 'controller').spec.containers[0]?.args).toContain(
      '--metrics-cert-dir=/etc/metrics',
    );
    const plain = find(render({}, { ...options, monitors: 'service' }), 'ServiceMonitor', 'speaker-monitor');
    expect(plain.metadata.annotations).toBeUndefined();
    expect(JSON.stringify(plain)).toContain('"insecureSkipVerify":true');
  });
});

describe('everything else', () => {
  it('50: NetworkPolicy unless switched off', () => {
    expect(find(render({}, options), 'NetworkPolicy', 'controller')).toMatchObject({
      spec: { podSelector: { matchLabels: { app: 'metallb', component: 'controller' } } },
    });
    expect(render({}, { ...options, networkPolicies: false }).map(({ kind }) => kind)).not.toContain(
      'NetworkPolicy',
    );
  });

  it('is deterministic and does not touch its input', () => {
    const spec: MetalLBSpec = Object.freeze({ speakerTolerations: Object.freeze([{ key: 'a' }]) });
    expect(JSON.stringify(render(spec, options))).toBe(JSON.stringify(render(spec, options)));
  });

  it('namespaced objects belong to the CR, cluster-scoped ones to the Namespace', () => {
    const cr = { apiVersion: 'metallb.io/v1beta1', kind: 'MetalLB', name: 'metallb', uid: '1' };
    const namespace = { apiVersion: 'v1', kind: 'Namespace', name: 'metallb-system', uid: '2' };
    for (const { metadata } of render({}, options, { namespaced: cr, cluster: namespace })) {
      expect(metadata.ownerReferences).toEqual([metadata.namespace === undefined ? namespace : cr]);
    }
  });

  it('contract: exactly one pod template carries component: controller, one component: speaker', () => {
    const templates = render({}, options)
      .map((manifest) => manifest['spec'] as { template?: { metadata: { labels: Record<string, string> } } })
      .flatMap((spec) => (spec?.template === undefined ? [] : [spec.template.metadata.labels]));
    expect(templates.map((labels) => [labels['app'], labels['component']])).toEqual([
      ['metallb', 'controller'],
      ['metallb', 'speaker'],
    ]);
  });
});
