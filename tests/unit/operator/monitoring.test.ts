/** Monitors, their token, rules and policies (operator-packaging.md §2.8, §4.8, weak spots 10 and 12). */
import { describe, expect, it } from 'vitest';
import { alerts } from '#operator/render/alerts.ts';
import { operatorDeployment, operatorPolicies } from '#operator/render/install.ts';
import { render } from '#operator/render/render.ts';
import type { Manifest, RenderOptions } from '#operator/render/manifest.ts';
import { webhookServer } from '#operator/render/webhook.ts';
import { find, options } from './fixtures.ts';

const monitored = (changes: Partial<RenderOptions>): Manifest[] => render({}, { ...options, ...changes });

interface MonitorSpec {
  readonly selector: Readonly<Record<string, unknown>>;
  readonly ports?: readonly { readonly targetPort: string }[];
  readonly podMetricsEndpoints?: readonly { readonly port: string }[];
}

function kindsOf(manifests: readonly Manifest[], pattern: RegExp): string[] {
  return manifests
    .filter(({ kind }) => pattern.test(kind))
    .map(({ kind, metadata }) => `${kind}/${metadata.name}`);
}

describe('monitors', () => {
  it('none unless asked for', () => {
    expect(kindsOf(monitored({}), /Monitor|Rule$|^Secret$/)).toEqual([]);
  });

  it('with Services: controller, speaker and the operator itself', () => {
    expect(kindsOf(monitored({ monitors: 'service' }), /Monitor|^Service$|^Secret$/)).toEqual([
      'Service/controller-monitor-service',
      'ServiceMonitor/controller-monitor',
      'Service/speaker-monitor-service',
      'ServiceMonitor/speaker-monitor',
      'Service/operator-monitor-service',
      'ServiceMonitor/operator-monitor',
    ]);
  });

  it('without: PodMonitors with a token that may read metrics and nothing else', () => {
    const manifests = monitored({ monitors: 'pod' });
    expect(kindsOf(manifests, /Monitor/)).toEqual([
      'PodMonitor/controller',
      'PodMonitor/speaker',
      'PodMonitor/operator',
    ]);
    for (const name of ['controller', 'speaker', 'operator'])
      expect(JSON.stringify(find(manifests, 'PodMonitor', name))).toContain(
        '"authorization":{"credentials":{"key":"token","name":"metrics-token"}}',
      );
    expect(find(manifests, 'Secret', 'metrics-token')).toMatchObject({
      type: 'kubernetes.io/service-account-token',
      metadata: { annotations: { 'kubernetes.io/service-account.name': 'metrics-reader' } },
    });
    expect(find(manifests, 'ClusterRole', 'metallb-system:metrics-reader')['rules']).toEqual([
      { nonResourceURLs: ['/metrics'], verbs: ['get'] },
    ]);
  });

  it.each(['service', 'pod'] as const)('%s: each selects pods that have the port', (monitors) => {
    const manifests = [...monitored({ monitors }), operatorDeployment(options)];
    const pods = manifests.flatMap((manifest) => {
      const { template } = (manifest['spec'] ?? {}) as {
        template?: {
          metadata: { labels: Record<string, string> };
          spec: { containers: { ports?: { name: string }[] }[] };
        };
      };
      return template === undefined ? [] : [template];
    });
    const sources = manifests.filter(({ kind }) => kind === (monitors === 'pod' ? 'PodMonitor' : 'Service'));
    expect(sources).toHaveLength(3);
    for (const source of sources) {
      const spec = source['spec'] as MonitorSpec;
      const labels = (spec.selector['matchLabels'] ?? spec.selector) as Record<string, string>;
      const selected = pods.filter(({ metadata }) =>
        Object.entries(labels).every(([key, value]) => metadata.labels[key] === value),
      );
      expect(selected).toHaveLength(1);
      const names = selected[0]?.spec.containers.flatMap(({ ports = [] }) => ports.map(({ name }) => name));
      const wanted =
        spec.ports?.map(({ targetPort }) => targetPort) ?? spec.podMetricsEndpoints?.map(({ port }) => port);
      expect(names).toEqual(expect.arrayContaining(wanted ?? ['none']));
    }
  });

  it('carry the labels that a Prometheus selects by, and never lose ours to them', () => {
    const manifests = monitored({
      monitors: 'service',
      alerts: true,
      monitoringLabels: { release: 'kps', app: 'x' },
    });
    for (const [kind, name] of [
      ['ServiceMonitor', 'speaker-monitor'],
      ['PrometheusRule', 'metallb'],
    ] as const)
      expect(find(manifests, kind, name).metadata.labels).toMatchObject({ release: 'kps', app: 'metallb' });
    expect(find(manifests, 'DaemonSet', 'speaker').metadata.labels).not.toHaveProperty('release');
  });
});

it('the PrometheusRule has every alert', () => {
  const { spec } = find(monitored({ alerts: true }), 'PrometheusRule', 'metallb') as Manifest & {
    spec: { groups: { rules: { alert: string }[] }[] };
  };
  expect(spec.groups.flatMap(({ rules }) => rules.map(({ alert }) => alert))).toEqual(
    alerts.map(({ name }) => name),
  );
});

describe('network policies of what is installed beside', () => {
  it('operator: metrics come in, everything goes out; the rest of the namespace is cut off only where asked for', () => {
    const { own, rest } = operatorPolicies('ns');
    expect(own).toMatchObject({
      metadata: { name: 'metallb-operator', namespace: 'ns' },
      spec: {
        podSelector: { matchLabels: { 'control-plane': 'controller-manager' } },
        ingress: [{ ports: [{ port: 'metricshttps' }] }],
        egress: [{}],
      },
    });
    expect(rest['spec']).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
  });

  it('webhook server: reached on its one port', () => {
    const manifests = webhookServer(options, 'Ignore');
    expect(find(manifests, 'NetworkPolicy', 'webhook-server')['spec']).toMatchObject({
      ingress: [{ ports: [{ port: 'webhook-server' }] }],
    });
  });
});
